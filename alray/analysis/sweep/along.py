"""A sweep's rounds along labels, answers or money: at amounts that all curves of a variant have."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from alray.analysis.sweep.arms import METRICS
from alray.analysis.sweep.axis import LABELS, Axis, AxisName
from alray.analysis.sweep.common_labels import on_common_labels
from alray.analysis.sweep.metrics import evaluated
from alray.errors import StoreError

SPENT = ("answers", "cost")
"""Columns of `rounds` that say what has been bought so far, where that is more than labels."""

KNOWN = "known_labels"
"""Labels known, where `labels` holds another amount."""

MOST_POINTS = 200
"""Points of curves that were brought to common ones: each seed pays other amounts, thousands in all."""

ALIKE = 0.01
"""Runs pay the same for a label where the dearest one is no more than this share above the cheapest."""

_DIGITS = 9


@dataclass(frozen=True, eq=False)
class Along:
    """Rounds of finished runs along an axis.

    Attributes:
        axis: The axis.
        rounds: A row per run and point, whose `labels` are amounts of the axis.
    """

    axis: Axis
    rounds: pd.DataFrame


def along(rounds: pd.DataFrame, runs: pd.DataFrame, axis: Axis | None = None) -> Along:
    """Return the rounds of finished runs along an axis, None for the usual one.

    Along labels they stay as they are, unless a crowd is asked again about some objects, so that runs differ in their
    label counts.

    Args:
        rounds: A row per run and round, without runs on full data.
        runs: A row per run.
        axis: The axis.

    Raises:
        StoreError: A run has not recorded its answers or what they cost, or curves have no amount in common.
    """
    finished = rounds[rounds["run_id"].isin(runs.loc[runs["status"] == "finished", "run_id"])]
    axis = axis or Axis(usual_axis(finished))
    if axis == LABELS and not differ_in_labels(finished):
        return Along(axis, finished)
    return Along(axis, on_common_amounts(finished, axis))


def usual_axis(rounds: pd.DataFrame) -> AxisName:
    """Return the axis along which arms are compared unless another is asked for.

    Labels, where all runs pay the same for one; else what they pay: money, or answers where these are free. Labels too,
    where along these some run begins beyond the end of another of its variant.

    Args:
        rounds: A row per finished run and round, without runs on full data.
    """
    paid = paid_axis(rounds)
    if paid is None or _alike(unit_prices(rounds, paid)) or apart(rounds, Axis(paid)):
        return "labels"
    return paid


def paid_axis(rounds: pd.DataFrame) -> AxisName | None:
    """Return what runs pay: money, or answers where these are free; None where that is not known of all runs."""
    names: tuple[AxisName, ...] = ("cost", "answers")
    for name in names:
        each = unit_prices(rounds, name)
        if len(each) and each.max() > 0:
            return name
    return None


def apart(rounds: pd.DataFrame, axis: Axis) -> bool:
    """Whether, along an axis, some run begins beyond the end of another of its variant.

    Raises:
        StoreError: A run has not recorded its answers or what they cost.
    """
    by_variant = ranges(rounds, axis).groupby("variant")
    return bool((by_variant["begin"].max() > by_variant["end"].min()).any())


def unit_price(rounds: pd.DataFrame, axis: AxisName) -> float | None:
    """Return what a label, or an answer, costs by the records; None where runs differ in that, or there is no price."""
    each = unit_prices(rounds, "cost", axis)
    if axis == "cost" or not len(each) or not each.max() > 0 or not _alike(each):
        return None
    # Means of equal numbers differ from them in the last digit.
    return float(f"{each.mean():.6g}")


def unit_prices(rounds: pd.DataFrame, spent: str, unit: str = "labels") -> npt.NDArray[np.float64]:
    """Return what each run has spent for a unit by its end; nothing where that is not known of all runs."""
    if not {spent, unit} <= {*rounds.columns} or rounds.empty:
        return np.empty(0)
    last = rounds.sort_values(["run_id", "round"]).drop_duplicates("run_id", keep="last")
    if "full_data" in last:
        last = last[~last["full_data"].astype(bool)]
    with np.errstate(divide="ignore", invalid="ignore"):
        each = last[spent].to_numpy(float) / last[unit].to_numpy(float)
    return each if np.isfinite(each).all() else np.empty(0)


def _alike(each: npt.NDArray[np.float64]) -> bool:
    return bool(each.max() <= (1 + ALIKE) * each.min())


def differ_in_labels(rounds: pd.DataFrame) -> bool:
    """Whether runs of a variant differ in their label counts, or have one twice, because of what a crowd is asked."""
    if not _is_recorded(rounds, "cost"):
        return False
    records = evaluated(rounds)
    if records.duplicated(["run_id", "labels"]).any():
        return True
    counts = records.groupby(["variant", "run_id"])["labels"].agg(frozenset)
    return bool((counts.groupby("variant").nunique() > 1).any())


def _is_recorded(rounds: pd.DataFrame, name: str) -> bool:
    return name in rounds and bool(rounds[name].notna().any())


def on_common_amounts(rounds: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """Return rounds of finished runs at amounts of the axis, their `labels`, that all runs of a variant have.

    Raises:
        StoreError: A run has not recorded its answers or what they cost, or curves have no amount in common.
    """
    records = evaluated(rounds)
    amounts = _amounts(records, axis)
    table = records.rename(columns={"labels": KNOWN}).assign(labels=amounts)
    interpolated = [KNOWN, *(name for name in (*SPENT, *METRICS) if name in table)]
    # In a round that buys nothing a run learns on: its last one counts.
    table = table.sort_values(["run_id", "round"]).drop_duplicates(
        ["run_id", "labels"], keep="last"
    )
    columns = ["run_id", "arm", "variant", "seed", "labels", *interpolated]
    try:
        common, _ = on_common_labels(table[columns], interpolated, MOST_POINTS, axis.amount)
    except ValueError as error:
        # Along labels already, another axis is no way out.
        way = "" if axis == LABELS else "along labels (--x labels), or "
        raise StoreError(
            f"{error}: there is no amount at which both are known; compare {way}with more rounds"
        ) from None
    return common


def common_range(rounds: pd.DataFrame, axis: Axis) -> tuple[float, float]:
    """Return from which amount of an axis all of these runs are known, and up to which.

    The first is the larger one where some run begins beyond the end of another: then they have none in common.

    Raises:
        StoreError: A run has not recorded its answers or what they cost.
    """
    own = ranges(rounds, axis)
    return float(own["begin"].max()), float(own["end"].min())


def ranges(rounds: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """Return a row per run: arm, variant, and from which amount of an axis it is known (begin), up to which (end).

    Raises:
        StoreError: A run has not recorded its answers or what they cost.
    """
    records = evaluated(rounds)
    runs = records.assign(amount=_amounts(records, axis)).groupby("run_id", sort=False)
    return runs.agg(
        arm=("arm", "first"),
        variant=("variant", "first"),
        begin=("amount", "min"),
        end=("amount", "max"),
    )


def _amounts(records: pd.DataFrame, axis: Axis) -> npt.NDArray[np.float64]:
    """Return each row's amount of the axis, so rounded that what is equal but for the last bits becomes equal."""
    unknown = records
    if axis.name in records:
        unknown = records[records[axis.name].isna()]
    if len(unknown):
        raise StoreError(
            f"arm {unknown['arm'].iloc[0]!r}, seed {unknown['seed'].iloc[0]}, has no record of "
            f"{'its answers' if axis.name == 'answers' else 'what was paid'}"
        )
    values = records[axis.name].to_numpy(float)
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0:
        return values
    return np.asarray(np.round(values, _DIGITS - math.ceil(math.log10(largest))))


def at_the_end(rounds: pd.DataFrame, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return arm: means over runs of these columns at the last point of each run; NaN where not recorded."""
    last = rounds.sort_values(["run_id", "labels"]).drop_duplicates("run_id", keep="last")
    by_arm = last.reindex(columns=["arm", *names]).groupby("arm")
    return {
        str(arm): {name: float(of_arm[name].astype(float).mean()) for name in names}
        for arm, of_arm in by_arm
    }
