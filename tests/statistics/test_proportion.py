"""Wilson's interval: against SciPy, and how often it holds the truth."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from alray.statistics.proportion import grouped_share, wilson


@pytest.mark.parametrize(("right", "n"), [(0, 10), (3, 10), (50, 60), (200, 200)])
def test_it_is_scipys(right, n):
    expected = binomtest(right, n).proportion_ci(method="wilson")
    found = wilson(float(right), float(n))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("n", [10, 20, 50, 100, 200, 500])
def test_over_true_shares_it_holds_them_in_95_percent(n):
    """Exactly: by the binomial distribution, not by draws."""
    counts = np.arange(n + 1)
    ends = np.array([wilson(float(right), float(n))[1:] for right in counts])
    shares = np.linspace(0.3, 0.95, 131)
    held = [
        binom.pmf(counts, n, share)[(ends[:, 0] <= share) & (share <= ends[:, 1])].sum()
        for share in shares
    ]
    assert 0.945 <= np.mean(held) <= 0.96
    assert min(held) > (0.86 if n < 50 else 0.92)


@pytest.mark.parametrize("n", [20, 50, 100, 500])
def test_over_small_shares_it_does_so_too_though_not_at_each(n):
    counts = np.arange(n + 1)
    ends = np.array([wilson(float(right), float(n))[1:] for right in counts])
    shares = np.linspace(0, 0.1, 401)[1:]
    held = [
        binom.pmf(counts, n, share)[(ends[:, 0] <= share) & (share <= ends[:, 1])].sum()
        for share in shares
    ]
    assert 0.94 <= np.mean(held) <= 0.96
    assert min(held) > 0.83


def test_groups_that_are_alike_say_less():
    """Of 40 groups of 5 equal objects the interval is that of 40 objects; of 200 single ones that of 200."""
    rng = np.random.default_rng(0)
    of_group = (rng.random(40) < 0.7).astype(np.float64)
    right, groups = np.repeat(of_group, 5), np.repeat(np.arange(40), 5)
    found, alone = grouped_share(right, groups), grouped_share(right)
    assert found.share == alone.share
    expected = wilson(float(of_group.sum()), 40.0)
    assert found.high - found.low == pytest.approx(expected.high - expected.low, rel=0.03)
    assert found.high - found.low > 1.8 * (alone.high - alone.low)
    assert grouped_share(np.ones(200), groups).low == pytest.approx(wilson(40.0, 40.0).low)


def test_with_groups_it_holds_the_truth_too():
    rng = np.random.default_rng(1)
    held = []
    for _ in range(400):
        sizes = rng.integers(1, 6, 60)
        easy = rng.beta(4, 1.5, 60)
        groups = np.repeat(np.arange(60), sizes)
        right = (rng.random(len(groups)) < np.repeat(easy, sizes)).astype(np.float64)
        found = grouped_share(right, groups)
        held.append(found.low <= 4 / 5.5 <= found.high)
    assert 0.92 <= np.mean(held) <= 0.985


def test_of_nothing_it_is_nothing():
    assert np.isnan(wilson(0.0, 0.0)).all()
