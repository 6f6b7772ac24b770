"""Numbers and lists as people read them: three digits, no leading zero, a dash where there is none; the first few items."""

import math
from collections.abc import Sequence

NOTHING = "-"
"""Stands where a number does not exist."""

_LISTED = 5


def share(value: float | None) -> str:
    """Return a number as `.652`, `1.000` or `-.003`; `-` where it is NaN or None."""
    if value is None or math.isnan(value):
        return NOTHING
    # What rounds to zero has no sign.
    text = f"{abs(value):.3f}".removeprefix("0")
    return f"-{text}" if value < 0 and text != ".000" else text


def signed(value: float) -> str:
    """Return a number with its sign: `+.012`, `-.003`; `-` where it is NaN."""
    text = share(value)
    return text if text.startswith("-") else f"+{text}"


def interval(low: float, high: float) -> str:
    """Return `(-.020 to -.004)`, and nothing where there is no interval."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"({signed(low)} to {signed(high)})"


def p_value(value: float) -> str:
    """Return `.034`, `<.001` or `-`."""
    return "<.001" if value < 0.0005 else share(value)


def listed(items: Sequence[str]) -> str:
    """Return the first items, and how many more there are."""
    more = f"; and {len(items) - _LISTED} more" if len(items) > _LISTED else ""
    return "; ".join(items[:_LISTED]) + more
