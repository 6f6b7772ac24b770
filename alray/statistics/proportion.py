"""A share of objects with its interval."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Z = 1.959963984540054
"""The normal distribution's 97.5 % quantile."""

FEWEST = 10
"""Objects from which on an interval of a share holds as often as it says."""


class Proportion(NamedTuple):
    """A share, and the ends of its 95 % interval; NaN without objects."""

    share: float
    low: float
    high: float


def wilson(right: float, n: float) -> Proportion:
    """Return the share `right / n` with Wilson's interval (1927).

    Over true shares from .3 to .95 it holds the true one in 95 % on average from 10 objects on; at single shares, since
    counts are whole, in 91 to 98 % with 20 objects and in 93 to 97 % with 100 and more. Over shares
    up to .1 it does so in 94 to 96 % on average from 20 objects on; at a single one, so small that most samples have no
    such object at all, in 83 % at worst. Sampling is taken to be from a
    pool that is large against the sample, which makes the interval a little too wide where it is not.
    """
    if n <= 0:
        return Proportion(math.nan, math.nan, math.nan)
    p, of_z = right / n, Z * Z / n
    centre = (p + of_z / 2) / (1 + of_z)
    half = Z * math.sqrt(p * (1 - p) / n + of_z / (4 * n)) / (1 + of_z)
    return Proportion(p, max(0.0, centre - half), min(1.0, centre + half))


def grouped_share(
    right: npt.NDArray[np.float64], groups: npt.NDArray[np.int64] | None = None
) -> Proportion:
    """Return the mean of `right` with its interval, where groups of objects are drawn together.

    Wilson's interval at the effective number of objects, n divided by the design effect of the ratio estimator (Kish
    1965), at least 1: objects of a group are alike, and say less than as many single ones.

    Args:
        right: (n,) 1 where right, 0 where wrong, or a probability of being right.
        groups: (n,) number of each object's group; None where each is alone.
    """
    n = len(right)
    if n == 0 or groups is None:
        return wilson(float(right.sum()), float(n))
    share = float(right.mean())
    _, codes = np.unique(groups, return_inverse=True)
    residuals = np.bincount(codes, weights=right - share)
    number = len(residuals)
    effect = 1.0
    if number > 1 and 0 < share < 1:
        variance = number / (number - 1) * float((residuals**2).sum()) / n**2
        effect = max(1.0, variance / (share * (1 - share) / n))
    else:
        effect = n / number
    return wilson(share * n / effect, n / effect)
