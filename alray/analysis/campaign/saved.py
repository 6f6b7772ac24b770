"""How many labels a random choice would have needed: by the study that a campaign's settings are from, or no claim."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from alray.analysis.targets import about
from alray.analysis.wording import count, interval, share


def saved_said(
    origin: Mapping[str, Any],
    strategy: str,
    learnt: int,
    accuracy: tuple[float, float] = (math.nan, math.nan),
) -> str:
    """Return what the study's curves say of a campaign that has learnt from so many labels; "" without a study.

    Args:
        origin: The manifest's entry of the study; `needed` holds rows of `labels, accuracy, random, low, high`.
        strategy: The campaign's.
        learnt: Labels that the last network has learnt from.
        accuracy: The ends of the 95 % interval of its accuracy; NaN where that is not known.
    """
    if not origin:
        return ""
    rows = np.array(origin.get("needed", []), dtype=np.float64).reshape(-1, 5)
    if strategy == origin.get("strategy") and (strategy == "random" or (len(rows) and not learnt)):
        return ""
    reason = _why_not(origin, strategy, learnt, rows)
    if reason:
        return f"How many labels a random choice would have needed cannot be said: {reason}."
    return _claim(origin, strategy, rows[rows[:, 0] <= learnt], accuracy, end=float(rows[-1, 0]))


def _why_not(origin: Mapping[str, Any], strategy: str, learnt: int, rows: np.ndarray) -> str:
    """Return why nothing can be claimed; "" if it can."""
    if "strategy" not in origin:
        return "an older alray began this campaign, and did not keep the study's curves"
    if strategy != origin["strategy"]:
        return f"the study's arm chooses by {origin['strategy']}, this campaign by {strategy}"
    if not len(rows):
        return "the study has no arm that chooses at random on the same seeds"
    if not rows[0, 0] <= learnt <= rows[-1, 0]:
        return (
            f"the study's curves go from {rows[0, 0]:,.0f} to {rows[-1, 0]:,.0f} labels, and the last network has "
            f"learnt from {learnt:,}"
        )
    return ""


def _claim(
    origin: Mapping[str, Any],
    strategy: str,
    rows: np.ndarray,
    measured: tuple[float, float],
    *,
    end: float,
) -> str:
    """Return what the study has at its last label count up to that of the campaign: nothing is read in between."""
    at, accuracy, needed, low, high = map(float, rows[-1])
    seeds = count(origin["seeds"], "seed")
    text = (
        f"In the study {origin['study']} (pool {origin['pool']}, {seeds}) {strategy} reached {share(accuracy)} with "
        f"{at:,.0f} labels, random choice "
    )
    if np.isfinite(needed):
        fewest = f"{low:,.0f}" if np.isfinite(low) else "unknown"
        most = f"{high:,.0f}" if np.isfinite(high) else f"more than {end:,.0f}"
        text += f"with about {about(needed)} (95 % interval {fewest} to {most})."
    else:
        text += f"not by {end:,.0f}"
        text += f" (95 % interval: from {low:,.0f})." if np.isfinite(low) else "."
    if not (np.isfinite(low) and low > at):
        return f"{text} A saving at this label count is not shown."
    if accuracy < measured[0] or accuracy > measured[1]:
        side = "above" if accuracy < measured[0] else "below"
        return (
            f"{text} The accuracy of this campaign's network lies {side} that of the study "
            f"{interval(*measured, share)[:-1]}, 95 % interval), so the study does not say what it has saved."
        )
    least, known = about(low - at), np.isfinite(needed)
    saved = (
        f"about {about(needed - at)} labels ({least} at least)"
        if known
        else f"{least} labels at least"
    )
    return f"{text} If this campaign learns alike, it had saved {saved} by then."
