"""Rank correlation over groups, its partial form, and pooling over base models. NumPy and SciPy only, and no I/O.

A NaN that goes in comes out as NaN, and so does what cannot be ranked: values that are all equal.
"""

import math

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

from alray.stats import LEVEL, Interval, mean_interval

EXPLAINED = 0.9
"""Share of the covariates' variance that their kept principal components must cover."""

GROUPS_PER_COMPONENT = 5
"""At least so many groups stand behind each kept component."""

LARGEST_RHO = 1 - 1e-6
"""Correlations are cut to +- this before Fisher's z, which is infinite at 1: |z| <= 7.3."""

Groups = Float[np.ndarray, "*rest group"]
Broadcast = Float[np.ndarray, "*#rest group"]


def unit_ranks(values: Groups) -> Groups:
    """Return mid-ranks along the last axis, centred and of unit length, so that the sum of products of two is rho.

    NaN along the whole axis where a value is NaN or all are equal.
    """
    centred = rankdata(values, axis=-1) - (values.shape[-1] + 1) / 2
    return _unit(np.asarray(centred, float))


def spearman(x: Broadcast, y: Broadcast) -> Float[np.ndarray, "..."]:
    """Return Spearman's rho in [-1, 1] along the last axis: Pearson's correlation of the mid-ranks.

    Leading axes are broadcast.
    """
    return np.asarray((unit_ranks(x) * unit_ranks(y)).sum(axis=-1).clip(-1, 1))


def principal_components(
    covariates: Float[np.ndarray, "group covariate"],
) -> Float[np.ndarray, "group component"]:
    """Return the leading principal components of the centred covariates, each of unit length.

    The fewest that cover `EXPLAINED` of the variance, but at most one for every `GROUPS_PER_COMPONENT` groups: with
    many classes and few groups, all class shares would explain any outcome. None where nothing varies.
    """
    centred = covariates - covariates.mean(axis=0)
    axes, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    # Shares that differ by rounding only are no covariates.
    if not lengths.size or lengths[0] <= 1e-9 * max(1.0, float(np.abs(covariates).max())):
        return np.empty((len(covariates), 0))
    covered = np.cumsum(lengths**2) / np.sum(lengths**2)
    enough = int(np.searchsorted(covered, EXPLAINED)) + 1
    return np.asarray(axes[:, : min(enough, len(covariates) // GROUPS_PER_COMPONENT)])


def partial_spearman(
    x: Broadcast, y: Broadcast, components: Float[np.ndarray, "group component"]
) -> Float[np.ndarray, "..."]:
    """Return Spearman's rho of what covariates do not explain: Pearson's correlation of the ranks' residuals.

    Ranks are regressed by least squares on a constant and the components (orthonormal and centred, as
    `principal_components` returns them). With the ranks of one covariate as the component it is the textbook
    (r_xy - r_xz r_yz) / sqrt((1 - r_xz^2)(1 - r_yz^2)). NaN where the covariates explain all of x or y.
    """

    def residuals(values: Groups) -> Groups:
        ranks = unit_ranks(values)
        return _unit(ranks - (ranks @ components) @ components.T)

    return np.asarray((residuals(x) * residuals(y)).sum(axis=-1).clip(-1, 1))


def fisher_z(rho: Float[np.ndarray, "*rest"]) -> Float[np.ndarray, "*rest"]:
    """Return Fisher's z = artanh(rho), finite for all rho (see `LARGEST_RHO`)."""
    return np.asarray(np.arctanh(np.clip(rho, -LARGEST_RHO, LARGEST_RHO)))


def pooled(rhos: Float[np.ndarray, " base"], level: float = LEVEL) -> Interval:
    """Return tanh of the mean Fisher z over base models and of its t interval: bases are the replicates.

    One base has an estimate and no interval. It estimates the correlation in the population of bases that could
    have been trained, at this noise of the outcomes (uncorrected for their reliability).
    """
    if len(rhos) == 1:
        return Interval(float(rhos[0]), math.nan, math.nan, 1)
    z = mean_interval(fisher_z(rhos), level)
    return Interval(math.tanh(z.estimate), math.tanh(z.low), math.tanh(z.high), z.n)


def _unit(centred: Groups) -> Groups:
    lengths = np.linalg.norm(centred, axis=-1, keepdims=True)
    # Ranks have lengths of 1 or more, unit ranks of 1: what is left below 1e-6 is rounding, not variation.
    return np.asarray(centred / np.where(lengths > 1e-6, lengths, math.nan))
