"""What groups at one end of a score changed: uplift over random groups and dose-response, with intervals.

With two or more base models intervals are t intervals over bases, the replicates; with one they are over its groups
and speak of that base only. A NaN that goes in comes out as NaN.
"""

import math
import warnings
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import ttest_ind

from alray.statistics.paired import LEVEL, Interval, mean_interval

PARTS = 10
"""A score's groups are cut into so many parts; the queried end is a tenth of them."""

Groups = Float[np.ndarray, "base group"]
Part = Float[np.ndarray, "base part"]
Rest = Float[np.ndarray, "base rest"]


def uplift(usefulness: Groups, scores: Groups, queried: str, random: Rest | None) -> Interval:
    """Return the mean usefulness of the tenth of the groups at the queried end minus that of random groups.

    The tenth has at least one group. `random` holds the usefulness of the same bases' random groups; where it is
    None, all groups of the grouping itself stand in for them: (1 - share) x (tenth minus the rest), the same number.
    """
    size = max(1, scores.shape[1] // PARTS)
    order = _order(scores) if queried == "small" else _order(scores)[:, ::-1]
    ordered = np.take_along_axis(usefulness, order, axis=1)
    if np.isnan(scores).any():
        ordered = np.full(ordered.shape, math.nan)
    if random is not None:
        return mean_difference(ordered[:, :size], random)
    interval = mean_difference(ordered[:, :size], ordered[:, size:])
    scale = 1 - size / scores.shape[1]
    return Interval(
        scale * interval.estimate, scale * interval.low, scale * interval.high, interval.n
    )


def quantiles(usefulness: Groups, scores: Groups) -> Iterator[tuple[int, float, Interval]]:
    """Yield for each tenth of the groups by raw score, from the smallest: number, mean score, mean usefulness.

    With fewer than ten groups some tenths have none and are left out.
    """
    order = _order(scores)
    tenth = np.arange(scores.shape[1]) * PARTS // scores.shape[1]
    for number in np.unique(tenth):
        members = order[:, tenth == number]
        mean_score = float(np.take_along_axis(scores, members, axis=1).mean())
        yield int(number), mean_score, mean_of(np.take_along_axis(usefulness, members, axis=1))


def mean_of(part: Part) -> Interval:
    """Return the mean over bases of the mean over groups, with its t interval (one base: over its groups)."""
    if len(part) > 1:
        return mean_interval(part.mean(axis=1))
    return mean_interval(part[0])


def mean_difference(part: Part, rest: Rest) -> Interval:
    """Return the mean of some groups minus that of others, over bases, with its t interval.

    The difference is taken within each base. One base: Welch's interval over its groups (Welch 1947), NaN where one
    side has a single group.
    """
    if len(part) > 1:
        return mean_interval(part.mean(axis=1) - rest.mean(axis=1))
    estimate = float(part.mean() - rest.mean())
    if min(part.size, rest.size) < 2 or math.isnan(estimate):
        return Interval(estimate, math.nan, math.nan, 1)
    if np.ptp(part) == np.ptp(rest) == 0:
        return Interval(estimate, estimate, estimate, 1)
    with warnings.catch_warnings():
        # Groups that differ by rounding alone make SciPy warn; their interval is as short as it should be.
        warnings.simplefilter("ignore", RuntimeWarning)
        ends = ttest_ind(part[0], rest[0], equal_var=False).confidence_interval(LEVEL)
    return Interval(estimate, float(ends.low), float(ends.high), 1)


def _order(scores: Groups) -> Int[np.ndarray, "base group"]:
    return np.argsort(scores, axis=1, kind="stable")
