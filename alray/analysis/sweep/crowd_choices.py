"""Which settings of a crowd pay: each variant's arms against the same strategy with the study's own, at equal cost."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from alray.analysis.sweep.along import paid_axis, usual_axis
from alray.analysis.sweep.arms import RANDOM
from alray.analysis.sweep.axis import Axis, axis_of
from alray.analysis.sweep.between_variants import (
    apart_said,
    between_variants,
    equal_amounts,
    is_apart,
    where_both,
)
from alray.analysis.sweep.findings import whole_curve
from alray.analysis.sweep.full_data import FullDataSplit, finished_split
from alray.analysis.sweep.saving_words import amount_saved, saving
from alray.analysis.sweep.variants import CROWD_CHOICES, without_variant
from alray.analysis.wording import Row
from alray.seeding import generator

CROWD_CHOICE_COLUMNS: Mapping[str, str] = {
    "arm": "arm of a variant with other settings of the crowd that a team can choose, such as answers",
    "against": "the same strategy with the study's own settings of these, or with the first where these were not run; "
    "variants whose assessors differ are not compared",
    "strategy": "the strategy of both",
    "metric": "the metric",
    "axis": "what curves run along: cost (money), or answers",
    "begin": "from where both curves are known",
    "budget": "up to where both are; below begin where one of them begins beyond the end of the other: with nothing in "
    "common they are not compared",
    "paired_seeds": "seeds finished by both",
    "alc_difference": "area under the learning curve minus the other's, between these two, mean over paired seeds",
    "alc_difference_low": "lower end of its 95 % interval, which holds for all rows together; null with fewer than six "
    "paired seeds",
    "alc_difference_high": "upper end",
    "p": "two-sided p of the area differences, corrected for all rows: the joint sign flip",
    "labels_saved": "1 - answers or money that the arm needs / what the other needs, at the end of the curves; at most "
    "what the beginning leaves, where the arm begins above the target; null where begin is the budget",
    "labels_saved_low": "lower end of its 95 % interval, which holds for all rows together, and reaches to zero where "
    "p shows no difference",
    "labels_saved_high": "upper end",
    "labels_saved_of": "answers or money that the other needs for it",
    "oracle": "the strategy sees true labels",
    "exploratory": "fewer than six paired seeds",
}
"""Columns of `findings/crowd_choices.csv`, in order, each with what it holds."""


def crowd_choices(
    split: FullDataSplit, axis: Axis, metric: str, rng: np.random.Generator
) -> pd.DataFrame:
    """Return a row per arm whose variant differs from another in what a team can choose of its crowd.

    Along labels more answers an object would be no better for being paid for: arms are compared by what they pay then.
    There is no row where that is not on record. Two arms without an amount in common have a row that says so.
    """
    if axis.name == "labels":
        paid = paid_axis(split.rounds)
        axis = axis if paid is None else Axis(paid, axis.currency)
    known = axis.name != "labels"
    rows = between_variants(split, axis, metric, rng, CROWD_CHOICES) if known else []
    return pd.DataFrame(rows, columns=list(CROWD_CHOICE_COLUMNS))


def choices_of(rounds: pd.DataFrame, runs: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return `crowd_choices` of a study's records, by accuracy along the usual axis; `seed` is the study's."""
    split = finished_split(rounds, runs)
    rng = generator(seed, 0, "bootstrap")
    return crowd_choices(split, Axis(usual_axis(split.rounds)), "accuracy", rng)


def choices_said(choices: pd.DataFrame, currency: str = "") -> list[str]:
    """Return sentences on whether other settings of the crowd pay, for random choice where that was run."""
    rows: Sequence[Row] = choices.to_dict("records")
    # Not of an arm whose network is trained as a strategy's is: it is there for that strategy alone.
    of_random = [row for row in rows if without_variant(str(row["arm"])) == RANDOM]
    return [_said(row, currency) for row in of_random or rows if row["paired_seeds"]]


def _said(row: Row, currency: str) -> str:
    against, axis = str(row["against"]), axis_of(row, currency)
    if is_apart(row):
        return apart_said(row, axis)
    verdict = whole_curve(row, against)
    text = f"At {equal_amounts(axis)}, {where_both(row, axis)}, {row['arm']} is {verdict.text}"
    if verdict.kind == "open" or math.isnan(row["labels_saved"]):
        return f"{text}."
    saved = saving(row, against, shown=True)
    return f"{text}: it {saved}{amount_saved(row, (None, currency))}."
