"""Reliability against the published table, theory and invariances."""

import math

import numpy as np
import pytest

from alray.statistics.reliability import (
    intraclass_correlation,
    seeds_for_reliability,
    split_half,
)
from tests.helpers.intervals import generator

SHROUT_FLEISS = np.array(
    [
        [9.0, 2.0, 5.0, 8.0],
        [6.0, 1.0, 3.0, 2.0],
        [8.0, 4.0, 6.0, 8.0],
        [7.0, 1.0, 2.0, 6.0],
        [10.0, 5.0, 6.0, 9.0],
        [6.0, 2.0, 4.0, 7.0],
    ]
)
"""Table 2 of Shrout and Fleiss 1979: four judges rate six targets."""


def test_icc_is_that_of_the_published_table():
    """Table 4 there: ICC(3,1) = .71, ICC(3,4) = .91; more digits from R's psych::ICC."""
    single, mean = intraclass_correlation(SHROUT_FLEISS)
    assert (float(single), float(mean)) == pytest.approx((0.7148, 0.9093), abs=1e-4)


def test_icc_recovers_the_variances_of_a_simulation():
    """Groups with variance 1 and noise with variance 3: .25 for one seed, 5 / 8 for five."""
    rng = generator(1)
    ratings = rng.normal(size=(200, 100, 1)) + rng.normal(0, math.sqrt(3), size=(200, 100, 5))
    single, mean = intraclass_correlation(ratings)
    assert (single.mean(), mean.mean()) == pytest.approx((0.25, 0.625), abs=0.02)


@pytest.mark.parametrize(
    "ratings",
    [
        *[SHROUT_FLEISS[:, :1], SHROUT_FLEISS[:1], np.full((4, 3), 0.7)],
        np.where(SHROUT_FLEISS == 1, math.nan, SHROUT_FLEISS),
    ],
    ids=["one seed", "one group", "equal", "missing outcomes"],
)
def test_icc_that_cannot_be_computed_is_nan(ratings):
    """Nothing warns."""
    assert np.isnan(intraclass_correlation(ratings)).all()


def spearman_brown(single, seeds):
    """Return the reliability of the mean over so many seeds, k r / (1 + (k - 1) r)."""
    return seeds * single / (1 + (seeds - 1) * single)


def test_seeds_needed_inverts_spearman_brown():
    """The fewest: with one seed less the wanted reliability is missed."""
    for single, seeds in {0.05: 76, 0.2: 16, 0.5: 4}.items():
        assert seeds_for_reliability(single, 0.8) == seeds
        assert spearman_brown(single, seeds) >= 0.8 - 1e-12
        assert spearman_brown(single, seeds - 1) < 0.8
    assert seeds_for_reliability(0.99, 0.8) == 1


@pytest.mark.parametrize("single", [0.0, -0.2, math.nan])
def test_no_number_of_seeds_can_be_named_without_reliability(single):
    assert seeds_for_reliability(single, 0.8) is None


def test_split_halves_estimate_the_reliability():
    """Of all seeds: near ICC(3,k), which here is 4 x .5 / (1 + 3 x .5) = .8."""
    rng = generator(2)
    ratings = rng.normal(size=(100, 200, 1)) + rng.normal(size=(100, 200, 4))
    assert split_half(ratings).mean() == pytest.approx(0.8, abs=0.03)


def test_split_halves_are_every_second_seed():
    """Seeds 0 and 2 rank the groups as seeds 1 and 3 do, or against them."""
    up = np.arange(5.0)
    agreeing = np.stack([up, 3 * up, up, up], axis=1)
    assert float(split_half(agreeing)) == pytest.approx(1)
    half_opposed = np.stack([up, -up, up, -up], axis=1)
    assert math.isnan(float(split_half(half_opposed)))
    assert math.isnan(float(split_half(up[:, None])))
