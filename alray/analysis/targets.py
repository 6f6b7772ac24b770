"""Targets of a metric and label counts that they take: how they are checked and written."""

import math
from collections.abc import Sequence

from alray.errors import SpecError


def check_targets(targets: Sequence[float], title: str) -> None:
    """Refuse targets that are no shares, with the share that a percentage may have meant.

    Raises:
        SpecError: Naming the first one.
    """
    for target in targets:
        if not 0 < target < 1:
            meant = f"{target / 100:g}" if 1 < target < 100 else "0.75"
            raise SpecError(
                f"--target {target:g}: {title} lies between 0 and 1; give a share, such as {meant}"
            )


def about(labels: float) -> str:
    """Return a label count with three digits: `8,430`, `12,300`."""
    if not math.isfinite(labels) or labels <= 0:
        return f"{labels:,.0f}"
    digits = 2 - math.floor(math.log10(labels))
    return f"{round(round(labels, digits)):,}"


def target_text(target: float) -> str:
    """Return a target as accuracies are written, with the digits that it has: `.75`, `.905`."""
    return f"{target:.6f}".rstrip("0").removeprefix("0")
