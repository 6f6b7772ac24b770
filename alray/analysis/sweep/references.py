"""Which arm each arm is compared with, in words, where that is not the same for all of a variant."""

from collections.abc import Sequence

import pandas as pd

from alray.analysis.sweep.arms import RANDOM, arm_label, recorded_references
from alray.analysis.sweep.full_data import fill_full_data
from alray.analysis.sweep.variants import without_variant
from alray.analysis.wording import Row, is_or_are, joined
from alray.settings.questions import PASSIVE

LEARNING_LOSS = "learning_loss"
"""The built-in strategy that trains the network too."""


def compared_with(row: Row, reference: str) -> str:
    """Return the arm that the arm of a summary's row is compared with; `reference` where none is recorded."""
    against = row.get("against")
    return against if isinstance(against, str) and against else reference


def own_reference(rows: Sequence[Row], reference: str) -> str:
    """Return what some of these arms are compared with in the place of the reference arm of their variant.

    "" where there is no such arm, `what it is compared with` where they are several.
    """
    names = {compared_with(row, reference) for row in rows}
    if all(without_variant(name) == without_variant(reference) for name in names):
        return ""
    return names.pop() if len(names) == 1 else "what it is compared with"


def reference_title(rows: Sequence[Row]) -> str:
    """Return what the arms are compared with, as a heading has it: `its reference` where it is not the same for all."""
    names = {without_variant(compared_with(row, "")) for row in rows} - {""} or {RANDOM}
    return names.pop() if len(names) == 1 else "its reference"


def references_said(rows: Sequence[Row]) -> list[str]:
    """Return a sentence for each arm that others are compared with in the place of random.

    It is one that asks yes/no questions about random objects, or a random arm that has been added because a strategy
    trains the network too. The latter is compared with another arm itself.
    """
    against = {str(row["arm"]): row.get("against") for row in rows}
    sentences = []
    for control, other in against.items():
        named = [arm for arm, reference in against.items() if reference == control]
        if named and without_variant(control) == PASSIVE:
            sentences.append(_of_questions(named, control, other))
        elif named and isinstance(other, str):
            sentences.append(
                f"{joined(named)} {is_or_are(len(named))} compared with {control}, which trains the network in the "
                "same way, so that the choice of objects alone differs. What that training alone does is the "
                f"difference of {control} to {other}."
            )
    return sentences


def _of_questions(named: Sequence[str], control: str, other: object) -> str:
    beside = (
        f" What yes/no answers are worth beside labels is the difference of {control} to {other}."
        if isinstance(other, str) and other
        else ""
    )
    return (
        f"{joined(named)} {is_or_are(len(named))} compared with {control}, which asks about random objects by halves, "
        f"so that what is asked alone differs.{beside}"
    )


def unmatched_references(runs: pd.DataFrame) -> list[str]:
    """Return a sentence where an arm that trains the network too is compared with plain random, as in older studies."""
    compared = fill_full_data(runs)
    compared = compared[~compared["full_data"]]
    known = recorded_references(compared)
    strategies = compared["strategy"].astype(str).str.partition(":")[0]
    arms = compared.loc[strategies == LEARNING_LOSS].drop_duplicates("arm")
    present = frozenset(compared["arm"])
    names = [
        str(row["arm"])
        for row in arms.to_dict("records")
        if row["arm"] not in known and arm_label(RANDOM, str(row["variant"])) in present
    ]
    if not names:
        return []
    return [
        f"{joined(names)} {is_or_are(len(names))} compared with random choice by a network that is trained without the "
        "loss predictor, so the difference mixes the choice of objects with the training: the command that made this "
        "study adds the random arm that is missing."
    ]
