"""One test for all arms of a study at once: the joint sign-flip test, with the intervals that belong to it.

All arms of a seed share its split, its initial labels and the reference arm, so their differences go together. A sign
is therefore flipped for a seed as a whole, and the greatest statistic of all arms decides (Westfall and Young 1993):
the chance of calling any difference where there is none is held for the study, and the smallest possible p is
2^(1 - n) for n seeds, whatever the number of arms.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from alray.statistics.paired import SIGNIFICANCE

EXACT_SEEDS = 14
"""Up to so many seeds all patterns of signs are used; beyond, random ones."""

DRAWS = 20_000
"""Random patterns, the observed one included (Phipson and Smyth 2010: p is never zero)."""

Differences = Float[np.ndarray, "arm seed"]
PerArm = Float[np.ndarray, " arm"]
Patterns = Float[np.ndarray, "pattern seed"]
PerPattern = Float[np.ndarray, "pattern arm"]


@dataclass(frozen=True, eq=False)
class JointTest:
    """What the joint test says of each arm.

    Attributes:
        p: (arm,) two-sided p, corrected for all arms; NaN for an arm without a seed.
        low: (arm,) lower end of the interval of the mean difference, which holds for all arms together; -inf where
            the seeds are too few to bound it.
        high: (arm,) upper end.
    """

    p: PerArm
    low: PerArm
    high: PerArm


def joint_sign_flip(
    differences: Differences, rng: np.random.Generator, draws: int = DRAWS
) -> JointTest:
    """Test each arm's mean paired difference against zero, all arms together, and return simultaneous intervals.

    The statistic of an arm is u = |sum of s_i d_i| / sqrt(sum of d_i^2), for signs s_i = +-1 that are common to all
    arms: a rising function of |t|. p of an arm is the share of patterns in which the greatest u of all arms reaches
    the arm's observed u (single step: no arm's p depends on the order of others). It is exact if differences are
    symmetric about their means.

    An interval holds every mean that the same patterns would not reject at 5 %, with the other arms moved to their
    own means. Where the test rejects zero and that interval still holds it, which happens with few seeds and many
    arms, the end next to zero is the one with the other arms as they are: so an interval leaves out zero exactly if p
    is below 5 %. `scripts/studies/level` measures level, power and coverage.

    Args:
        differences: Arm minus reference, per seed; NaN where one of the two has not finished the seed. Arms and seeds
            may come in any order.
        rng: Draws patterns where there are more than `EXACT_SEEDS` seeds, in common for all arms.
        draws: Most patterns; fewer where so many arms would not fit into memory.
    """
    arms = len(differences)
    p, low, high = (np.full(arms, math.nan) for _ in range(3))
    tested = np.flatnonzero(np.isfinite(differences).any(axis=1))
    if len(tested) == 0:
        return JointTest(p, low, high)
    known = np.isfinite(differences[tested])
    seeds = known.any(axis=0)
    known = known[:, seeds]
    values = np.where(known, differences[tested][:, seeds], 0.0)
    flips = _Flips(values, known, sign_patterns(int(seeds.sum()), rng, draws=draws))
    p[tested], low[tested], high[tested] = flips.result()
    return JointTest(p, low, high)


def sign_patterns(
    seeds: int, rng: np.random.Generator, exact_up_to: int = EXACT_SEEDS, draws: int = DRAWS
) -> Patterns:
    """Return patterns of signs: all of them, a pattern and its mirror image once, or `draws` random ones.

    The observed pattern, all +1, is the first.
    """
    if seeds > exact_up_to or 2 ** (seeds - 1) > draws:
        signs = rng.integers(2, size=(draws, seeds)) * 2.0 - 1
        signs[0] = 1
        return np.asarray(signs)
    codes = np.arange(2 ** (seeds - 1))
    return np.asarray(1 - 2.0 * (codes[:, None] >> np.arange(seeds) & 1))


class _Flips:
    """Statistics of arms under all patterns; differences that are not known are zero, which no sign changes."""

    def __init__(self, values: Differences, known: Bool[np.ndarray, "arm seed"], signs: Patterns):
        self._signs = signs
        self._sums = signs @ values.T
        self._n = known.sum(axis=1).astype(float)
        self._mean = values.sum(axis=1) / self._n
        centred = np.where(known, values - self._mean[:, None], 0.0)
        # The spread of equal values is rounding noise, which must not become a statistic.
        size = np.abs(values).max(axis=1)
        centred[np.abs(centred).max(axis=1) <= 1e-12 * size] = 0.0
        self._squares = (centred**2).sum(axis=1)
        kept = (signs @ known.T + self._n) / 2
        self._kept = np.rint(kept)
        self._statistic = _statistic(self._sums, values)
        self._as_they_are = _greatest_of_others(self._statistic)
        self._centred = _greatest_of_others(_statistic(signs @ centred.T, centred))

    def result(self) -> tuple[PerArm, PerArm, PerArm]:
        """Return p and the interval's ends."""
        # Rounding must not split ties with the observed pattern, which would halve the smallest p.
        observed = self._statistic[0] - 1e-9
        p = (np.maximum(self._statistic, self._as_they_are) >= observed).mean(axis=0)
        low, high = self._ends(self._centred)
        nearer_low, nearer_high = self._ends(self._as_they_are)
        shown = p < SIGNIFICANCE
        above, below = shown & (self._mean > 0), shown & (self._mean < 0)
        tiny = np.finfo(float).tiny
        low = np.where(above & (low <= 0), np.maximum(nearer_low, tiny), low)
        high = np.where(below & (high >= 0), np.minimum(nearer_high, -tiny), high)
        low = np.where(shown, low, np.minimum(low, 0.0))
        high = np.where(shown, high, np.maximum(high, 0.0))
        return p, low, high

    def _ends(self, others: PerPattern) -> tuple[PerArm, PerArm]:
        """Return the least and the greatest mean that patterns do not reject, given the greatest u of the others.

        A pattern is as extreme as the observed one, for a mean m, where m lies between the mean of the seeds that it
        keeps and that of those it flips, or so near to the observed mean that u(m) is at most the others' greatest:
        |m - mean| <= o sqrt(S / (n (n - o^2))), S the sum of squares about the mean. So an end is a quantile of ends.
        """
        totals = self._sums[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            kept = (totals + self._sums) / 2 / self._kept
            flipped = (totals - self._sums) / 2 / (self._n - self._kept)
            room = self._n * (self._n - others**2)
            reach = np.where(room > 1e-9, others * np.sqrt(self._squares / room), math.inf)
        reach = np.where(self._squares > 0, reach, 0.0)
        whole = (self._kept == 0) | (self._kept == self._n)
        lows = np.where(whole, -math.inf, np.fmin(np.fmin(kept, flipped), self._mean - reach))
        highs = np.where(whole, math.inf, np.fmax(np.fmax(kept, flipped), self._mean + reach))
        rank = math.ceil(SIGNIFICANCE * len(lows) - 1e-9)
        low = np.partition(lows, rank - 1, axis=0)[rank - 1]
        high = -np.partition(-highs, rank - 1, axis=0)[rank - 1]
        return low, high


def _statistic(sums: PerPattern, values: Differences) -> PerPattern:
    """Return u of each arm under each pattern, 0 for an arm whose values are all zero."""
    norm = np.sqrt((values**2).sum(axis=1))
    return np.asarray(np.abs(sums) / np.where(norm > 0, norm, math.inf))


def _greatest_of_others(statistic: PerPattern) -> PerPattern:
    """Return for each arm the greatest value among the other arms, 0 where there is none."""
    patterns, arms = statistic.shape
    if arms == 1:
        return np.zeros((patterns, 1))
    two = np.partition(statistic, arms - 2, axis=1)[:, arms - 2 :]
    return np.where(statistic == two[:, 1:], two[:, :1], two[:, 1:])
