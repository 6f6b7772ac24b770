"""What a plan says of yes/no questions."""

from alray.analysis.wording import count, joined
from alray.settings.questions import FROM_FEATURES, FROM_NAMES
from alray.studies.sweep.plan import Plan


def question_lines(plan: Plan) -> list[str]:
    """Return a line on what is asked, where arms of a study ask yes/no questions."""
    spec = plan.study.questions
    if spec is None:
        return []
    trees = {
        FROM_FEATURES: "a tree built from the classes' features, which takes all labels",
        FROM_NAMES: "the tree that class names are",
    }
    asked = [run.questions for run in plan.runs if run.questions is not None]
    numbers = sorted({each.per_round for each in asked})
    wrong = f", {100 * spec.rate:.3g} % of answers wrong" if spec.rate else ""
    who = ", answered by the crowd" if plan.study.crowd is not None else ""
    sets = asked[0].sets if asked else None
    nodes = f" of {count(sum(len(codes) > 1 for _, codes in sets), 'node')}" if sets else ""
    prices = {run.label_cost for run in plan.runs if run.label_cost is not None}
    labels = (
        f"; a label costs {joined([f'{price:g}' for price in sorted(prices)])}" if prices else ""
    )
    many = " or ".join(f"{number:,}" for number in numbers)
    return [
        f"yes/no questions: {many} a round at {spec.cost:g}{wrong}{who}, about "
        f"{trees.get(spec.tree, spec.tree)}{nodes}{labels}"
    ]
