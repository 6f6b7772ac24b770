"""The verdict on a row of a correlation study's summary: decided, then put into words."""

import math

import pandas as pd

from alray.analysis.wording import EffectKind, Row, Verdict, count, effect_verdict, percent_up
from alray.settings.correlation import MATTERS
from alray.statistics.paired import SIGNIFICANCE, excludes_zero
from alray.statistics.reliability import RELIABLE


def with_verdicts(table: pd.DataFrame, matters: float = MATTERS) -> pd.DataFrame:
    """Return a summary's rows with `matters`, `verdict` and `bound` for this size that matters.

    Args:
        table: Rows with all other columns of `SUMMARY_COLUMNS`.
        matters: Smallest effect that counts as one, as a share of what a group changes on average.
    """
    table = table.assign(matters=matters * table["typical_change"])
    verdicts = [decide(row) for row in table.to_dict("records")]
    return table.assign(
        verdict=pd.Series([verdict for verdict, _ in verdicts], table.index, dtype="str"),
        bound=pd.Series([bound for _, bound in verdicts], table.index, dtype="float64"),
    )


def decide(row: Row) -> tuple[EffectKind, float]:
    """Return the kind of a row's verdict, and the bound of "no effect" (NaN for the others).

    - "helps", "hurts": the outcome is reliable (`RELIABLE`), the uplift's interval over bases excludes zero, its p
      over groups, corrected for scores and doses, is below `SIGNIFICANCE`, and it is at least of the size that matters.
    - "no change": random groups change nothing measurable, so that there is no size to hold an effect against.
    - "no difference": the reliable part of the outcome is compatible with zero.
    - "no effect": the interval of the uplift lies within the size that matters; the bound is its farther end.
    - "inconclusive": all else, the outcome being too noisy among it.
    """
    low, high = float(row["uplift_low"]), float(row["uplift_high"])
    # A score that is the same in all groups has no queried end, and no p_max.
    known = not math.isnan(low + high + row["p_max"])
    reliable = row["icc"] >= RELIABLE
    if math.isnan(row["uplift"]):
        return "inconclusive", math.nan
    if known and reliable and _is_shown(row) and abs(row["uplift"]) >= row["matters"]:
        return ("helps" if low > 0 else "hurts"), math.nan
    if not row["changed"] or row["typical_change"] == 0:
        return "no change", math.nan
    if row["groups_p"] >= SIGNIFICANCE:
        return "no difference", math.nan
    if known and reliable and max(-low, high) <= row["matters"]:
        return "no effect", max(-low, high)
    return "inconclusive", math.nan


def verdict_of(row: Row) -> Verdict:
    """Return the verdict that a row of the summary holds, with its bound, or the reason why nothing is concluded."""
    if row["verdict"] == "inconclusive":
        return effect_verdict("inconclusive", reason=_reason(row), seeds=seeds_needed(row))
    typical = float(row["typical_change"])
    return effect_verdict(
        row["verdict"], bound=float(row["bound"]) / typical if typical > 0 else math.nan
    )


def possible_share(row: Row) -> float:
    """Return the largest effect that is not excluded, as a share of what a group changes; NaN where it is unknown."""
    if not row["typical_change"] > 0:
        return math.nan
    return max(-float(row["uplift_low"]), float(row["uplift_high"])) / float(row["typical_change"])


def seeds_needed(row: Row) -> int | None:
    """Return how many seeds would make the outcome reliable; None where it is, or where no number can be named."""
    known = bool(pd.notna(row["seeds_needed"]))
    return math.ceil(row["seeds_needed"]) if known and row["icc"] < RELIABLE else None


def _is_shown(row: Row) -> bool:
    """Return whether the uplift differs from zero, over bases and over groups."""
    return excludes_zero(row["uplift_low"], row["uplift_high"]) and row["uplift_p"] < SIGNIFICANCE


def _reason(row: Row) -> str:
    """Return the first condition of a verdict that is not met."""
    seeds = seeds_needed(row)
    needed = f"{count(seeds, 'seed')} needed" if seeds else "no number of seeds can be named"
    reasons = (
        (math.isnan(row["icc"]), "the reliability of the outcome is not known"),
        (row["icc"] < RELIABLE, f"the outcome is too noisy ({needed})"),
        (math.isnan(row["uplift_low"]), "there is no interval"),
        (math.isnan(row["p_max"]), "there is no rank correlation"),
        (_is_shown(row), "an effect is shown, but it may be too small to matter"),
        (True, f"an effect of up to {_possible(row)} is not excluded"),
    )
    return next(reason for holds, reason in reasons if holds)


def _possible(row: Row) -> str:
    share = possible_share(row)
    return "any size" if math.isnan(share) else f"{percent_up(share)} of what a group changes"
