"""The ratio of two means over the same seeds, with its interval (Fieller 1954). NumPy and SciPy only, and no I/O."""

import math

import numpy as np

from alray.statistics.paired import Interval, Values, t_quantile


def ratio_of_means(numerators: Values, denominators: Values, comparisons: int = 1) -> Interval:
    """Return mean(numerators) / mean(denominators) with Fieller's interval, seed by seed paired.

    It holds each ratio r at which the t interval of the means of `numerators - r * denominators` holds zero: exact for
    normal values. The ends are infinite where the denominators' own interval holds zero, and so does not bound a ratio.

    Args:
        numerators: (n,) values.
        denominators: (n,) of the same seeds.
        comparisons: How many such intervals are to hold together (Bonferroni).
    """
    n = len(numerators)
    if n < 2 or not (np.isfinite(numerators).all() and np.isfinite(denominators).all()):
        return Interval(math.nan, math.nan, math.nan, n)
    above, below = float(np.mean(numerators)), float(np.mean(denominators))
    spread = np.cov(numerators, denominators)
    scale = t_quantile(n, comparisons) ** 2 / n
    # (above - r below)^2 <= scale (variance of the numerators - r denominators): a quadratic in r.
    square = below**2 - scale * float(spread[1, 1])
    linear = above * below - scale * float(spread[0, 1])
    constant = above**2 - scale * float(spread[0, 0])
    estimate = above / below if below else math.nan
    if not square > 0:
        return Interval(estimate, -math.inf, math.inf, n)
    root = math.sqrt(max(0.0, linear**2 - square * constant))
    return Interval(estimate, (linear - root) / square, (linear + root) / square, n)
