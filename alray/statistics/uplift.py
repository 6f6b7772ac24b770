"""What groups at one end of a score changed: uplift over random groups and dose-response, with intervals.

With two or more base models intervals are t intervals over bases, the replicates; with one they are over its groups
and speak of that base only. A NaN that goes in comes out as NaN.
"""

import math
import warnings
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from alray.statistics.paired import LEVEL, Interval, mean_interval
from alray.statistics.ranks import PERMUTATIONS

PARTS = 10
"""A score's groups are cut into so many parts; the queried end is a tenth of them."""

Groups = Float[np.ndarray, "base group"]
Part = Float[np.ndarray, "base part"]
Rest = Float[np.ndarray, "base rest"]


def uplift(usefulness: Groups, scores: Groups, queried: str, random: Rest | None) -> Interval:
    """Return the mean usefulness of the tenth of the groups at the queried end minus that of random groups.

    `random` holds the usefulness of the same bases' random groups; where it is
    None, all groups of the grouping itself stand in for them: (1 - share) x (tenth minus the rest), the same number.
    """
    tenth, others = queried_tenth(usefulness, scores, queried)
    if random is not None:
        return mean_difference(tenth, random)
    interval = mean_difference(tenth, others)
    scale = others.shape[1] / scores.shape[1]
    return Interval(
        scale * interval.estimate, scale * interval.low, scale * interval.high, interval.n
    )


def queried_tenth(usefulness: Groups, scores: Groups, queried: str) -> tuple[Part, Rest]:
    """Return the usefulness of the tenth of the groups at the queried end, and that of the others.

    The tenth has at least one group. Where a score is unknown, so is the tenth: all of both is NaN.
    """
    size = max(1, scores.shape[1] // PARTS)
    order = _order(scores) if queried == "small" else _order(scores)[:, ::-1]
    ordered = np.take_along_axis(usefulness, order, axis=1)
    if np.isnan(scores).any():
        ordered = np.full(ordered.shape, math.nan)
    return ordered[:, :size], ordered[:, size:]


def uplift_p(
    tenths: Float[np.ndarray, "score column base part"],
    others: Float[np.ndarray, "score column base rest"],
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
) -> Float[np.ndarray, "score column"]:
    """Return the two-sided p of each uplift being chance, corrected for all scores and columns together.

    The statistic is the mean over bases of the tenth's mean minus that of the others, over its standard deviation
    under permutation: which groups are the tenth's is drawn anew in each base. p counts the permutations whose largest
    |statistic| reaches the observed one (Westfall and Young 1993), as (b + 1) / (m + 1) for b of m (Phipson and Smyth
    2010). A statistic that is NaN, or the same in all permutations, has no p and is not counted.

    Args:
        tenths: Usefulness of the queried tenth; the columns of a score share their permutations.
        others: That of the groups which it is compared with.
        rng: For the permutations, drawn for each score and base.
        permutations: m.
    """
    size = tenths.shape[-1]
    values = np.concatenate([tenths, others], axis=-1)
    n = values.shape[-1]
    rows = np.tile(np.arange(n), (permutations, 1))
    null = np.zeros((len(values), permutations, values.shape[1]))
    for score, base in np.ndindex(len(values), values.shape[2]):
        chosen = rng.permuted(rows, axis=1)[:, :size]
        of_base = values[score, :, base]  # [column, group]
        sums = of_base.T[chosen].sum(axis=1)  # [permutation, column]
        null[score] += sums / size - (of_base.sum(axis=-1) - sums) / (n - size)
    observed = (tenths.mean(axis=-1) - others.mean(axis=-1)).sum(axis=-1)
    spread = null.std(axis=1)
    # Equal values leave rounding only, whose ratio would be any number.
    spread = np.where(spread > 1e-12 * np.abs(values).max(axis=(-2, -1)), spread, math.nan)
    largest = np.fmax.reduce(np.abs(null) / spread[:, None], axis=(0, 2))
    reached = np.abs(observed) / spread - 1e-9
    extreme = (largest[:, None, None] >= reached).sum(axis=0)
    return np.where(np.isfinite(reached), (extreme + 1) / (permutations + 1), math.nan)


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
    from scipy.stats import ttest_ind  # noqa: PLC0415 -- as in `ranks`

    with warnings.catch_warnings():
        # Groups that differ by rounding alone make SciPy warn; their interval is as short as it should be.
        warnings.simplefilter("ignore", RuntimeWarning)
        ends = ttest_ind(part[0], rest[0], equal_var=False).confidence_interval(LEVEL)
    return Interval(estimate, float(ends.low), float(ends.high), 1)


def _order(scores: Groups) -> Int[np.ndarray, "base group"]:
    return np.argsort(scores, axis=1, kind="stable")
