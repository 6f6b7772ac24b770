"""From a number with its interval to a verdict on a claim: the only place where verdicts are made."""

import math
from dataclasses import dataclass
from typing import Literal

from alray.analysis.wording import interval, percentage, share, signed
from alray.statistics.paired import FEWEST_SEEDS

Kind = Literal["agrees", "disagrees", "cannot tell", "not run"]
WITHIN = 0.005
"""Areas that differ by less are called alike: half of what margin gained in the study at 4,000 labels."""


@dataclass(frozen=True)
class Found:
    """What the numbers say of a claim on one data set.

    Attributes:
        kind: The verdict.
        number: The number with its interval, as text.
        reason: Why, in a few words.
    """

    kind: Kind
    number: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Effect:
    """A number with its 95 % interval, which holds for all comparisons of its part together.

    Attributes:
        estimate: The number.
        low: Lower end; NaN or -inf where there is none.
        high: Upper end, in the same way.
        seeds: Paired seeds.
        share: It is a share of labels, and written in percent.
    """

    estimate: float
    low: float
    high: float
    seeds: int
    share: bool = False

    @property
    def text(self) -> str:
        """The number as the page writes it."""
        if self.share:
            return " ".join(filter(None, percentage(self.estimate, self.low, self.high)))
        low, high = (end if math.isfinite(end) else math.nan for end in (self.low, self.high))
        return f"{signed(self.estimate)} {interval(low, high)}".strip()

    @property
    def bounded(self) -> bool:
        """Whether it has both ends."""
        return math.isfinite(self.low) and math.isfinite(self.high)


NOT_RUN = Found("not run", "", "its studies have not run")


def above_zero(effect: Effect | None) -> Found:
    """Judge a claim that a number is positive: the whole interval must lie on one side."""
    return _judged(effect, "the interval lies above 0", "the interval lies below 0", 1)


def below_zero(effect: Effect | None) -> Found:
    """Judge a claim that a number is negative."""
    return _judged(effect, "the interval lies below 0", "the interval lies above 0", -1)


def alike(effect: Effect | None, within: float = WITHIN) -> Found:
    """Judge a claim that there is no difference that matters: the interval within, or outside of, +-`within`."""
    if effect is None:
        return NOT_RUN
    if not effect.bounded:
        return _unbounded(effect)
    band = _band(within)
    if -within <= effect.low and effect.high <= within:
        return Found("agrees", effect.text, f"the interval lies within {band} of 0")
    if effect.low > within or effect.high < -within:
        return Found("disagrees", effect.text, f"the interval lies beyond {band} from 0")
    return Found("cannot tell", effect.text, f"the interval crosses {band} from 0")


def of_size(effect: Effect | None, claimed: float) -> Found:
    """Judge a claim of a size: its interval must hold the size, and leave 0 out."""
    if effect is None:
        return NOT_RUN
    if math.isnan(effect.low) or math.isnan(effect.high) or effect.seeds < FEWEST_SEEDS:
        return _unbounded(effect)
    size = f"{round(100 * claimed)} %" if effect.share else signed(claimed, 2)
    if not effect.low <= claimed <= effect.high:
        return Found("disagrees", effect.text, f"the interval leaves {size} out")
    if effect.low <= 0 <= effect.high:
        return Found("cannot tell", effect.text, f"the interval holds {size}, and 0 too")
    return Found("agrees", effect.text, f"the interval holds {size}, and leaves 0 out")


def _judged(effect: Effect | None, agrees: str, disagrees: str, sign: int) -> Found:
    if effect is None:
        return NOT_RUN
    if effect.seeds < FEWEST_SEEDS or math.isnan(effect.low) or math.isnan(effect.high):
        return _unbounded(effect)
    near, far = sorted((sign * effect.low, sign * effect.high))
    if near > 0:
        return Found("agrees", effect.text, agrees)
    if far < 0:
        return Found("disagrees", effect.text, disagrees)
    near_zero = max(abs(near), abs(far)) <= WITHIN and not effect.share
    close = f", and lies within {_band(WITHIN)} of it" if near_zero else ""
    return Found("cannot tell", effect.text, f"the interval holds 0{close}")


def _band(within: float) -> str:
    return share(within)


def _unbounded(effect: Effect) -> Found:
    reason = (
        f"{effect.seeds} paired seeds bound nothing: {FEWEST_SEEDS} or more are needed"
        if effect.seeds < FEWEST_SEEDS
        else "the interval has no end"
    )
    return Found("cannot tell", effect.text, reason)
