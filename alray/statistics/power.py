"""How many paired seeds it takes to show a difference."""

import math

from scipy.stats import nct
from scipy.stats import t as student_t

from alray.statistics.paired import SIGNIFICANCE, Interval, t_quantile

POWER = 0.8

MOST_SEEDS = 1_000


def power(seeds: int, effect: float, significance: float = SIGNIFICANCE) -> float:
    """Return the probability that a two-sided paired t test shows a difference of `effect` standard deviations.

    From the noncentral t with n - 1 degrees of freedom and noncentrality effect sqrt(n) (Cohen 1988).
    """
    degrees, shift = seeds - 1, abs(effect) * math.sqrt(seeds)
    critical = float(student_t.ppf(1 - significance / 2, degrees))
    return float(nct.sf(critical, degrees, shift) + nct.cdf(-critical, degrees, shift))


def standardised(difference: Interval) -> float:
    """Return the mean difference in standard deviations, from its t interval; NaN where it has none."""
    half = difference.high - difference.estimate
    if difference.n < 2 or not half > 0:
        return math.nan
    deviation = half * math.sqrt(difference.n) / t_quantile(difference.n)
    return difference.estimate / deviation


def seeds_for_power(effect: float, comparisons: int = 1) -> int | None:
    """Return the fewest seeds with which an effect is shown with a power of 80 %; None above `MOST_SEEDS`.

    Bonferroni for the number of comparisons: the first step of Holm, which is enough for any one of them.
    """
    if math.isnan(effect):
        return None
    significance = SIGNIFICANCE / comparisons
    return next(
        (n for n in range(2, MOST_SEEDS + 1) if power(n, effect, significance) >= POWER), None
    )


def fewest_seeds_for_holm(comparisons: int) -> int:
    """Return the fewest paired seeds with which a corrected sign-flip test can show any difference at all.

    Holm multiplies the smallest p, at best 2^(1 - n), by the number m of comparisons: n > 1 + log2(m / 0.05).
    """
    return math.floor(math.log2(comparisons / SIGNIFICANCE)) + 2
