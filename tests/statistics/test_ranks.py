"""Rank correlation against SciPy, textbook formulas and invariances."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from alray.statistics.ranks import (
    GROUPS_PER_COMPONENT,
    fisher_z,
    partial_spearman,
    pooled,
    principal_components,
    spearman,
    unit_ranks,
)
from tests.helpers.intervals import ends, generator, t_interval


@pytest.mark.parametrize("tied", [False, True])
def test_spearman_is_scipys(tied):
    """With mid-ranks for ties, for one pair and for a stack of them."""
    x, y = generator(1).normal(size=(2, 3, 40))
    if tied:
        x, y = np.round(x), np.round(y + x)
    expected = [scipy_stats.spearmanr(a, b).statistic for a, b in zip(x, y, strict=True)]
    assert spearman(x, y) == pytest.approx(expected, abs=1e-12)
    assert float(spearman(x[0], y[0])) == pytest.approx(expected[0], abs=1e-12)


def test_what_cannot_be_ranked_is_nan():
    """A NaN is not dropped, equal values have no order."""
    values = np.array([[1.0, math.nan, 2.0], [1.0, 1.0, 1.0], [1.0, 2.0, math.inf]])
    assert np.isnan(unit_ranks(values)).all(axis=1).tolist() == [True, True, False]


def test_partial_spearman_is_the_textbook_formula():
    """With the ranks of one covariate: (r_xy - r_xz r_yz) / sqrt((1 - r_xz^2)(1 - r_yz^2))."""
    z, x, y = generator(2).normal(size=(3, 50))
    x, y = x + z, y + z
    xy, xz, yz = (float(spearman(*pair)) for pair in ((x, y), (x, z), (y, z)))
    expected = (xy - xz * yz) / math.sqrt((1 - xz**2) * (1 - yz**2))
    components = principal_components(unit_ranks(z)[:, None])
    assert float(partial_spearman(x, y, components)) == pytest.approx(expected, rel=1e-12)


def test_partial_spearman_takes_out_what_classes_explain():
    """A score that only tells the classes apart correlates with usefulness, and not given the classes."""
    rng = generator(3)
    shares = rng.dirichlet(np.ones(4), size=400)
    effect = shares @ [0.0, 1.0, 2.0, 4.0]
    x, y = (effect + rng.normal(0, 0.2, size=400) for _ in range(2))
    components = principal_components(shares)
    assert float(spearman(x, y)) > 0.7
    # Three components hold all that shares say; the null deviation of rho is 1 / sqrt(400 - 4).
    assert components.shape == (400, 3)
    assert abs(float(partial_spearman(x, y, components))) < 0.2


def test_without_components_partial_spearman_is_spearman():
    """Class shares that are the same in every group explain nothing."""
    x, y = generator(4).normal(size=(2, 30))
    components = principal_components(np.full((30, 5), 0.2))
    assert components.shape == (30, 0)
    assert float(partial_spearman(x, y, components)) == pytest.approx(float(spearman(x, y)))


def test_a_score_that_covariates_explain_has_no_partial_rho():
    """Residuals are then rounding, not a ranking."""
    x = np.arange(20.0)
    components = principal_components(unit_ranks(x)[:, None])
    assert math.isnan(float(partial_spearman(x, generator().normal(size=20), components)))


def test_components_cover_most_of_the_variance_and_stay_few():
    """Enough to cover 90 %, and never more than a fifth of the groups."""
    rng = generator(5)
    wide = rng.normal(size=(40, 30))
    assert principal_components(wide).shape[1] == 40 // GROUPS_PER_COMPONENT
    two_strong = rng.normal(size=(100, 2)) @ rng.normal(size=(2, 9))
    components = principal_components(two_strong + rng.normal(0, 1e-3, (100, 9)))
    assert components.shape[1] <= 2
    assert components.T @ components == pytest.approx(np.eye(components.shape[1]), abs=1e-12)
    assert components.mean(axis=0) == pytest.approx(0, abs=1e-12)


def test_pooling_is_the_t_interval_of_fisher_z():
    """Against SciPy on z, carried back by tanh."""
    rhos = np.array([0.2, 0.5, 0.35])
    assert ends(pooled(rhos)) == pytest.approx(np.tanh(t_interval(np.arctanh(rhos))))


def test_pooling_of_one_base_and_of_unknown_ones():
    """One has an estimate and no interval; a NaN among several leaves nothing."""
    one = pooled(np.array([0.4]))
    assert (one.estimate, one.n) == (0.4, 1)
    assert math.isnan(one.low)
    assert math.isnan(pooled(np.array([0.4, math.nan, 0.3])).estimate)


def test_fisher_z_of_a_perfect_order_is_finite():
    """Its sign is kept."""
    assert fisher_z(np.array([-1.0, 0.0, 1.0])) == pytest.approx([-7.254, 0, 7.254], abs=1e-3)
