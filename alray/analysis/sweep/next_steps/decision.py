"""What a sweep has decided: which arm to choose, that random is as good, or how many seeds may decide."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from alray.analysis.sweep.arms import RANDOM, ArmCurves
from alray.analysis.sweep.decision import best_row
from alray.analysis.sweep.findings import whole_curve
from alray.analysis.sweep.metrics import better_sign
from alray.analysis.sweep.picking import above_random, picked_row, shown_better, usable_rows
from alray.analysis.wording import Row
from alray.statistics.curves import Curve, Labels
from alray.statistics.paired import FEWEST_SEEDS, SIGNIFICANCE

MOST_TIMES = 4
"""More seeds make sense if they are at most so many times as many."""

MORE = 1.25
"""At least so many times as many seeds are proposed: a study that has just failed to show something needs more."""

MATTERS = 0.05
"""A gain that is smaller than what this share of the labels is worth does not matter."""

Outcome = Literal[
    "better", "elsewhere", "worse", "little", "unpromising", "too few", "open", "none"
]


@dataclass(frozen=True)
class Decided:
    """What a sweep has decided.

    Attributes:
        outcome: better: `row` is shown to be better; elsewhere: so it is, but `other`, a random arm that it is not
            compared with, has the larger area; worse: all arms are shown to be worse; little: no arm can gain what
            matters; unpromising: nothing is shown, and more seeds make no sense; too few: seeds can show nothing;
            open: more seeds may show that `row` is better; none: nothing can be compared.
        row: The arm that this is about; None of none.
        other: See `outcome`.
        seeds: Of too few and open: paired seeds that may decide.
        most: The largest gain in area that the intervals of all arms leave open; NaN where they have no ends.
        matters: The gain in area that matters; NaN where unknown.
    """

    outcome: Outcome
    row: Row | None = None
    other: Row | None = None
    seeds: int = 0
    most: float = math.nan
    matters: float = math.nan


def decide(
    rows: Sequence[Row], curves: Mapping[str, ArmCurves], reference: str = RANDOM
) -> Decided:
    """Return what the rows of a summary decide, given the curves of the arms by name."""
    best = best_row(usable_rows(rows))
    if best is None:
        return Decided("none")
    if better := shown_better(rows, reference):
        picked = picked_row(rows, reference)
        if picked is None:
            return Decided("elsewhere", better[0], above_random(better[0], rows))
        return Decided("better", picked)
    if best["paired_seeds"] < FEWEST_SEEDS:
        return Decided("too few", best, seeds=_first_number(best))
    return _without_a_better_arm(best, usable_rows(rows), curves, reference)


def _without_a_better_arm(
    best: Row, usable: Sequence[Row], curves: Mapping[str, ArmCurves], reference: str
) -> Decided:
    """Return what is decided where there are seeds enough, and no arm is shown to be better."""
    if all(whole_curve(row, reference).kind == "worse" for row in usable):
        return Decided("worse", best)
    sign = better_sign(str(best["metric"]))
    end = "alc_difference_high" if sign > 0 else "alc_difference_low"
    most = max((sign * float(row[end]) for row in usable), default=math.nan)
    if any(math.isnan(row[end]) for row in usable):
        most = math.nan
    matters = _that_matters(curves.get(str(best.get("against"))), str(best["metric"]))
    if most < matters:
        return Decided("little", best, most=most, matters=matters)
    nearest = _nearest(usable)
    if nearest is not None:
        return Decided("open", nearest, seeds=_more(nearest), most=most, matters=matters)
    return Decided("unpromising", best, most=most, matters=matters)


def gain_of_fewer_labels(labels: Labels, curve: Curve, share: float = MATTERS) -> float:
    """Return the area that a curve gains if each of its values comes with a share fewer labels; NaN if unknown.

    It is the mean, over label counts n up to the last one that can be compared, of the curve at n / (1 - share) minus
    the curve at n, by straight lines.
    """
    first, last = float(labels[0]), float(labels[-1]) * (1 - share)
    if first <= 0 or last <= first or not np.isfinite(curve).all():
        return math.nan
    at = np.linspace(first, last, 200)
    gained = np.interp(at / (1 - share), labels, curve) - np.interp(at, labels, curve)
    return abs(float(gained.mean()))


def _that_matters(reference: ArmCurves | None, metric: str) -> float:
    if reference is None or not reference.seeds or metric not in reference.curves:
        return math.nan
    return gain_of_fewer_labels(reference.labels, reference.curves[metric].mean(axis=0))


def _nearest(rows: Sequence[Row]) -> Row | None:
    """Return the arm of which the fewest seeds may show that it is ahead, if so many make sense."""
    sensible = [
        row
        for row in rows
        if row["seeds_needed"] <= MOST_TIMES * row["paired_seeds"] and not row["p"] < SIGNIFICANCE
    ]
    return min(sensible, key=lambda row: float(row["seeds_needed"]), default=None)


def _more(row: Row) -> int:
    return int(max(math.ceil(row["seeds_needed"]), math.ceil(MORE * row["paired_seeds"])))


def _first_number(row: Row) -> int:
    """Return the seeds for a study that has too few to show anything: what few seeds say of many is little."""
    needed = float(row["seeds_needed"])
    sensible = FEWEST_SEEDS < needed <= MOST_TIMES * FEWEST_SEEDS
    return math.ceil(needed) if sensible else FEWEST_SEEDS
