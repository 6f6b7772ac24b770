"""Bootstrap and permutations of rank correlations against slow and simple versions."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from alray.statistics.ranks import (
    bootstrap_counts,
    bootstrap_interval,
    fisher_z,
    permutation_p,
    resampled_ranks,
    spearman,
)
from tests.helpers.intervals import generator


def pair(groups=30, bases=2, slope=0.5, seed=1):
    rng = generator(seed)
    x = rng.normal(size=(bases, groups))
    return x, slope * x + rng.normal(size=(bases, groups))


def test_counts_are_draws_with_replacement_from_each_base():
    """Each draw has as many groups as there are; bases and draws differ."""
    counts = bootstrap_counts(2, 7, 50, generator())
    assert counts.shape == (2, 7, 50)
    assert (counts.sum(axis=1) == 7).all()
    assert not np.array_equal(counts[0], counts[1])
    assert np.array_equal(counts, bootstrap_counts(2, 7, 50, generator()))


@pytest.mark.parametrize("decimals", [8, 0], ids=["distinct", "tied"])
def test_resampled_rho_is_that_of_the_drawn_groups(decimals):
    """Against SciPy on groups repeated as often as they were drawn."""
    x, y = (values.round(decimals) for values in pair())
    counts = bootstrap_counts(2, 30, 20, generator())
    rhos = (resampled_ranks(x, counts) * resampled_ranks(y, counts)).sum(axis=1)
    for base in range(2):
        for draw in range(20):
            drawn = np.repeat(np.arange(30), counts[base, :, draw].astype(int))
            expected = scipy_stats.spearmanr(x[base, drawn], y[base, drawn]).statistic
            assert rhos[base, draw] == pytest.approx(expected, abs=1e-12)


def test_bootstrap_interval_has_the_deviation_of_the_draws():
    """tanh(z +- 1.96 s), z the mean over bases."""
    x, y = pair()
    counts = bootstrap_counts(2, 30, 400, generator())
    ranks_x, ranks_y = resampled_ranks(x, counts), resampled_ranks(y, counts)
    rhos = spearman(x, y)
    z = fisher_z((ranks_x * ranks_y).sum(axis=1)).mean(axis=0)
    middle, half = np.arctanh(rhos).mean(), 1.959964 * z.std(ddof=1)
    assert bootstrap_interval(rhos, ranks_x, ranks_y) == pytest.approx(
        (math.tanh(middle - half), math.tanh(middle + half)), abs=1e-6
    )


def test_bootstrap_of_a_missing_or_constant_outcome_is_nan():
    x, y = pair()
    counts = bootstrap_counts(2, 30, 40, generator())
    for broken in (np.zeros((2, 30)), np.where(y == y[0, 0], math.nan, y)):
        ends = bootstrap_interval(
            spearman(x, broken), resampled_ranks(x, counts), resampled_ranks(broken, counts)
        )
        assert np.isnan(ends).all()


def slow_p(x, y, permutations, rng):
    """Permute one score's outcomes, within each base, one by one."""
    observed = abs(fisher_z(spearman(x, y)).mean())
    extreme = sum(
        abs(fisher_z(spearman(x, rng.permuted(y, axis=1))).mean()) >= observed - 1e-9
        for _ in range(permutations)
    )
    return (extreme + 1) / (permutations + 1)


def p_of(x, y, permutations=2000, seed=3, *, common_groups=False):
    return permutation_p(x, y, generator(seed), permutations, common_groups=common_groups)


def test_p_is_that_of_a_plain_permutation_test():
    """Within the sampling error of 2,000 permutations on both sides; one score needs no correction."""
    x, y = pair(slope=0.25)
    p, p_max = p_of(x[None], y[None, :, :, None])
    expected = slow_p(x, y, 2000, generator(4))
    assert abs(p[0, 0] - expected) < 4 * math.sqrt(2 * expected * (1 - expected) / 2000)
    assert p_max[0, 0] == p[0, 0]


def test_exact_p_of_few_groups():
    """Four groups in one base, ranked perfectly: 2 of 24 orders are as extreme."""
    x = np.arange(4.0)[None, None]
    p, _ = p_of(x, x[..., None], permutations=20_000)
    assert p[0, 0] == pytest.approx(2 / 24, abs=4 * math.sqrt(1 / 12 / 20_000))


def test_the_family_wise_p_is_that_of_the_largest_of_all_scores():
    """For m independent scores about 1 - (1 - p)^m; the same score five times needs no correction."""
    rng = generator(5)
    x, y = rng.normal(size=(2, 5, 2, 40))
    p, p_max = p_of(x, y[..., None], permutations=10_000)
    assert p_max[:, 0] == pytest.approx(1 - (1 - p[:, 0]) ** 5, abs=0.03)
    same_x, same_y = (np.repeat(values[:1], 5, axis=0) for values in (x, y))
    p, p_max = p_of(same_x, same_y[..., None], common_groups=True)
    assert p_max.tolist() == p.tolist()


def test_p_is_never_zero():
    x, y = pair(slope=5.0)
    p, p_max = p_of(x[None], y[None, :, :, None], permutations=99)
    assert p[0, 0] == p_max[0, 0] == 0.01


def test_what_is_not_known_has_no_p_and_takes_none_from_the_others():
    """A constant score or a missing outcome is not counted in the family."""
    x, y = pair(slope=0.1)
    scores = np.stack([x, np.zeros_like(x)])
    outcomes = np.stack([np.stack([y, np.full_like(y, math.nan)], axis=-1)] * 2)
    p, p_max = p_of(scores, outcomes, permutations=99)
    assert 0.1 < p[0, 0] == p_max[0, 0]
    assert np.isnan(p).tolist() == [[False, True], [True, True]]
    assert np.isnan(p_max).tolist() == np.isnan(p).tolist()


def test_p_repeats_with_its_generator():
    x, y = pair(slope=0.2)
    first, again, other = (p_of(x[None], y[None, :, :, None], 500, seed) for seed in (1, 1, 2))
    assert first[0] == again[0]
    assert first[0] != other[0]
