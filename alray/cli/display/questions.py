"""What a plan says of yes/no questions."""

from collections.abc import Sequence

from alray.analysis.wording import count, joined
from alray.assessors.class_tree import questions_of
from alray.settings.questions import ClassSet
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.question_rounds import asked_by_halves


def question_lines(plan: Plan) -> list[str]:
    """Return a line on what is asked, where arms of a study ask yes/no questions."""
    spec = plan.study.questions
    asked = [run.questions for run in plan.runs if run.questions is not None]
    if spec is None or not asked:
        return []
    many = joined([f"{number:,}" for number in sorted({each.per_round for each in asked})])
    who = ", answered by the crowd" if plan.study.crowd is not None else ""
    prices = sorted({run.label_cost for run in plan.runs if run.label_cost is not None})
    labels = f"; a label costs {joined([f'{price:g}' for price in prices])}" if prices else ""
    nodes = "" if asked[0].sets is None else _nodes(asked[0].sets, len(plan.pool.classes))
    return [f"yes/no questions: {many} a round{who}, at {spec.words}{nodes}{labels}"]


def _nodes(sets: Sequence[ClassSet], classes: int) -> str:
    """Return how large a tree is, and what it takes to come to a class."""
    inner = sum(len(members) > 1 for _, members in sets)
    taken = asked_by_halves(questions_of(sets, classes))
    return (
        f" ({count(inner, 'node')}): by halves {taken.mean():.3g} for an object, {taken.max()} at most (mean over "
        "classes)"
    )
