"""How reliable a group's outcome is: agreement of fine-tuning seeds, which are raters common to all groups.

Values that cannot be computed (one seed, one group, equal values, a NaN) are NaN.
"""

import math

import numpy as np
from jaxtyping import Float

from alray.statistics.ranks import spearman

RELIABLE = 0.3
"""Below this reliability of the outcome nothing is concluded."""

WANTED = 0.8
"""The reliability that the column `seeds_needed` of a study's summary aims at."""

Ratings = Float[np.ndarray, "*rest group seed"]
PerMatrix = Float[np.ndarray, "*rest"]


def intraclass_correlation(ratings: Ratings) -> tuple[PerMatrix, PerMatrix]:
    """Return ICC(3,1) and ICC(3,k), two-way mixed and for consistency: of one seed and of the mean over the k seeds.

    Shrout and Fleiss 1979 (Psychological Bulletin 86, p. 423): with the mean squares between groups B and of the
    residual E, (B - E) / (B + (k - 1) E) and (B - E) / B. At most 1; negative where seeds disagree by more than
    chance. What a seed adds to every group (the control, for one) leaves them as they are.
    """
    n, k = ratings.shape[-2:]
    if n < 2 or k < 2:
        return np.full(ratings.shape[:-2], math.nan), np.full(ratings.shape[:-2], math.nan)
    between, error = _mean_squares(ratings)
    single = np.asarray((between - error) / (between + (k - 1) * error))
    return single, np.asarray((between - error) / between)


def no_difference_p(ratings: Float[np.ndarray, "base group seed"]) -> float:
    """Return the p of groups that do not differ at all: the F test of the mean squares of all bases together.

    F = sum of B / sum of E over bases, with bases x (n - 1) and bases x (n - 1)(k - 1) degrees of freedom, B and E as
    in `intraclass_correlation`; it is the test of a reliability of zero.
    """
    bases, n, k = ratings.shape
    if n < 2 or k < 2:
        return math.nan
    between, error = (float(part.sum()) for part in _mean_squares(ratings))
    if math.isnan(between) or between + error == 0:
        return math.nan
    ratio = between / error if error > 0 else math.inf
    from scipy.special import fdtrc  # noqa: PLC0415 -- a study starts without it

    return float(fdtrc(bases * (n - 1), bases * (n - 1) * (k - 1), ratio))


def _mean_squares(ratings: Ratings) -> tuple[PerMatrix, PerMatrix]:
    """Return the mean squares between groups and of the residual; the first is NaN where all groups are equal."""
    n, k = ratings.shape[-2:]
    of_group = ratings.mean(axis=-1, keepdims=True)
    of_seed = ratings.mean(axis=-2, keepdims=True)
    overall = of_group.mean(axis=-2, keepdims=True)
    between = k * np.square(of_group - overall).sum(axis=(-2, -1)) / (n - 1)
    residuals = ratings - of_group - of_seed + overall
    error = np.square(residuals).sum(axis=(-2, -1)) / ((n - 1) * (k - 1))
    # Equal values leave rounding only, which has no reliability.
    varies = between > 1e-20 * np.square(ratings).max(axis=(-2, -1))
    return np.where(varies, between, math.nan), np.asarray(error)


def seeds_for_reliability(single: float, wanted: float) -> int | None:
    """Return the fewest seeds whose mean has the wanted reliability in (0, 1) (Spearman-Brown, solved for k).

    None where one seed's reliability is not positive or unknown: then no number can be named.
    """
    if not single > 0:
        return None
    # Rounding must not ask for one seed more where the answer is a whole number.
    return max(1, math.ceil(wanted * (1 - single) / (single * (1 - wanted)) - 1e-9))


def split_half(ratings: Ratings) -> PerMatrix:
    """Return the rank agreement of two halves of the seeds, as the reliability of the mean over all of them.

    Spearman's rho of the group means over even and over odd seeds (by position, not by value), r, carried to
    the double number of seeds: 2 r / (1 + r). With an odd number of seeds the halves differ by one.
    """
    if ratings.shape[-1] < 2:
        return np.full(ratings.shape[:-2], math.nan)
    rho = spearman(ratings[..., ::2].mean(axis=-1), ratings[..., 1::2].mean(axis=-1))
    return np.asarray(2 * rho / (1 + np.where(rho > -1, rho, math.nan)))
