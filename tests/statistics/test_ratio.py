"""The ratio of two paired means."""

import math

import numpy as np
import pytest

from alray.statistics.paired import mean_interval
from alray.statistics.ratio import ratio_of_means


def draws(rng, n, ratio, noise=1.0):
    """Return n pairs whose means have this ratio, with common and separate noise."""
    common = rng.normal(size=n)
    return (
        3 * ratio + noise * (0.5 * common + rng.normal(size=n)),
        3 + noise * (0.5 * common + rng.normal(size=n)),
    )


def test_the_ends_are_where_the_t_interval_of_the_difference_ends_at_zero():
    numerators, denominators = draws(np.random.default_rng(0), 9, 0.4, noise=0.5)
    found = ratio_of_means(numerators, denominators)
    assert found.estimate == pytest.approx(numerators.mean() / denominators.mean())
    for end in (found.low, found.high):
        interval = mean_interval(numerators - end * denominators)
        assert min(abs(interval.low), abs(interval.high)) < 1e-12
    inside = mean_interval(numerators - found.estimate * denominators)
    assert inside.low < 0 < inside.high


@pytest.mark.parametrize("ratio", [0.0, 0.4, 1.0, -0.5])
def test_it_covers_the_true_ratio_as_often_as_it_says(ratio):
    """4,000 studies of eight seeds: .95 within five standard errors; unbounded ones hold any ratio."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(4000):
        found = ratio_of_means(*draws(rng, 8, ratio))
        held += found.low <= ratio <= found.high
    assert abs(held / 4000 - 0.95) < 5 * math.sqrt(0.95 * 0.05 / 4000)


def test_several_intervals_are_wider():
    above, below = draws(np.random.default_rng(0), 9, 0.4, noise=0.5)
    one, many = ratio_of_means(above, below), ratio_of_means(above, below, comparisons=10)
    assert many.low < one.low < one.high < many.high
    assert many.estimate == one.estimate


def test_where_the_denominator_may_be_zero_nothing_bounds_the_ratio():
    found = ratio_of_means(np.array([1.0, 2.0, 3.0]), np.array([-1.0, 1.0, 0.5]))
    assert (found.low, found.high) == (-math.inf, math.inf)


@pytest.mark.parametrize("values", [[1.0], [1.0, math.nan]])
def test_too_few_or_unknown_values_have_no_ratio(values):
    found = ratio_of_means(np.array(values), np.ones(len(values)))
    assert math.isnan(found.estimate)
    assert math.isnan(found.low)


def test_equal_values_have_an_interval_of_length_zero():
    found = ratio_of_means(np.full(7, 1.0), np.full(7, 4.0))
    assert (found.low, found.estimate, found.high) == pytest.approx((0.25, 0.25, 0.25))
