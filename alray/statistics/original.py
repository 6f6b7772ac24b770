"""The interval that the published study states beside a mean over n seeds, and how often it holds the true mean.

It is mean +- 0.95 sd / sqrt(n), sd the population standard deviation: 0.95 stands where a quantile of t belongs, and
the sd is divided by n, not by n - 1. It is here so that the study's numbers can be made again, and for nothing else.
"""

import math

import numpy as np

from alray.statistics.paired import PerPoint, PerSeed

FACTOR = 0.95
"""The study's factor, which is no quantile."""


def original_half_width(values: PerSeed) -> PerPoint:
    """Return half the width of the study's interval at each point; NaN for one seed, or where a value is not finite."""
    n = len(values)
    if n < 2:
        return np.full(values.shape[1], math.nan)
    spread = np.where(np.isfinite(values).all(axis=0), values.std(axis=0), math.nan)
    return np.asarray(FACTOR * spread / math.sqrt(n))


def original_coverage(n: int) -> float:
    """Return the probability that the study's interval holds the mean of normal values, for n seeds; NaN for one.

    (mean - mu) / (s / sqrt(n)) has a t distribution with n - 1 degrees of freedom, and the study's half width is
    0.95 sqrt((n - 1) / n) of s / sqrt(n).
    """
    from scipy.special import stdtr  # noqa: PLC0415 -- a study starts without it

    return 2 * float(stdtr(n - 1, FACTOR * math.sqrt((n - 1) / n))) - 1 if n > 1 else math.nan
