"""Arms whose runs are equal to the last digit, which hardly ever is meant."""

import math
from collections.abc import Sequence

from alray.analysis.wording import Row, joined

_NUMBERS = ("seeds", "labels", "accuracy", "macro_f1", "nll", "ece", "alc")
"""Columns that agree to the bit only if every run does: a mean of losses hardly comes out the same by chance."""


def equal_arms(rows: Sequence[Row]) -> list[str]:
    """Return a sentence for each set of arms that have equal numbers; none for arms that have queried nothing."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        known = row["seeds"] and not math.isnan(row.get("nll", math.nan))
        # Of a curve of one point the area is the metric itself. All arms are known there, mostly before any choice.
        known = known and row["alc"] != row.get(str(row.get("metric")), math.nan)
        if known and not math.isnan(row.get("seconds_per_round", math.nan)):
            # As text, NaN (a metric that was not recorded) is equal to itself.
            numbers = tuple(repr(float(row.get(name, math.nan))) for name in _NUMBERS)
            groups.setdefault(numbers, []).append(str(row["arm"]))
    return [
        f"{joined(names)} made the same choices in every run, with equal numbers to the last digit: compare their "
        "settings, since what differs between them had no effect."
        for names in groups.values()
        if len(names) > 1
    ]
