"""Wilcoxon's signed-rank test against SciPy and all signs, and Holm's correction against its definition."""

import itertools

import numpy as np
import pytest
from scipy import stats

from alray.statistics.signed_ranks import EXACT, holm, signed_rank_p


def by_all_signs(differences):
    """Return the two-sided p by looking at every pattern of signs."""
    kept = differences[differences != 0]
    ranks = stats.rankdata(np.abs(kept))
    observed = ranks[kept > 0].sum()
    sums = np.array(
        [
            ranks[np.array(signs)].sum()
            for signs in itertools.product([False, True], repeat=len(kept))
        ]
    )
    return min(1.0, 2 * min((sums <= observed).mean(), (sums >= observed).mean()))


@pytest.mark.parametrize("n", [1, 2, 5, 12, 30, EXACT])
def test_without_ties_p_is_that_of_scipy(n):
    for seed in range(5):
        differences = np.random.default_rng(seed).normal(0.4, 1, n)
        expected = stats.wilcoxon(differences, method="exact").pvalue
        assert signed_rank_p(differences) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_with_ties_and_zeros_p_is_that_of_all_signs(seed):
    differences = np.random.default_rng(seed).integers(-2, 4, 11).astype(float)
    assert signed_rank_p(differences) == pytest.approx(by_all_signs(differences), rel=1e-9)


def test_many_differences_are_taken_as_normal_as_scipy_does():
    differences = np.random.default_rng(0).integers(-5, 7, 90).astype(float)
    expected = stats.wilcoxon(differences, method="approx", correction=False).pvalue
    assert signed_rank_p(differences) == pytest.approx(expected, rel=1e-9)


def test_rounding_does_not_split_ties():
    rounded = np.array([0.1 + 0.2, -0.3, 0.3, 0.3, -(0.1 + 0.2), 0.7, 0.1 * 3])
    assert signed_rank_p(rounded) == signed_rank_p(np.round(rounded, 6))


def test_equal_arms_and_unknown_values():
    assert signed_rank_p(np.zeros(7)) == 1
    assert signed_rank_p(np.empty(0)) == 1
    assert np.isnan(signed_rank_p(np.array([1.0, np.nan])))


def test_holm_multiplies_by_the_tests_that_are_left():
    p = np.array([0.04, 0.01, 0.03, 0.5])
    assert holm(p) == pytest.approx([0.09, 0.04, 0.09, 0.5])
    assert holm(np.array([0.9, 0.8])) == pytest.approx([1, 1])
    assert len(holm(np.empty(0))) == 0
