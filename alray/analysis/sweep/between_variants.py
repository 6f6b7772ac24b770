"""Variants against each other: each arm against the same strategy with another value of some settings, in one test."""

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from alray.analysis.sweep.along import common_range, on_common_amounts
from alray.analysis.sweep.arms import Pair, arm_curves, pair
from alray.analysis.sweep.axis import Axis
from alray.analysis.sweep.decision import decided
from alray.analysis.sweep.full_data import FullDataSplit
from alray.analysis.sweep.savings import saving_at_budget
from alray.analysis.sweep.variants import settings_in, without, without_variant
from alray.analysis.wording import Row, percentage, whole
from alray.statistics.curves import area_under_curve
from alray.statistics.paired import FEWEST_SEEDS, mean_interval

_ROUNDING = 1e-9


def between_variants(
    split: FullDataSplit,
    axis: Axis,
    metric: str,
    rng: np.random.Generator,
    names: Collection[str],
    first: str = "",
) -> list[dict[str, Any]]:
    """Return a row per arm whose variant differs from another in these settings alone.

    It is compared with the same strategy in the variant of which `first` is a part, else in the one with the study's
    own settings of these, else in the first one. All other settings of the two are equal. Two arms without an amount
    of the axis in common have a row without a difference: its `begin` is larger than its `budget`.

    Args:
        split: The records.
        axis: What the areas are over.
        metric: One of `metrics.DECIDING`; arms that have not recorded it have no row.
        rng: For the test of all rows together.
        names: Settings, as the names of variants have them.
        first: A part of a variant's name, such as `initial_selection=random`.

    Raises:
        StoreError: A run has not recorded its answers or what they cost, where these are the axis.
    """
    rows, pairs = [], {}
    for name, against in _to_compare(split, names, first):
        row = {**_identity(split, axis, name, against), "metric": metric}
        if is_apart(row):
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
    return decided(rows, pairs, metric, rng)


def is_apart(row: Mapping[Any, Any]) -> bool:
    """Whether the two arms of a row have no amount in common."""
    return bool(row["begin"] > row["budget"])


def apart_said(row: Row, axis: Axis) -> str:
    """Return why two arms cannot be compared that have no amount in common."""
    return (
        f"At {equal_amounts(axis)} {row['arm']} and {row['against']} cannot be compared: one of their runs begins at "
        f"{axis.at(row['begin'])}, and another ends at {axis.amount(row['budget'])}; more rounds would let them meet."
    )


def equal_amounts(axis: Axis) -> str:
    """Return `equal money` or `equal numbers of labels`."""
    return f"equal {'money' if axis.is_money else f'numbers of {axis.title}'}"


def where_both(row: Row, axis: Axis) -> str:
    """Return the amounts that both arms of a row have: `from 10.00 to 45.00 EUR`, or `at 45.00 EUR`."""
    if row["begin"] == row["budget"]:
        return f"at {axis.amount(row['budget'])}"
    return axis.stretch(row["begin"], row["budget"])


def saved_texts(row: Row) -> tuple[str, str]:
    """Return what is saved at the end of the curves, `12 %`, and its interval, as `wording.percentage` does.

    Two such arms differ before the first amount that is known, so what reaches to there is a lower bound: `69 % or
    more`.
    """
    value, low, high = (float(row[f"labels_saved{end}"]) for end in ("", "_low", "_high"))
    text, ends = percentage(value, low, high)
    most = 1 - row["begin"] / row["labels_saved_of"]
    if not ends or not 0 < most <= high + _ROUNDING:
        return text, ends
    if value < most - _ROUNDING:
        return text, f"({whole(100 * low)} % or more)" if math.isfinite(low) else ""
    sure = low >= most - _ROUNDING or not math.isfinite(low)
    return f"{text} or more", "" if sure else f"({whole(100 * low)} % or more)"


def _to_compare(
    split: FullDataSplit, names: Collection[str], first: str
) -> Iterator[tuple[str, str]]:
    """Yield each arm with the one that it is compared with, where both have finished a run."""
    finished = set(split.runs.loc[split.runs["status"] == "finished", "arm"])
    arms = split.runs.drop_duplicates("arm")
    keys = [without(str(variant), names) for variant in arms["variant"]]
    arms = arms.assign(key=keys, plain=arms["arm"].map(without_variant))
    for (_, key), group in arms.groupby(["plain", "key"], sort=False):
        of_group = [str(name) for name in group["arm"]]
        is_first = [first in settings_in(str(variant), names) for variant in group["variant"]]
        own = [*group.loc[is_first, "arm"], *group.loc[group["variant"] == key, "arm"], *of_group]
        against = str(own[0])
        for name in of_group:
            if name != against and {name, against} <= finished:
                yield name, against


def _identity(split: FullDataSplit, axis: Axis, name: str, against: str) -> dict[str, Any]:
    """Return what is known of two arms before they are compared."""
    runs = split.runs[split.runs["arm"].isin([name, against])]
    finished = runs[runs["status"] == "finished"]
    rounds = split.rounds[split.rounds["run_id"].isin(finished["run_id"])]
    seeds = [set(finished.loc[finished["arm"] == arm, "seed"]) for arm in (name, against)]
    paired = len(set.intersection(*seeds))
    first, other = (runs[runs["arm"] == arm].iloc[0] for arm in (name, against))
    begin, budget = common_range(rounds, axis)
    return {
        "arm": name,
        "variant": str(first["variant"]),
        "against": against,
        "against_variant": str(other["variant"]),
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
    finished = rounds["run_id"].isin(runs.loc[runs["status"] == "finished", "run_id"])
    # Along labels too: where one of them was given up before the study got more rounds, their ends differ.
    common = on_common_amounts(rounds[finished], axis)
    curves = {arm.name: arm for arm in arm_curves(common, runs)}
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
