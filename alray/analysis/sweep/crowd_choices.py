"""Which settings of a crowd pay: each variant's arms against the same strategy with the study's own, at equal cost."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from alray.analysis.sweep.along import along, common_range, paid_axis, usual_axis
from alray.analysis.sweep.arms import RANDOM, Pair, arm_curves, pair
from alray.analysis.sweep.axis import Axis, axis_of
from alray.analysis.sweep.decision import decided
from alray.analysis.sweep.findings import whole_curve
from alray.analysis.sweep.full_data import FullDataSplit, split_full_data
from alray.analysis.sweep.saving_words import amount_saved, saving
from alray.analysis.sweep.savings import saving_at_budget
from alray.analysis.sweep.variants import CROWD_CHOICES, without, without_variant
from alray.analysis.wording import Row
from alray.seeding import generator
from alray.statistics.curves import area_under_curve
from alray.statistics.paired import FEWEST_SEEDS, mean_interval

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
    rows, pairs = [], {}
    for name, against in () if axis.name == "labels" else _to_compare(split):
        row = {**_identity(split, axis, name, against), "metric": metric}
        if row["begin"] > row["budget"]:
            rows.append(row)
            continue
        each = _pair(split, axis, name, against)
        if metric in each.metrics:
            rows.append(row)
            pairs[name] = each
    rows = [
        {**row, **_compared(pairs[row["arm"]], metric, len(pairs))} if row["arm"] in pairs else row
        for row in rows
    ]
    rows = decided(rows, pairs, metric, rng)
    return pd.DataFrame(rows, columns=list(CROWD_CHOICE_COLUMNS))


def choices_of(rounds: pd.DataFrame, runs: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return `crowd_choices` of a study's records, by accuracy along the usual axis; `seed` is the study's."""
    finished = rounds["run_id"].isin(runs.loc[runs["status"] == "finished", "run_id"])
    split = split_full_data(rounds[finished], runs)
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
    equal = f"equal {'money' if axis.is_money else 'numbers of answers'}"
    if row["begin"] > row["budget"]:
        return (
            f"At {equal} {row['arm']} and {against} cannot be compared: one of their runs begins at "
            f"{axis.at(row['begin'])}, and another ends at {axis.amount(row['budget'])}; more rounds would let them "
            "meet."
        )
    verdict = whole_curve(row, against)
    text = f"At {equal}, {where_both(row, axis)}, {row['arm']} is {verdict.text}"
    if verdict.kind == "open" or math.isnan(row["labels_saved"]):
        return f"{text}."
    saved = saving(row, against, shown=True)
    return f"{text}: it {saved}{amount_saved(row, (None, currency))}."


def where_both(row: Row, axis: Axis) -> str:
    """Return the amounts that both arms of a row have: `from 10.00 to 45.00 EUR`, or `at 45.00 EUR`."""
    if row["begin"] == row["budget"]:
        return f"at {axis.amount(row['budget'])}"
    return axis.stretch(row["begin"], row["budget"])


def _to_compare(split: FullDataSplit) -> Iterator[tuple[str, str]]:
    """Yield each arm with the one that it is compared with, where both have finished a run."""
    finished = set(split.runs.loc[split.runs["status"] == "finished", "arm"])
    arms = split.runs.drop_duplicates("arm")
    keys = [without(str(variant), CROWD_CHOICES) for variant in arms["variant"]]
    arms = arms.assign(key=keys, plain=arms["arm"].map(without_variant))
    for (_, key), group in arms.groupby(["plain", "key"], sort=False):
        names = [str(name) for name in group["arm"]]
        own = group.loc[group["variant"] == key, "arm"]
        against = str(own.iloc[0]) if len(own) else names[0]
        for name in names:
            if name != against and {name, against} <= finished:
                yield name, against


def _identity(split: FullDataSplit, axis: Axis, name: str, against: str) -> dict[str, Any]:
    """Return what is known of two arms before they are compared."""
    runs = split.runs[split.runs["arm"].isin([name, against])]
    finished = runs[runs["status"] == "finished"]
    rounds = split.rounds[split.rounds["run_id"].isin(finished["run_id"])]
    seeds = [set(finished.loc[finished["arm"] == arm, "seed"]) for arm in (name, against)]
    paired = len(set.intersection(*seeds))
    first = runs[runs["arm"] == name].iloc[0]
    begin, budget = common_range(rounds, axis)
    return {
        "arm": name,
        "against": against,
        "strategy": str(first["strategy"]),
        "oracle": bool(first["oracle"]),
        "axis": axis.name,
        "begin": begin,
        "budget": budget,
        "paired_seeds": paired,
        "exploratory": paired < FEWEST_SEEDS,
    }


def _pair(split: FullDataSplit, axis: Axis, name: str, against: str) -> Pair:
    """Return two arms at common amounts."""
    runs, rounds = (
        frame[frame["arm"].isin([name, against])].assign(variant="")
        for frame in (split.runs, split.rounds)
    )
    curves = {arm.name: arm for arm in arm_curves(along(rounds, runs, axis).rounds, runs)}
    return pair(curves[name], curves[against])


def _compared(each: Pair, metric: str, comparisons: int) -> dict[str, Any]:
    """Return the area's difference and, unless the two have a single amount in common, what is saved."""
    areas = area_under_curve(each.labels, each.differences(metric))
    found = {"alc_difference": mean_interval(areas).estimate}
    saved = saving_at_budget(each, metric, comparisons)
    if saved is None or len(each.labels) == 1:
        return found
    return {
        **found,
        **saved.saving.columns("labels_saved"),
        "labels_saved_of": saved.random_labels,
    }
