"""Paired statistics against SciPy, enumeration and invariances; Holm's correction against R."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from alray.statistics.paired import (
    FEWEST_SEEDS,
    SIGNIFICANCE,
    excludes_zero,
    holm,
    mean_interval,
    pointwise,
    sign_flip_p,
)
from tests.helpers.intervals import ends, generator, t_interval

finite = st.floats(-1, 1, allow_subnormal=False)


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
    assert sign_flip_p(np.array(integers) / 10, generator()) == brute_force_p(integers)


@pytest.mark.parametrize(("n", "smallest"), [(5, 0.0625), (6, 0.03125), (8, 2**-7), (10, 2**-9)])
def test_smallest_p_is_two_over_two_to_the_n(n, smallest):
    """One sign everywhere is the most extreme pattern, so that five seeds cannot reach 0.05."""
    assert sign_flip_p(np.linspace(0.1, 0.7, n), generator()) == smallest
    assert (smallest < SIGNIFICANCE) == (n >= FEWEST_SEEDS)


def test_sign_flip_of_many_seeds_is_monte_carlo():
    """Above 20 differences p is (b + 1) / (m + 1), near the exact one, and repeats with its generator."""
    values = differences(22, shift=0.45)
    exact = sign_flip_p(values, generator(), exact_up_to=22)
    drawn, again, other = (sign_flip_p(values, generator(seed)) for seed in (1, 1, 2))
    assert abs(drawn - exact) < 4 * math.sqrt(exact * (1 - exact) / 99_999)
    assert drawn == again
    assert drawn != other


def test_monte_carlo_p_is_never_zero():
    """The observed pattern counts as one of the draws, by default of 99,999 and one."""
    values = np.linspace(1, 2, 40)
    assert sign_flip_p(values, generator(), draws=999) == 1 / 1000
    assert sign_flip_p(values, generator()) == 1 / 100_000


def test_sign_flip_of_no_difference_is_one():
    """All-zero differences show nothing, exactly or by Monte Carlo."""
    assert sign_flip_p(np.zeros(6), generator()) == 1
    assert sign_flip_p(np.zeros(30), generator(), draws=99) == 1


@pytest.mark.parametrize("values", [[], [math.nan, 0.1], [math.inf, -math.inf]])
def test_sign_flip_without_numbers_is_nan(values):
    """No differences, or one that is not finite: no p."""
    assert math.isnan(sign_flip_p(np.array(values, dtype=float), generator()))


@given(arrays(float, 6, elements=finite), st.permutations(range(6)))
def test_sign_flip_is_invariant(values, order):
    """Swapping the two arms, reordering seeds and changing the unit leave p as it is."""
    p = sign_flip_p(values, generator())
    assert p == sign_flip_p(-values, generator())
    assert p == sign_flip_p(values[order], generator())
    assert p == sign_flip_p(values * 128, generator())


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        ([0.01, 0.04, 0.20, 0.03, 0.005, 0.07], [0.05, 0.12, 0.20, 0.12, 0.03, 0.14]),
        ([0.50, 0.003, 0.32, 0.054, 0.0003], [0.64, 0.012, 0.64, 0.162, 0.0015]),
        ([0.319, 0.201, 0.4, 0.374, 0.113], [0.957, 0.804, 0.957, 0.957, 0.565]),
        ([0.01, math.nan, 0.04], [0.02, math.nan, 0.04]),
        ([], []),
    ],
    ids=["R", "pingouin", "stdlib", "R with NA", "none"],
)
def test_holm_agrees_with_others(p_values, adjusted):
    """R's `p.adjust(p, method = "holm")`, the documentation of pingouin's `multicomp` and of stdlib's `padjust`."""
    assert holm(np.array(p_values)) == pytest.approx(adjusted, nan_ok=True)


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
