"""The published study's interval: its width by hand, its coverage by simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from alray.statistics.original import original_coverage, original_half_width
from tests.helpers.intervals import generator


def test_it_is_a_factor_of_the_population_sd():
    values = np.array([[0.1, 0.5], [0.3, 0.5], [0.2, 0.5], [0.6, math.nan]])
    half = original_half_width(values)
    assert half[0] == pytest.approx(0.95 * stats.tstd(values[:, 0]) * math.sqrt(3 / 4) / 2)
    assert math.isnan(half[1])
    assert np.isnan(original_half_width(values[:1])).all()


@pytest.mark.parametrize(("n", "published"), [(5, 0.56), (3, None), (20, None)])
def test_it_holds_the_mean_far_less_often_than_it_says(n, published):
    draws = 20_000
    values = generator(n).normal(2.0, 3.0, size=(n, draws))
    held = np.abs(values.mean(axis=0) - 2.0) <= original_half_width(values)
    expected = original_coverage(n)
    assert held.mean() == pytest.approx(expected, abs=4 * math.sqrt(0.25 / draws))
    assert expected < 0.67
    if published is not None:
        assert expected == pytest.approx(published, abs=0.005)


def test_one_seed_has_none():
    assert math.isnan(original_coverage(1))
