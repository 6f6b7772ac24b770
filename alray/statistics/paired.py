"""Statistics over seeds: t intervals. NumPy and SciPy only, and no I/O.

A NaN that goes in comes out as NaN: no value is ever dropped.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

LEVEL = 0.95
"""Confidence level of every interval."""

SIGNIFICANCE = 0.05
"""A corrected p below it is called a difference."""

FEWEST_SEEDS = 6
"""Smallest number of paired seeds whose smallest sign-flip p, 2^(1 - n), lies below `SIGNIFICANCE`.

Fewer bound no interval of `joint.joint_sign_flip` either."""

Values = Float[np.ndarray, " seed"]
PerSeed = Float[np.ndarray, "seed point"]
PerPoint = Float[np.ndarray, " point"]


@dataclass(frozen=True)
class Interval:
    """An estimate and its confidence interval.

    Attributes:
        estimate: NaN where there is none.
        low: Lower end; -inf where the data do not bound it (censored), NaN where it cannot be computed.
        high: Upper end, in the same way.
        n: Number of seeds it rests on.
    """

    estimate: float
    low: float
    high: float
    n: int

    def columns(self, name: str) -> dict[str, float]:
        """Return the estimate and its ends as the columns `name`, `name`_low and `name`_high of a table."""
        return {name: self.estimate, f"{name}_low": self.low, f"{name}_high": self.high}


def excludes_zero(low: float, high: float) -> bool:
    """Whether an interval lies on one side of zero; one that ends at zero, or has no ends (NaN), does not."""
    return low > 0 or high < 0


def t_quantile(n: int, comparisons: int = 1) -> float:
    """Return the two-sided quantile of t with n - 1 degrees of freedom, NaN for n < 2.

    With it, intervals of so many comparisons hold together with a probability of at least `LEVEL` (Bonferroni).
    """
    from scipy.special import stdtrit  # noqa: PLC0415 -- a study starts without it

    return float(stdtrit(n - 1, 1 - (1 - LEVEL) / 2 / comparisons)) if n > 1 else math.nan


def mean_interval(values: Values) -> Interval:
    """Return the mean and its t interval: mean +- t(n - 1) s / sqrt(n), s with n - 1 in the denominator.

    Give it the differences of two arms on common seeds and it is the paired t interval. One value has an estimate
    and no interval, none has neither; equal values have an interval of length zero.
    """
    n = len(values)
    if n == 0 or not np.isfinite(values).all():
        return Interval(math.nan, math.nan, math.nan, n)
    mean = float(np.mean(values))
    if n == 1:
        return Interval(mean, math.nan, math.nan, n)
    half = t_quantile(n) * float(np.std(values, ddof=1)) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n)


def pointwise(values: PerSeed) -> tuple[PerPoint, PerPoint]:
    """Return mean and half width of the t interval at each point: `mean_interval` at all points at once.

    NaN where a value is not finite, and the half width for one seed.
    """
    n = len(values)
    unknown = np.full(values.shape[1], math.nan)
    if n == 0:
        return unknown, unknown
    values = np.where(np.isfinite(values), values, math.nan)
    if n == 1:
        return values[0], unknown
    # The spread of equal values is rounding noise, which would make a difference of nothing.
    spread = np.where(np.ptp(values, axis=0) == 0, 0.0, values.std(axis=0, ddof=1))
    return values.mean(axis=0), t_quantile(n) * spread / math.sqrt(n)
