"""Statistics over seeds: t intervals, the sign-flip test, Holm's correction. NumPy and SciPy only, and no I/O.

A NaN that goes in comes out as NaN: no value is ever dropped.
"""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student_t

LEVEL = 0.95
"""Confidence level of every interval where none is named."""

SIGNIFICANCE = 0.05
"""A corrected p below it is called a difference."""

FEWEST_SEEDS = 6
"""Smallest number of paired seeds whose smallest sign-flip p, 2^(1 - n), lies below `SIGNIFICANCE`."""

Values = Float[np.ndarray, " seed"]
PerSeed = Float[np.ndarray, "seed point"]
PerPoint = Float[np.ndarray, " point"]
Rest = TypeVar("Rest", float, np.ndarray)


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


def excludes_zero(low: float, high: float) -> bool:
    """Whether an interval lies on one side of zero; one that ends at zero, or has no ends (NaN), does not."""
    return low > 0 or high < 0


@dataclass(frozen=True)
class SignFlip:
    """Result of a sign-flip test.

    Attributes:
        p: Two-sided, in [2^(1 - n), 1] where exact.
        n: Number of differences.
        exact: All sign patterns were enumerated; otherwise Monte Carlo.
        draws: Sign patterns that were looked at.
    """

    p: float
    n: int
    exact: bool
    draws: int


def t_quantile(n: int, level: float) -> float:
    """Return the two-sided quantile of t with n - 1 degrees of freedom, NaN for n < 2."""
    return float(student_t.ppf((1 + level) / 2, n - 1)) if n > 1 else math.nan


def t_half_width(spread: Rest, n: int, level: float) -> Rest:
    """Return half the width of the t interval of a mean of n values with this standard deviation (n - 1 below it)."""
    return t_quantile(n, level) * spread / math.sqrt(n)


def mean_interval(values: Values, level: float = LEVEL) -> Interval:
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
    half = t_half_width(float(np.std(values, ddof=1)), n, level)
    return Interval(mean, mean - half, mean + half, n)


def pointwise(values: PerSeed, level: float = LEVEL) -> tuple[PerPoint, PerPoint]:
    """Return mean and half width of the t interval at each point: `mean_interval` at all points at once.

    NaN where a value is not finite, and the half width for one seed.
    """
    n = len(values)
    if n == 0:
        return np.full(values.shape[1], math.nan), np.full(values.shape[1], math.nan)
    values = np.where(np.isfinite(values), values, math.nan)
    spread = values.std(axis=0, ddof=1) if n > 1 else np.full(values.shape[1], math.nan)
    # The spread of equal values is rounding noise, which would make a difference of nothing.
    spread = np.where(np.ptp(values, axis=0) == 0, 0.0, spread) if n > 1 else spread
    return values.mean(axis=0), t_half_width(spread, n, level)


def sign_flip_test(
    differences: Values,
    rng: np.random.Generator,
    exact_up_to: int = 20,
    draws: int = 99_999,
) -> SignFlip:
    """Test whether paired differences are symmetric about zero: p = P(|sum of s_i d_i| >= |sum of d_i|), s_i = +-1.

    Fisher 1935, section 21. All 2^n patterns up to `exact_up_to` differences. Above, m = `draws` random patterns, of
    which b are as extreme: p = (b + 1) / (m + 1) (Phipson and Smyth 2010), never zero. Zeros stay in.

    Not `scipy.stats.permutation_test`: it is exact for few seeds too, but draws other patterns for many, and the p
    values on record must not change.
    """
    n = len(differences)
    exact = n <= exact_up_to
    if n == 0 or not np.isfinite(differences).all():
        return SignFlip(math.nan, n, exact, 0)
    sums = _all_signed_sums(differences) if exact else _signed_sums(differences, rng, draws)
    # Rounding must not split ties with the observed sum, which would halve the smallest p.
    slack = 1e-12 * float(np.abs(differences).sum())
    extreme = int(np.count_nonzero(np.abs(sums) >= abs(float(differences.sum())) - slack))
    p = extreme / len(sums) if exact else (extreme + 1) / (draws + 1)
    return SignFlip(p, n, exact, 2**n if exact else draws)


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
