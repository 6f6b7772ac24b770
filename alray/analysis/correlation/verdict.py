"""The verdict on a row of a correlation study's summary: decided, then put into words."""

import math

import pandas as pd

from alray.analysis.wording import EffectKind, Row, Verdict, count, effect_verdict
from alray.statistics.paired import SIGNIFICANCE, excludes_zero
from alray.statistics.reliability import RELIABLE


def decide(row: Row) -> tuple[EffectKind, float]:
    """Return the kind of a row's verdict, and the bound of "no effect" (NaN for the others).

    Inconclusive where the outcome's reliability lies below `RELIABLE`, where there is no interval or no p, and where
    rho and uplift contradict each other: one is shown to differ from zero and the other is not (three bases have wide
    intervals: a rho beyond doubt with an uplift around zero is no proof that there is no effect), or the two point
    different ways. "No effect" is one "larger than" the farther end of the uplift's interval.
    """
    low, high = float(row["uplift_low"]), float(row["uplift_high"])
    if not row["icc"] >= RELIABLE or math.isnan(low + high + row["p_max"]):
        return "inconclusive", math.nan
    has_uplift, has_rho = excludes_zero(low, high), row["p_max"] < SIGNIFICANCE
    if not has_uplift and not has_rho:
        return "no effect", max(-low, high)
    towards_queried = row["rho"] if row["queried"] == "large" else -row["rho"]
    if has_uplift and has_rho and (towards_queried > 0) == (low > 0):
        return ("helps" if low > 0 else "hurts"), math.nan
    return "inconclusive", math.nan


def verdict_of(row: Row) -> Verdict:
    """Return the verdict that a row of the summary holds, with its bound, or the reason why nothing is concluded."""
    if row["verdict"] == "inconclusive":
        return effect_verdict("inconclusive", reason=_reason(row), seeds=_seeds_needed(row))
    return effect_verdict(row["verdict"], bound=float(row["bound"]))


def _reason(row: Row) -> str:
    """Return the first condition of a verdict that is not met."""
    seeds = _seeds_needed(row)
    needed = f"{count(seeds, 'seed')} needed" if seeds else "no number of seeds can be named"
    reasons = (
        (math.isnan(row["icc"]), "the reliability of the outcome is not known"),
        (row["icc"] < RELIABLE, f"the outcome is too noisy ({needed})"),
        (math.isnan(row["uplift_low"]), "there is no interval"),
        (math.isnan(row["p_max"]), "there is no rank correlation"),
        (
            row["p_max"] >= SIGNIFICANCE,
            "the queried tenth differs, but scores are not shown to rank the groups",
        ),
        (
            not excludes_zero(row["uplift_low"], row["uplift_high"]),
            "scores rank the groups, but the queried tenth is not shown to differ",
        ),
        (True, "the rank correlation and the queried tenth point different ways"),
    )
    return next(reason for holds, reason in reasons if holds)


def _seeds_needed(row: Row) -> int | None:
    """Return how many seeds would make the outcome reliable; None where it is, or where no number can be named."""
    known = bool(pd.notna(row["seeds_needed"]))
    return math.ceil(row["seeds_needed"]) if known and row["icc"] < RELIABLE else None
