"""Yes/no questions in a study's plan: which arms ask, about which sets of classes, and what cannot go with them."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from alray.assessors.class_tree import sets_of_names, sets_of_parents
from alray.errors import SpecError
from alray.settings.crowd import WORLD
from alray.settings.estimators import class_of
from alray.settings.questions import FROM_FEATURES, FROM_NAMES, AskedSpec, ClassSet, QuestionsSpec
from alray.settings.sweep import SweepSpec
from alray.strategies import parse
from alray.strategies.questions.arms import QuestionStrategy
from alray.studies.sweep.arm import Arm

_logger = logging.getLogger(__name__)

TreeRows = Sequence[tuple[str, str]]
"""Class (or node) and parent, of a file."""


def with_questions(study: SweepSpec) -> SweepSpec:
    """Return a study with the usual questions where an arm asks some and no setting says which.

    Raises:
        SpecError: There are settings of questions, and no arm asks any.
    """
    asking = any(isinstance(parse(text), QuestionStrategy) for text in study.strategies)
    if study.questions is not None and not asking:
        raise SpecError(
            "questions has no effect without an arm that asks some; add one to strategies, such as questions:alpf, or "
            "leave questions out"
        )
    if not asking or study.questions is not None:
        return study
    return study.model_copy(update={"questions": QuestionsSpec()})


def arms_of(
    strategies: Sequence[str], choices: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each arm's strategy and varied settings: every strategy with every choice of their values.

    Arms that ask yes/no questions come once for all settings of a crowd that are about labels, such as crowd.answers:
    one assessor answers a question, and all arms that differ in these alone would be the same run.
    """
    seen: list[tuple[str, Mapping[str, Any]]] = []
    left: dict[str, None] = {}
    for choice in choices:
        for text in strategies:
            if not isinstance(parse(text), QuestionStrategy):
                yield text, choice
                continue
            kept = {name: value for name, value in choice.items() if not _of_labels(name)}
            left |= dict.fromkeys(name for name in choice if name not in kept)
            if (text, kept) not in seen:
                seen.append((text, kept))
                yield text, kept
    if left:
        _logger.info(
            "arms that ask yes/no questions run once, not for each value of %s: one assessor answers a question",
            " and ".join(left),
        )


def _of_labels(name: str) -> bool:
    """Whether a setting says how a crowd is asked for labels, and what is made of its answers."""
    section, _, key = name.partition(".")
    return section == "crowd" and key not in WORLD


def sets_of(
    study: SweepSpec, classes: Sequence[str], rows: TreeRows | None
) -> tuple[ClassSet, ...] | None:
    """Return the sets of classes that a study's tree gives; None without questions, and where each run builds its own.

    Args:
        study: Its settings.
        classes: The pool's.
        rows: Those of the tree's file, where it is one.

    Raises:
        SpecError: There is no tree over these classes.
    """
    spec = study.questions
    if spec is None or spec.tree == FROM_FEATURES:
        return None
    if spec.tree == FROM_NAMES:
        return tuple(sets_of_names(classes, spec.separator))
    if rows is None:
        raise SpecError(f"questions.tree: {spec.tree} was not read")
    return tuple(sets_of_parents(rows, classes, spec.tree))


def asked_by(arm: Arm, classes: int) -> AskedSpec | None:
    """Return what a run of an arm asks; None where it asks nothing."""
    spec = arm.study.questions
    if spec is None or not isinstance(arm.strategy, QuestionStrategy):
        return None
    per_round = spec.questions_of(arm.study.query, classes)
    return AskedSpec(sets=arm.sets, per_round=per_round, cost=spec.cost, rate=spec.rate)


def label_price(arm: Arm, classes: int) -> float | None:
    """Return what a label costs an arm that buys labels beside arms that ask questions; None elsewhere."""
    spec = arm.study.questions
    if spec is None or isinstance(arm.strategy, QuestionStrategy) or arm.study.crowd is not None:
        return None
    return spec.label_price(classes)


def check_questions(arms: Sequence[Arm], classes: int) -> None:
    """Refuse settings that arms which ask questions cannot have.

    Raises:
        SpecError: Names the arm, the setting, and what to do.
    """
    for arm in arms:
        if isinstance(arm.strategy, QuestionStrategy):
            reason = _refusal(arm, classes)
            if reason:
                raise SpecError(f"{arm.label}: {reason}")


def _refusal(arm: Arm, classes: int) -> str:
    """Return why an arm cannot ask questions, "" where it can."""
    study, name = arm.study, arm.model.name
    refused = {
        "the pool has one class, and nothing to ask about": classes < 2,
        "screen ranks objects alone, and the arm chooses questions too; leave screen out": study.screen
        is not None,
        "it looks at all objects that are open; leave candidates out": study.candidates
        is not None,
        "it asks about each object once; leave initial_draw: with_replacement out": study.initial_draw
        == "with_replacement",
        "the crowd's assessors answer, each with an own share of wrong answers; leave questions.rate or crowd out": (
            study.crowd is not None and study.questions is not None and study.questions.rate > 0
        ),
        f"the scikit-learn classifier {name} learns from classes alone, and answers leave several possible; use model "
        "late_fusion, or strategies that buy labels": class_of(name) is not None,
    }
    return next((reason for reason, holds in refused.items() if holds), "")
