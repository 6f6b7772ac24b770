"""The arm to choose by a sweep: one that is shown to be better, and has a larger area than every random arm."""

import math
from collections.abc import Sequence

from alray.analysis.sweep.arms import RANDOM
from alray.analysis.sweep.findings import whole_curve
from alray.analysis.sweep.metrics import better_sign
from alray.analysis.wording import Row


def usable_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the compared arms that could be used: no oracles, and no further ways to draw at random."""
    return [
        row
        for row in rows
        if row["paired_seeds"]
        and not row["oracle"]
        and row["strategy"] != RANDOM
        and math.isfinite(row["alc_difference"])
    ]


def shown_better(rows: Sequence[Row], reference: str = RANDOM) -> list[Row]:
    """Return the usable arms that are shown to be better than what they are compared with, the best area first."""
    better = [row for row in usable_rows(rows) if whole_curve(row, reference).kind == "better"]
    return sorted(better, key=lambda row: -better_sign(str(row["metric"])) * row["alc_difference"])


def picked_row(rows: Sequence[Row], reference: str = RANDOM) -> Row | None:
    """Return the arm to choose, None where none is.

    An arm may be better than the random arm of its own settings, or than random questions, and yet have a smaller area
    than a random arm of other settings: these two are not compared with each other, so it is not chosen.
    """
    better = shown_better(rows, reference)
    return next((row for row in better if above_random(row, rows) is None), None)


def above_random(row: Row, rows: Sequence[Row]) -> Row | None:
    """Return the random arm with the best area, of those that have a better one than an arm; None where none has."""
    sign = better_sign(str(row["metric"]))
    own = sign * row.get("alc", math.nan)
    ahead = [
        other
        for other in rows
        if other["strategy"] == RANDOM
        and other["seeds"]
        and sign * other.get("alc", math.nan) > own
    ]
    return max(ahead, key=lambda other: sign * other["alc"], default=None)
