"""Paired statistics against SciPy."""

import math

import numpy as np
import pytest

from alray.statistics.paired import (
    excludes_zero,
    mean_interval,
    pointwise,
)
from tests.helpers.intervals import ends, generator, t_interval


def differences(n, shift=0.3, seed=0):
    return generator(seed).normal(shift, 1, size=n)


@pytest.mark.parametrize("n", [2, 3, 6, 30])
def test_interval_is_scipys_t_interval(n):
    """Of the differences, it is that of `scipy.stats.ttest_rel`."""
    values = differences(n, seed=n)
    assert ends(mean_interval(values)) == pytest.approx(t_interval(values), rel=1e-12)


@pytest.mark.parametrize(
    ("values", "estimate", "end"),
    [
        ([], math.nan, math.nan),
        ([0.25], 0.25, math.nan),
        ([0.25, 0.25, 0.25], 0.25, 0.25),
        ([0.1, math.nan, 0.2], math.nan, math.nan),
        ([0.1, math.inf], math.nan, math.nan),
    ],
)
def test_interval_of_degenerate_values_is_defined(values, estimate, end):
    """Nothing is dropped and nothing warns."""
    interval = mean_interval(np.array(values, dtype=float))
    assert interval.n == len(values)
    assert ends(interval) == pytest.approx([end, estimate, end], nan_ok=True)


def test_pointwise_is_the_t_interval_of_each_point():
    """Against SciPy and against the interval of one value; where all seeds agree it has no length."""
    values = generator(3).normal(0, 0.01, size=(8, 40))
    values[:, 0] = 0.7
    mean, half = pointwise(values)
    found = np.array([mean - half, mean, mean + half])
    assert found[:, 1:] == pytest.approx(np.array(t_interval(values[:, 1:])))
    assert found[:, 7] == pytest.approx(ends(mean_interval(values[:, 7])))
    # The standard deviation of equal values is not always zero: here it is rounding noise.
    assert values.std(axis=0, ddof=1)[0] > 0
    assert (mean[0], half[0]) == (pytest.approx(0.7), 0)


@pytest.mark.parametrize(
    ("low_and_high", "expected"),
    [
        *[((0.1, 0.2), True), ((-0.2, -0.1), True), ((-math.inf, -0.1), True)],
        *[((-0.1, 0.1), False), ((0.0, 0.1), False), ((-0.1, 0.0), False)],
        ((math.nan, math.nan), False),
    ],
)
def test_an_interval_excludes_zero_where_it_lies_on_one_side(low_and_high, expected):
    assert excludes_zero(*low_and_high) is expected
