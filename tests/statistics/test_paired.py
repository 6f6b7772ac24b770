"""Paired statistics against SciPy, R, enumeration and invariances."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats as scipy_stats

from alray.statistics.paired import (
    FEWEST_SEEDS,
    SIGNIFICANCE,
    excludes_zero,
    holm,
    mean_interval,
    pointwise,
    sign_flip_test,
)

finite = st.floats(-1, 1, allow_subnormal=False)


def generator(seed=0):
    return np.random.Generator(np.random.Philox(key=seed))


def differences(n, shift=0.3, seed=0):
    return generator(seed).normal(shift, 1, size=n)


@pytest.mark.parametrize("n", [2, 3, 6, 30])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_interval_is_scipys_paired_t_interval(n, level):
    """The interval of differences is that of `scipy.stats.ttest_rel`."""
    arm, random = generator(n).normal(size=(2, n))
    expected = scipy_stats.ttest_rel(arm, random).confidence_interval(level)
    actual = mean_interval(arm - random, level)
    assert (actual.low, actual.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert actual.estimate == pytest.approx(np.mean(arm - random), rel=1e-12)


def test_interval_agrees_with_r():
    """R: with(sleep, t.test(extra[group == 1], extra[group == 2], paired = TRUE)), Student's sleep data."""
    first = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    second = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    interval = mean_interval(first - second)
    assert (interval.low, interval.high) == pytest.approx((-2.4598858, -0.7001142), abs=1e-7)
    assert interval.estimate == pytest.approx(-1.58)


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
    assert (interval.estimate, interval.low, interval.high) == pytest.approx(
        (estimate, end, end), nan_ok=True
    )


@given(arrays(float, 7, elements=finite), finite, st.permutations(range(7)))
def test_interval_moves_with_the_values(values, constant, order):
    """A constant shifts it, a change of sign mirrors it, the order of seeds does not matter."""
    interval = mean_interval(values)
    shifted = mean_interval(values + constant)
    mirrored = mean_interval(-values)
    permuted = mean_interval(values[order])
    expected = np.array([interval.low, interval.estimate, interval.high])
    assert [shifted.low, shifted.estimate, shifted.high] == pytest.approx(
        list(expected + constant), abs=1e-12
    )
    assert [-mirrored.high, -mirrored.estimate, -mirrored.low] == pytest.approx(list(expected))
    assert [permuted.low, permuted.estimate, permuted.high] == pytest.approx(
        list(expected), abs=1e-12
    )


def brute_force_p(values):
    """Count sign patterns one by one, in exact integers."""
    observed = abs(sum(values))
    patterns = list(itertools.product((1, -1), repeat=len(values)))
    extreme = sum(
        abs(sum(s * v for s, v in zip(signs, values, strict=True))) >= observed
        for signs in patterns
    )
    return extreme / len(patterns)


@pytest.mark.parametrize("n", range(1, 13))
def test_sign_flip_equals_brute_force(n):
    """Exact by enumeration; small integers make ties, and are exact in tenths only up to rounding."""
    integers = [int(value) for value in generator(n).integers(-4, 6, size=n)]
    result = sign_flip_test(np.array(integers) / 10, generator())
    assert result.p == brute_force_p(integers)
    assert (result.exact, result.draws, result.n) == (True, 2**n, n)


@pytest.mark.parametrize("n", [3, 6, 10])
def test_sign_flip_agrees_with_scipy(n):
    """`permutation_test` with `permutation_type="samples"` flips the signs of one sample: all of them for few."""
    values = differences(n, seed=n)
    expected = scipy_stats.permutation_test((values,), np.sum, permutation_type="samples")
    assert sign_flip_test(values, generator()).p == pytest.approx(expected.pvalue, rel=1e-12)


@pytest.mark.parametrize(("n", "smallest"), [(5, 0.0625), (6, 0.03125), (8, 2**-7), (10, 2**-9)])
def test_smallest_p_is_two_over_two_to_the_n(n, smallest):
    """One sign everywhere is the most extreme pattern, so that five seeds cannot reach 0.05."""
    assert sign_flip_test(np.linspace(0.1, 0.7, n), generator()).p == smallest
    assert (smallest < SIGNIFICANCE) == (n >= FEWEST_SEEDS)


def test_sign_flip_of_many_seeds_is_monte_carlo_and_says_so():
    """Above 20 differences p is (b + 1) / (m + 1), near the exact one, and repeats with its generator."""
    values = differences(22, shift=0.45)
    exact = sign_flip_test(values, generator(), exact_up_to=22)
    drawn = sign_flip_test(values, generator(1))
    assert (exact.exact, drawn.exact, drawn.draws) == (True, False, 99_999)
    sampling_error = math.sqrt(exact.p * (1 - exact.p) / drawn.draws)
    assert abs(drawn.p - exact.p) < 4 * sampling_error
    assert drawn == sign_flip_test(values, generator(1))
    assert drawn != sign_flip_test(values, generator(2))


def test_monte_carlo_p_is_never_zero():
    """The observed pattern counts as one of the draws."""
    values = np.linspace(1, 2, 40)
    assert sign_flip_test(values, generator(), draws=999).p == 1 / 1000


def test_sign_flip_of_no_difference_is_one():
    """All-zero differences show nothing, exactly or by Monte Carlo."""
    assert sign_flip_test(np.zeros(6), generator()).p == 1
    assert sign_flip_test(np.zeros(30), generator(), draws=99).p == 1


@pytest.mark.parametrize("values", [[], [math.nan, 0.1], [math.inf, -math.inf]])
def test_sign_flip_without_numbers_is_nan(values):
    """No differences, or one that is not finite: no p."""
    assert math.isnan(sign_flip_test(np.array(values, dtype=float), generator()).p)


@given(arrays(float, 6, elements=finite), st.permutations(range(6)))
def test_sign_flip_is_invariant(values, order):
    """Swapping the two arms, reordering seeds and changing the unit leave p as it is."""
    p = sign_flip_test(values, generator()).p
    assert p == sign_flip_test(-values, generator()).p
    assert p == sign_flip_test(values[order], generator()).p
    assert p == sign_flip_test(values * 128, generator()).p


def test_holm_agrees_with_r():
    """R: p.adjust(c(0.01, 0.04, 0.20, 0.03, 0.005, 0.07), method = "holm")."""
    actual = holm(np.array([0.01, 0.04, 0.20, 0.03, 0.005, 0.07]))
    assert actual == pytest.approx([0.05, 0.12, 0.20, 0.12, 0.03, 0.14])


def test_holm_agrees_with_published_examples():
    """The examples in the documentation of pingouin's `multicomp` and of stdlib's `padjust`."""
    assert holm(np.array([0.50, 0.003, 0.32, 0.054, 0.0003])) == pytest.approx(
        [0.64, 0.012, 0.64, 0.162, 0.0015]
    )
    assert holm(np.array([0.319, 0.201, 0.4, 0.374, 0.113])) == pytest.approx(
        [0.957, 0.804, 0.957, 0.957, 0.565]
    )


def test_holm_leaves_missing_tests_out():
    """R: p.adjust(c(0.01, NA, 0.04), method = "holm") is 0.02 NA 0.04."""
    actual = holm(np.array([0.01, math.nan, 0.04]))
    assert actual == pytest.approx([0.02, math.nan, 0.04], nan_ok=True)
    assert len(holm(np.array([]))) == 0


@given(arrays(float, 5, elements=st.floats(0, 1)), st.permutations(range(5)))
def test_holm_is_invariant_to_the_order_of_arms(p_values, order):
    """Relabelling arms relabels the adjusted p; they keep the order of p, grow, and stay in [p, 1]."""
    adjusted = holm(p_values)
    assert list(holm(p_values[order])) == list(adjusted[order])
    assert ((adjusted >= p_values) & (adjusted <= 1)).all()
    assert (np.diff(adjusted[np.argsort(p_values)]) >= 0).all()


def test_pointwise_is_the_t_interval_of_each_point():
    """Against SciPy and against the interval of one value; where all seeds agree it has no length."""
    values = generator(3).normal(0, 0.01, size=(8, 40))
    values[:, 0] = 0
    mean, half = pointwise(values)
    expected = scipy_stats.ttest_1samp(values[:, 1:], 0).confidence_interval()
    assert (mean - half)[1:] == pytest.approx(expected.low)
    assert (mean + half)[1:] == pytest.approx(expected.high)
    interval = mean_interval(values[:, 7])
    assert (mean[7], mean[7] - half[7]) == pytest.approx((interval.estimate, interval.low))
    assert (mean[0], half[0]) == (0, 0)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((0.1, 0.2), True),
        ((-0.2, -0.1), True),
        ((-0.1, 0.1), False),
        ((0.0, 0.1), False),
        ((-0.1, 0.0), False),
        ((math.nan, math.nan), False),
        ((-math.inf, -0.1), True),
    ],
)
def test_an_interval_excludes_zero_where_it_lies_on_one_side(ends, expected):
    assert excludes_zero(*ends) is expected
