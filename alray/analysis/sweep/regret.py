"""What it costs to have picked the arm that looked best: two columns of the summary, and a sentence."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from alray.analysis.sweep.arms import RANDOM, ArmCurves
from alray.analysis.sweep.metrics import better_sign, metric_title
from alray.analysis.wording import Row, share
from alray.statistics.curves import area_under_curve
from alray.statistics.regret import regret_of_choosing

SMALL = 0.001
"""A smaller loss is not written in digits."""


def with_regret(
    rows: Sequence[dict[str, Any]],
    arms: Mapping[str, ArmCurves],
    metric: str,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """Return the rows of a summary, with `regret` and `regret_seeds` in that of the best arm of each variant.

    Arms are compared on the seeds that all of them have finished; where these are fewer than three, or a value is
    missing, no row gets it.
    """
    found: dict[str, dict[str, float]] = {}
    draws = int(rng.integers(2**63))
    for variant in dict.fromkeys(row["variant"] for row in rows):
        names = [str(row["arm"]) for row in rows if row["variant"] == variant and _could_be(row)]
        compared = [arms[name] for name in names if metric in arms[name].curves]
        common = set.intersection(*(set(arm.seeds) for arm in compared)) if compared else set()
        if not common:
            continue
        areas = np.stack([_areas(arm, metric, sorted(common)) for arm in compared])
        lost = regret_of_choosing(better_sign(metric) * areas, np.random.default_rng(draws))
        if lost is not None:
            columns = {"regret": lost.expected, "regret_seeds": float(len(common))}
            found[compared[lost.picked].name] = columns
    return [{**row, **found.get(str(row["arm"]), {})} for row in rows]


def regret_said(rows: Sequence[Row]) -> list[str]:
    """Return a sentence on the best arm of the first variant of a summary; nothing where it is not known."""
    # Summaries of an older alray do not have it.
    picked = [row for row in rows if not math.isnan(row.get("regret", math.nan))]
    if not picked:
        return []
    row = picked[0]
    lost, metric = regret_text(row["regret"]), metric_title(str(row["metric"]))
    return [
        f"Picking {row['arm']} because it looked best of {picked_among(row, rows)} arms{_over(row, rows)} loses {lost} "
        f"of {metric} on average (area) against the arm that is truly best."
    ]


def _over(row: Row, rows: Sequence[Row]) -> str:
    """Return over which seeds an arm looked best; nothing where an older alray did not write how many they are."""
    seeds = row.get("regret_seeds", math.nan)
    if math.isnan(seeds):
        return ""
    differ = any(other["seeds"] > seeds for other in _picked_from(row, rows))
    common = " that all of them have" if differ else ""
    return f", over {seeds:.0f} seeds{common},"


def picked_among(row: Row, rows: Sequence[Row]) -> int:
    """Return how many arms of its variant an arm was picked among."""
    return len(_picked_from(row, rows))


def _picked_from(row: Row, rows: Sequence[Row]) -> list[Row]:
    return [other for other in rows if other["variant"] == row["variant"] and _could_be(other)]


def regret_text(regret: float) -> str:
    """Return a loss as `.004`, or `less than .001`."""
    return share(regret) if regret >= SMALL else f"less than {share(SMALL)}"


def _could_be(row: Mapping[Any, Any]) -> bool:
    """Whether an arm could be picked: no oracle, and no further way to draw at random."""
    against = row.get("against")
    another = row["strategy"] == RANDOM and isinstance(against, str) and bool(against)
    return bool(row["seeds"]) and not row["oracle"] and not another


def _areas(arm: ArmCurves, metric: str, seeds: Sequence[int]) -> "np.ndarray[Any, np.dtype[Any]]":
    of_seeds = arm.curves[metric][np.isin(arm.seeds, seeds)]
    return area_under_curve(arm.labels, of_seeds)
