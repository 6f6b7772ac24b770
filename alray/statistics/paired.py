"""Statistics over seeds: t intervals, the sign-flip test, Holm's correction. NumPy and SciPy only, and no I/O.

A NaN that goes in comes out as NaN: no value is ever dropped.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student_t

LEVEL = 0.95
"""Confidence level of every interval."""

SIGNIFICANCE = 0.05
"""A corrected p below it is called a difference."""

FEWEST_SEEDS = 6
"""Smallest number of paired seeds whose smallest sign-flip p, 2^(1 - n), lies below `SIGNIFICANCE`."""

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


def t_quantile(n: int) -> float:
    """Return the two-sided quantile of t with n - 1 degrees of freedom, NaN for n < 2."""
    return float(student_t.ppf((1 + LEVEL) / 2, n - 1)) if n > 1 else math.nan


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


def sign_flip_p(
    differences: Values, rng: np.random.Generator, exact_up_to: int = 20, draws: int = 99_999
) -> float:
    """Return the two-sided p of paired differences being symmetric about zero, by flipping their signs s_i = +-1.

    p = P(|sum of s_i d_i| >= |sum of d_i|) (Fisher 1935, section 21). It is exact up to `exact_up_to` differences: in
    [2^(1 - n), 1], from all 2^n patterns. Above, m = `draws` random patterns, of which b are as extreme:
    p = (b + 1) / (m + 1) (Phipson and Smyth 2010), never zero. Zeros stay in.

    Not `scipy.stats.permutation_test`: it is exact for few seeds too, but draws other patterns for many, and the p
    values on record must not change.
    """
    n = len(differences)
    exact = n <= exact_up_to
    if n == 0 or not np.isfinite(differences).all():
        return math.nan
    sums = _all_signed_sums(differences) if exact else _signed_sums(differences, rng, draws)
    # Rounding must not split ties with the observed sum, which would halve the smallest p.
    slack = 1e-12 * float(np.abs(differences).sum())
    extreme = int(np.count_nonzero(np.abs(sums) >= abs(float(differences.sum())) - slack))
    return extreme / len(sums) if exact else (extreme + 1) / (draws + 1)


def _all_signed_sums(differences: Values) -> Float[np.ndarray, " pattern"]:
    # A pattern and its mirror image are equally extreme, so the first sign can stay as it is: half of the work.
    sums = differences[:1]
    for difference in differences[1:]:
        sums = np.concatenate([sums + difference, sums - difference])
    return sums


def _signed_sums(
    differences: Values, rng: np.random.Generator, draws: int
) -> Float[np.ndarray, " pattern"]:
    signs = rng.integers(2, size=(draws, len(differences)), dtype=np.int8) * 2 - 1
    return np.asarray(signs @ differences)


def holm(p_values: Float[np.ndarray, " test"]) -> Float[np.ndarray, " test"]:
    """Return Holm's step-down adjusted p: max over j <= i of min(1, (m - j + 1) p_(j)), for p_(1) <= ... <= p_(m).

    Holm 1979; as R's `p.adjust(p, "holm")`: a NaN stays NaN and does not count among the m tests.
    """
    adjusted = np.full(len(p_values), math.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.maximum.accumulate(np.minimum(1.0, factors * p_values[order]))
    return adjusted
