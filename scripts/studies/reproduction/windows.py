"""What windows that overlap do to the test of a correlation, simulated where there is no correlation at all.

The published code sorted objects by a score, trained on the windows of `GROUP` objects that begin at the 1st, 2nd, ...
object, and correlated their accuracies with the mean scores of as many disjoint groups. Neighbouring windows share all
objects but two, so their accuracies go up and down together, in waves; the mean scores rise steadily. Two such series
correlate by chance, and a test that takes windows for independent calls it significant.
"""

import math

import numpy as np
import pandas as pd
from jaxtyping import Float

from alray.seeding import generator
from alray.statistics.ranks import spearman

GROUPS, GROUP = 100, 100
PRINTED = 0.25
"""The size of the correlations that the study printed."""

NOISE = (0.0, 1.0, 3.0)
"""Standard deviation of a fine-tune's own noise, over that of what its objects do for it."""

STUDIES = 2_000


def window_table(studies: int = STUDIES) -> pd.DataFrame:
    """Return a row per design and noise: in how many studies without an effect a test at 5 % finds one.

    Columns: design (overlapping windows or disjoint groups), noise, studies, significant and its standard error,
    printed: the share of studies whose rank correlation is at least as large as the printed ones, and its standard
    error, median_rho: the median of the correlation's size.
    """
    rows = []
    for number, noise in enumerate(NOISE):
        rng = generator(0, 0, "overlapping_windows", number)
        for design in ("overlapping windows", "disjoint groups"):
            rho = null_correlations(noise, studies, rng, overlapping=design != "disjoint groups")
            significant = float((_p(rho) < 0.05).mean())
            printed = float((np.abs(rho) >= PRINTED).mean())
            rows.append(
                {
                    "design": design,
                    "noise": noise,
                    "studies": studies,
                    "significant": significant,
                    "significant_error": _error(significant, studies),
                    "printed": printed,
                    "printed_error": _error(printed, studies),
                    "median_rho": float(np.median(np.abs(rho))),
                }
            )
    return pd.DataFrame(rows)


def null_correlations(
    noise: float, studies: int, rng: np.random.Generator, *, overlapping: bool
) -> Float[np.ndarray, " study"]:
    """Return the rank correlations of studies in which what an object teaches has nothing to do with its score."""
    scores = np.arange(GROUPS, dtype=float)  # the mean scores of sorted groups rise
    if overlapping:
        taught = rng.standard_normal((studies, GROUPS + GROUP))
        sums = np.pad(np.cumsum(taught, axis=1), ((0, 0), (1, 0)))
        outcome = (sums[:, GROUP : GROUP + GROUPS] - sums[:, :GROUPS]) / GROUP
    else:
        outcome = rng.standard_normal((studies, GROUPS, GROUP)).mean(axis=2)
    own = noise / math.sqrt(GROUP) * rng.standard_normal((studies, GROUPS))
    return spearman(scores, outcome + own)


def _p(rho: Float[np.ndarray, " study"]) -> Float[np.ndarray, " study"]:
    """Return the two-sided p of rank correlations of independent groups, by the t distribution."""
    from scipy.special import stdtr  # noqa: PLC0415 -- the plan is printed without it

    t = np.abs(rho) * np.sqrt((GROUPS - 2) / np.maximum(1 - rho**2, 1e-12))
    return np.asarray(2 * (1 - stdtr(GROUPS - 2, t)))


def _error(share: float, studies: int) -> float:
    return math.sqrt(share * (1 - share) / studies)
