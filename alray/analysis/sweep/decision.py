"""The test that decides about a sweep: the areas of all compared arms at once, and the seeds that it would take."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from alray.analysis.sweep.arms import RANDOM, Pair
from alray.analysis.sweep.metrics import better_sign
from alray.analysis.wording import Row
from alray.statistics.curves import area_under_curve
from alray.statistics.joint import Differences, joint_sign_flip
from alray.statistics.paired import SIGNIFICANCE
from alray.statistics.power import seeds_for_power

Rows = Sequence[dict[str, Any]]


def decided(
    rows: Rows, pairs: Mapping[str, Pair], metric: str, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Return the rows of a summary with p, the ends of the area differences' intervals, and seeds_needed.

    The interval of labels saved, which lies at the end of the curves, reaches to zero where the test shows nothing:
    it must not say of a part what is not shown of the whole. An arm with a value that is not finite has neither p nor
    an interval of the area: no value is ever dropped.
    """
    differences = {
        name: _areas(pair, metric) for name, pair in pairs.items() if metric in pair.metrics
    }
    differences = {
        name: of_seed
        for name, of_seed in differences.items()
        if np.isfinite(list(of_seed.values())).all()
    }
    names = [str(row["arm"]) for row in rows if row["arm"] in differences]
    if not names:
        return list(rows)
    matrix = _matrix([differences[name] for name in names])
    test = joint_sign_flip(matrix, rng)
    found = {
        name: {
            "p": float(test.p[i]),
            "alc_difference_low": _bounded(test.low[i]),
            "alc_difference_high": _bounded(test.high[i]),
        }
        for i, name in enumerate(names)
    }
    for name in _worth_more_seeds(rows, found, matrix, names, better_sign(metric)):
        found[name]["seeds_needed"] = _seeds_needed(matrix, names.index(name), rng)
    decided_rows = [{**row, **found.get(row["arm"], {})} for row in rows]
    for row in decided_rows:
        if "labels_saved_low" in row and not row.get("p", math.nan) < SIGNIFICANCE:
            row["labels_saved_low"] = float(np.minimum(row["labels_saved_low"], 0.0))
            row["labels_saved_high"] = float(np.maximum(row["labels_saved_high"], 0.0))
    return decided_rows


def best_row(rows: Sequence[Mapping[Any, Any]]) -> Row | None:
    """Return the compared arm with the best area that could be used: no oracle, and no other way to draw at random."""
    usable = [
        row
        for row in rows
        if not row["oracle"]
        and row["strategy"] != RANDOM
        and math.isfinite(row.get("alc_difference", math.nan))
    ]
    if not usable:
        return None
    sign = better_sign(str(usable[0]["metric"]))
    return max(usable, key=lambda row: sign * row["alc_difference"])


def _worth_more_seeds(
    rows: Rows,
    found: Mapping[str, Mapping[str, float]],
    matrix: Differences,
    names: Sequence[str],
    sign: int,
) -> list[str]:
    """Return the arm with the best area, where it is ahead without being shown to be, and the one nearest to that.

    The test compares all arms with the same greatest statistic, so the fewest seeds are needed by the arm ahead whose
    mean difference is the largest in units of its spread.
    """
    tested = [row for row in rows if row["arm"] in found]
    best = best_row(tested)
    if best is None or sign * best["alc_difference"] <= 0:
        return []
    if found[best["arm"]]["p"] < SIGNIFICANCE:
        return []
    sizes = {name: sign * _in_spreads(matrix[at]) for at, name in enumerate(names)}
    near = [row for row in tested if best_row([row]) is not None and sizes[row["arm"]] > 0]
    nearest = max(near, key=lambda row: sizes[row["arm"]], default=best)
    shown = found[nearest["arm"]]["p"] < SIGNIFICANCE
    return list(dict.fromkeys([str(best["arm"]), *[str(nearest["arm"])] * (not shown)]))


def _in_spreads(differences: "np.ndarray[Any, np.dtype[Any]]") -> float:
    """Return the mean of an arm's known differences in units of their spread; 0 where there is none."""
    known = differences[np.isfinite(differences)]
    if len(known) < 2 or np.ptp(known) == 0:
        return 0.0
    return float(known.mean() / known.std())


def _areas(pair: Pair, metric: str) -> dict[int, float]:
    """Return seed: the area of the arm minus that of the reference."""
    areas = area_under_curve(pair.labels, pair.differences(metric))
    return dict(zip(pair.seeds, areas.tolist(), strict=True))


def _matrix(differences: Sequence[Mapping[int, float]]) -> Differences:
    """Return (arm, seed) over all seeds that any arm has; NaN where an arm lacks one."""
    seeds = sorted(set().union(*differences))
    return np.array([[of_seed.get(seed, math.nan) for seed in seeds] for of_seed in differences])


def _bounded(end: float) -> float:
    return float(end) if math.isfinite(end) else math.nan


def _seeds_needed(differences: Differences, arm: int, rng: np.random.Generator) -> float:
    """Return the seeds that would show the arm's difference, inf beyond the most tried; NaN where that is unknown."""
    common = differences[:, np.isfinite(differences).all(axis=0)]
    if common.shape[1] < 2 or np.ptp(common[arm]) == 0:
        return math.nan
    return float(seeds_for_power(common, arm, rng) or math.inf)
