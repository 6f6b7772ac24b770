"""Wilcoxon's signed-rank test, exact with ties too, and Holm's correction for many tests."""

import math

import numpy as np
from jaxtyping import Float

EXACT = 50
"""Up to so many differences p is exact, as in SciPy, and where some are tied too, which SciPy takes as normal."""

DIGITS = 12
"""Differences that agree to so many digits of the largest one are tied: what is left is rounding."""

PValues = Float[np.ndarray, " test"]


def signed_rank_p(differences: Float[np.ndarray, " block"]) -> float:
    """Return the two-sided p of paired differences that are symmetric about zero (Wilcoxon 1945).

    Differences of zero say nothing and are left out; tied ones share their mean rank. Where none is left, p is 1.
    Beyond `EXACT` differences the normal approximation is used, with its correction for ties.
    """
    from scipy.stats import rankdata  # noqa: PLC0415 -- a third of a second that no sweep need wait for

    size = float(np.abs(differences).max(initial=0.0))
    if size == 0 or not math.isfinite(size):
        return 1.0 if size == 0 else math.nan
    rounded = np.round(differences / size, DIGITS)
    rounded = rounded[rounded != 0]
    ranks = np.asarray(rankdata(np.abs(rounded)))
    positive = float(ranks[rounded > 0].sum())
    return _exact_p(ranks, positive) if len(ranks) <= EXACT else _normal_p(ranks, positive)


def _exact_p(ranks: Float[np.ndarray, " n"], positive: float) -> float:
    """Return twice the smaller tail of the sum of ranks, each of which has either sign with equal chance."""
    # Mean ranks are multiples of a half.
    doubled = np.rint(2 * ranks).astype(int)
    chances = np.zeros(doubled.sum() + 1)
    chances[0] = 1.0
    for rank in doubled:
        added = np.zeros_like(chances)
        added[rank:] = chances[:-rank]
        chances = (chances + added) / 2
    at = round(2 * positive)
    return min(1.0, 2 * float(min(chances[: at + 1].sum(), chances[at:].sum())))


def _normal_p(ranks: Float[np.ndarray, " n"], positive: float) -> float:
    from scipy.special import ndtr  # noqa: PLC0415 -- as above

    n = len(ranks)
    # With ties too: each rank is added or not with equal chance.
    deviation = math.sqrt(float((ranks**2).sum()) / 4)
    return 2 * float(ndtr(-abs(positive - n * (n + 1) / 4) / deviation))


def holm(p: PValues) -> PValues:
    """Return p corrected for all tests (Holm 1979): the smallest times their number, the next one times one less, ...

    The chance of any wrong rejection among all stays below the level, whatever the tests have to do with each other.
    """
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(steps, 1.0)
    return corrected
