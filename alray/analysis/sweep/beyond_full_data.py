"""Whether an arm is better than the model that has learnt from all labels, at some budget, and where it is best."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from alray.analysis.sweep.arms import ArmCurves
from alray.analysis.sweep.axis import axis_of
from alray.analysis.sweep.full_data import BY_TRUE_LABELS
from alray.analysis.sweep.metrics import better_sign, metric_title
from alray.analysis.wording import Row, interval, signed
from alray.statistics.bands import simultaneous_half_widths
from alray.statistics.curves import Curves
from alray.statistics.paired import FEWEST_SEEDS

NAME = "full_data_gain"


def beyond_full_data(
    arms: Sequence[ArmCurves], full: pd.DataFrame, metric: str, rng: np.random.Generator
) -> dict[str, dict[str, float]]:
    """Return arm: its best budget, and what it gains there over full data, with the ends of a band.

    The best of many budgets looks better than it is, so an interval at that budget alone would call it better too
    often. The band is for the whole curves of all arms at once (`simultaneous_half_widths`): it holds wherever one
    looks. The best budget is where the band lies highest. The ends are NaN with fewer than six paired seeds.

    Args:
        arms: The arms' curves.
        full: A row per finished run on full data: variant, seed and the metric.
        metric: What counts.
        rng: For the band.
    """
    found = {
        arm.name: paired
        for arm in arms
        if metric in arm.curves and (paired := _differences(arm, full, metric)) is not None
    }
    sign = better_sign(metric)
    halves = simultaneous_half_widths(
        [sign * values for values, _ in found.values()],
        [seeds for _, seeds in found.values()],
        rng,
    )
    labels = {arm.name: arm.labels for arm in arms}
    rows: dict[str, dict[str, float]] = {}
    for (name, (values, seeds)), half in zip(found.items(), halves, strict=True):
        gains = sign * values.mean(axis=0)
        lows = gains - half
        known = lows if np.isfinite(lows).any() else gains
        if not np.isfinite(known).any():
            continue
        at = int(np.nanargmax(known))
        few = len(seeds) < FEWEST_SEEDS
        ends = (math.nan, math.nan) if few else (lows[at], gains[at] + half[at])
        low, high = sorted(sign * end for end in ends)
        rows[name] = {
            "full_data_best": float(labels[name][at]),
            NAME: float(sign * gains[at]),
            f"{NAME}_low": float(low),
            f"{NAME}_high": float(high),
        }
    return rows


def beyond_said(rows: Sequence[Row], currency: str = "", *, by_crowd: bool = False) -> list[str]:
    """Return sentences on the arms that are shown to be better than full data; nothing where none is.

    Args:
        rows: Of the summary.
        currency: Of costs.
        by_crowd: Whether a crowd answers the arms, which full data does not ask.
    """
    shown = [row for row in rows if _is_shown(row)]
    if not shown:
        return []
    parts = [_gain(row, currency) for row in shown]
    title = metric_title(str(shown[0]["metric"]))
    sentences = [
        f"Better in {title} than the same network fitted once on all labels: {'; '.join(parts)} (band for the whole "
        "curves of all arms, so that picking the best budget does not flatter)."
    ]
    if by_crowd:
        sentences.append(f"Full data: {BY_TRUE_LABELS}.")
    if any(row["strategy"] == "random" for row in shown):
        sentences.append(
            "Random choice is among them, so it is not the choice of objects alone that gains: fits that go on round "
            "by round may be better than one fit."
        )
    return sentences


def _gain(row: Row, currency: str) -> str:
    arm = f"{row['arm']} (oracle)" if row["oracle"] else str(row["arm"])
    budget = axis_of(row, currency).amount(row["full_data_best"])
    return f"{arm} with {budget} by {signed(row[NAME])} {interval(row[f'{NAME}_low'], row[f'{NAME}_high'])}"


def _is_shown(row: Row) -> bool:
    end = "low" if better_sign(str(row["metric"])) > 0 else "high"
    value = better_sign(str(row["metric"])) * row.get(f"{NAME}_{end}", math.nan)
    return bool(value > 0)


def _differences(
    arm: ArmCurves, full: pd.DataFrame, metric: str
) -> tuple[Curves, tuple[int, ...]] | None:
    """Return (seed, point) the arm's curves minus what full data reaches with the same seed, and the seeds."""
    if metric not in full:
        return None
    of_variant = full[full["variant"] == arm.variant]
    reached: Mapping[Any, float] = dict(zip(of_variant["seed"], of_variant[metric], strict=True))
    seeds = tuple(seed for seed in arm.seeds if math.isfinite(reached.get(seed, math.nan)))
    if len(seeds) < 2:
        return None
    rows = arm.curves[metric][np.isin(arm.seeds, seeds)]
    return rows - np.array([reached[seed] for seed in seeds])[:, None], seeds
