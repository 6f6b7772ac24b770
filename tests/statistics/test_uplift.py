"""Uplift and dose-response against SciPy and by manual calculation."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from alray.statistics.uplift import mean_difference, mean_of, quantiles, uplift
from tests.helpers.intervals import ends, generator, t_interval


def groups(bases, count=20, seed=1):
    rng = generator(seed)
    return rng.normal(size=(bases, count)), rng.normal(size=(bases, count))


@pytest.mark.parametrize(("queried", "first"), [("large", -2), ("small", 0)])
def test_uplift_is_the_queried_tenth_against_random_groups(queried, first):
    """Per base, by the score and not by the groups' numbers; a t interval over bases."""
    usefulness, scores = groups(3)
    random = generator(2).normal(size=(3, 12))
    order = scores.argsort(axis=1)[:, first:][:, :2]
    tenth = np.take_along_axis(usefulness, order, axis=1)
    differences = tenth.mean(axis=1) - random.mean(axis=1)
    interval = uplift(usefulness, scores, queried, random)
    assert ends(interval) == pytest.approx(t_interval(differences))
    assert interval.n == 3


def test_one_base_has_welchs_interval_over_its_groups():
    """Welch's formula, with the degrees of freedom of Welch and Satterthwaite."""
    usefulness, scores = groups(1, 40)
    random = 3 * generator(2).normal(size=(1, 15))
    tenth = usefulness[0, scores[0].argsort()[-4:]]
    a, b = tenth.var(ddof=1) / 4, random.var(ddof=1) / 15
    degrees = (a + b) ** 2 / (a**2 / 3 + b**2 / 14)
    half = scipy_stats.t.ppf(0.975, degrees) * math.sqrt(a + b)
    interval = uplift(usefulness, scores, "large", random)
    expected = tenth.mean() - random.mean()
    assert ends(interval) == pytest.approx([expected - half, expected, expected + half])
    assert interval.n == 1


@pytest.mark.parametrize("bases", [1, 3])
def test_without_random_groups_uplift_is_against_all_groups_of_the_grouping(bases):
    """The tenth is among them, which the interval knows."""
    usefulness, scores = groups(bases, 40)
    order = scores.argsort(axis=1)[:, -4:]
    tenth = np.take_along_axis(usefulness, order, axis=1).mean(axis=1)
    interval = uplift(usefulness, scores, "large", None)
    assert interval.estimate == pytest.approx((tenth - usefulness.mean(axis=1)).mean())
    assert interval.low < interval.estimate < interval.high


def test_one_group_at_the_queried_end_has_no_interval_in_one_base():
    """A tenth of seven groups is one: an estimate only."""
    usefulness, scores = groups(1, 7)
    interval = uplift(usefulness, scores, "large", usefulness)
    assert interval.estimate == pytest.approx(usefulness[0, scores.argmax()] - usefulness.mean())
    assert math.isnan(interval.low)


def test_unknown_scores_have_no_queried_end():
    usefulness, scores = groups(2)
    scores[1, 3] = math.nan
    assert math.isnan(uplift(usefulness, scores, "large", usefulness).estimate)


def test_equal_groups_have_an_interval_of_length_zero():
    assert ends(mean_difference(np.full((1, 3), 0.5), np.full((1, 4), 0.25))) == [0.25] * 3


def test_groups_that_differ_by_rounding_alone_have_a_short_interval_and_no_warning():
    part, rest = np.array([[0.3 - 0.2, 0.1, 0.4 - 0.3]]), np.array([[0.2, 0.2]])
    assert ends(mean_difference(part, rest)) == pytest.approx([-0.1] * 3)


def test_quantiles_are_tenths_of_the_groups_by_score():
    """Twenty groups make ten pairs, from the smallest score on."""
    scores = np.stack([np.arange(20.0)[::-1], np.arange(20.0)])
    usefulness = scores * [[1.0], [3.0]]
    found = list(quantiles(usefulness, scores))
    assert [number for number, _, _ in found] == list(range(10))
    assert [mean_score for _, mean_score, _ in found] == [2 * i + 0.5 for i in range(10)]
    assert [mean.estimate for _, _, mean in found] == [2 * (2 * i + 0.5) for i in range(10)]


def test_few_groups_leave_tenths_out():
    usefulness, scores = groups(2, 4)
    assert [number for number, _, _ in quantiles(usefulness, scores)] == [0, 2, 5, 7]


def test_the_mean_of_one_base_has_an_interval_over_its_groups():
    values = generator(3).normal(size=(1, 6))
    assert ends(mean_of(values)) == pytest.approx(t_interval(values[0]))
    assert mean_of(np.repeat(values, 2, axis=0)).low == pytest.approx(values.mean())
