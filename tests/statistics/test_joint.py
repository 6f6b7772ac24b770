"""The joint sign-flip test against enumeration, and its intervals against the test that they invert."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from alray.statistics.joint import EXACT_SEEDS, joint_sign_flip
from alray.statistics.paired import FEWEST_SEEDS, SIGNIFICANCE, excludes_zero
from tests.helpers.intervals import generator


def brute_force_p(rows):
    """Count sign patterns one by one, in exact fractions: u^2 of an arm is (sum s d)^2 / sum d^2."""

    def greatest(signs):
        return max(
            Fraction(sum(s * d for s, d in zip(signs, row, strict=True)) ** 2, norm)
            for row, norm in zip(rows, norms, strict=True)
        )

    norms = [sum(d * d for d in row) for row in rows]
    maxima = [greatest(signs) for signs in itertools.product((1, -1), repeat=len(rows[0]))]
    return [
        sum(each >= Fraction(sum(row) ** 2, norm) for each in maxima) / len(maxima)
        for row, norm in zip(rows, norms, strict=True)
    ]


@pytest.mark.parametrize(("arms", "seeds"), [(1, 1), (1, 6), (1, 9), (2, 6), (4, 7), (3, 10)])
def test_p_equals_brute_force(arms, seeds):
    """Small integers make ties, and are exact in tenths only up to rounding."""
    rows = generator(seeds).integers(1, 6, size=(arms, seeds))
    rows *= generator(arms).choice([1, 1, -1], size=rows.shape)
    found = joint_sign_flip(rows / 10, generator()).p
    assert found.tolist() == brute_force_p(rows.tolist())


@pytest.mark.parametrize("arms", [1, 4, 13])
@pytest.mark.parametrize(("n", "smallest"), [(5, 0.0625), (6, 0.03125), (8, 2**-7), (10, 2**-9)])
def test_smallest_p_does_not_depend_on_the_number_of_arms(arms, n, smallest):
    """One sign everywhere is the most extreme pattern, so that five seeds cannot reach 0.05."""
    found = joint_sign_flip(np.tile(np.linspace(0.1, 0.2, n), (arms, 1)), generator())
    assert (found.p == smallest).all()
    assert (smallest < SIGNIFICANCE) == (n >= FEWEST_SEEDS)
    assert np.isfinite(found.low).all() == (n >= FEWEST_SEEDS)


def test_the_interval_of_one_arm_is_made_of_means_of_seeds():
    """With six seeds two of 64 patterns may be rejected: the smallest and the largest difference are the ends."""
    values = np.array([[0.02, 0.03, 0.01, 0.025, 0.022, 0.018]])
    found = joint_sign_flip(values, generator())
    assert (found.low[0], found.high[0]) == pytest.approx((0.01, 0.03))


@given(arrays(float, (3, 8), elements=st.floats(-1, 1).map(lambda x: round(x, 3))))
@settings(max_examples=25)
def test_an_interval_leaves_out_zero_exactly_if_p_is_small(values):
    found = joint_sign_flip(values, generator())
    means = values.mean(axis=1)
    for p, low, high, mean in zip(found.p, found.low, found.high, means, strict=True):
        assert excludes_zero(float(low), float(high)) == (p < SIGNIFICANCE)
        assert low <= mean + 1e-12
        assert high >= mean - 1e-12


@pytest.mark.parametrize("moved", [0.6, 0.9])
def test_an_end_is_where_the_test_of_moved_differences_turns(moved):
    """The same arm minus a mean within the interval is not rejected, and minus one outside is."""
    values = generator(3).normal(0.3, 0.4, size=(1, 9))
    found = joint_sign_flip(values, generator())
    half = found.high[0] - values.mean()
    inside, outside = (
        joint_sign_flip(values - values.mean() - share * half, generator()).p[0]
        for share in (moved, 2 - moved)
    )
    assert inside >= SIGNIFICANCE > outside


def test_more_arms_make_wider_intervals():
    values = generator(4).normal(0.02, 0.01, size=(6, 9))
    alone, together = (
        joint_sign_flip(values[:1], generator()),
        joint_sign_flip(values, generator()),
    )
    assert together.low[0] < alone.low[0]
    assert together.high[0] > alone.high[0]
    assert together.p[0] >= alone.p[0]


# As exact as metrics are: the squares of numbers below 1e-160 are zero, and those of 128 times as much are not.
SHARES = st.floats(-1, 1).map(lambda value: round(value, 12))


@given(arrays(float, (2, 7), elements=SHARES), st.permutations(range(7)))
@settings(max_examples=20)
def test_order_sign_and_unit_do_not_matter(values, order):
    first = joint_sign_flip(values, generator())
    for other in (values[:, order], values * 128):
        assert joint_sign_flip(other, generator()).p.tolist() == first.p.tolist()
    swapped = joint_sign_flip(-values[::-1], generator())
    assert swapped.p[::-1].tolist() == first.p.tolist()
    assert swapped.low[::-1] == pytest.approx(-first.high, nan_ok=True)


def test_many_seeds_are_tested_by_random_patterns():
    """Near the exact p, the same for the same generator, never zero; the largest exact number is fast."""
    values = generator(1).normal(0.4, 1, size=(2, EXACT_SEEDS + 1))
    drawn, again, other = (joint_sign_flip(values, generator(seed)).p for seed in (1, 1, 2))
    assert drawn.tolist() == again.tolist() != other.tolist()
    assert drawn == pytest.approx(other, abs=0.02)
    certain = joint_sign_flip(np.linspace(1, 2, 40)[None, :], generator())
    assert certain.p[0] == 1 / 20_000


def test_what_is_not_known_counts_for_nothing():
    """An arm without some seeds is tested on those that it has; one without any has neither p nor interval."""
    values = generator(2).normal(0.5, 0.2, size=(3, 8))
    values[1, 6:] = math.nan
    values[2] = math.nan
    found = joint_sign_flip(values, generator())
    assert found.p[0] < SIGNIFICANCE
    assert 2**-5 <= found.p[1] < SIGNIFICANCE
    assert np.isnan([found.p[2], found.low[2], found.high[2]]).all()
    nothing = joint_sign_flip(np.full((2, 6), math.nan), generator())
    assert np.isnan(nothing.p).all()


def test_equal_differences_have_an_interval_without_length():
    """Not one made of rounding noise; differences that are all zero are no difference."""
    found = joint_sign_flip(np.array([[0.1] * 8, [0.0] * 8]), generator())
    assert found.p.tolist() == [2**-7, 1]
    assert [*found.low, *found.high] == pytest.approx([0.1, 0, 0.1, 0])
