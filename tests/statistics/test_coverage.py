"""Intervals cover the truth at the rate they claim, in simulated studies whose truth is known."""

import math

import numpy as np
import pytest

from alray.statistics.curves import area_under_curve, label_saving, label_saving_at_budget
from alray.statistics.paired import mean_interval
from tests.helpers.intervals import WORLDS
from tests.helpers.simulated_curves import LABELS, at_speed, true_curve, world

pytestmark = pytest.mark.slow

BUDGET = 1500.0
GROWTHS = [-0.2, 0.0, 0.2, 0.6]
"""How much faster than random (or slower) the arm learns from a label after the first 300."""


def true_saving_at_budget(growth):
    if growth < 0:  # at the arm's final accuracy
        return 1 - BUDGET / at_speed(BUDGET, growth)
    return 1 - (300 + (BUDGET - 300) / (1 + growth)) / BUDGET


def coverage(make_interval, truth, n, jitter, growth):
    rng = np.random.Generator(np.random.Philox(key=[n, round(1e6 * jitter + 10 * growth + 10)]))
    hits = 0
    for _ in range(WORLDS):
        interval = make_interval(*world(rng, n, growth, jitter))
        hits += interval.low <= truth <= interval.high
    share = hits / WORLDS
    print(f"n {n}, jitter {jitter}, growth {growth}: coverage {share:.3f}")  # noqa: T201
    return share


@pytest.mark.parametrize("n", [5, 6, 10])
@pytest.mark.parametrize("growth", GROWTHS)
def test_t_interval_of_the_area_difference_covers(n, growth):
    """95 % +- four standard errors of a share of 2,000 worlds lies within 93 to 97 %."""

    def interval(arm, random):
        return mean_interval(area_under_curve(LABELS, arm) - area_under_curve(LABELS, random))

    curves = (true_curve(at_speed(LABELS, speed)) for speed in (growth, 0.0))
    arm_area, random_area = (float(area_under_curve(LABELS, curve)) for curve in curves)
    share = coverage(interval, arm_area - random_area, n, 0.004, growth)
    assert abs(share - 0.95) < 4 * math.sqrt(0.95 * 0.05 / WORLDS)


@pytest.mark.parametrize("n", [5, 6, 10])
@pytest.mark.parametrize("growth", GROWTHS)
@pytest.mark.parametrize("jitter", [0.0005, 0.004, 0.015])
def test_interval_of_the_saving_at_budget_covers(n, growth, jitter):
    """From nearly smooth curves to noise that hides the slope; savings of -19 to 30 %."""

    def interval(arm, random):
        return label_saving_at_budget(LABELS, arm, random).saving

    share = coverage(interval, true_saving_at_budget(growth), n, jitter, growth)
    assert 0.93 <= share <= 0.97


@pytest.mark.parametrize("n", [5, 6, 10])
@pytest.mark.parametrize("growth", GROWTHS)
def test_interval_of_the_saving_at_a_lower_target_covers(n, growth):
    """At the accuracy that random has with 900 labels; an end beyond the budget counts as unbounded.

    The jackknife errs on the safe side (Efron and Stein 1981), here by up to two points of coverage with five seeds,
    so the upper bound of 97 % has two standard errors of a share of 2,000 worlds on top.
    """

    def interval(arm, random):
        return label_saving(LABELS, arm, random, 900.0).saving

    truth = 1 - (300 + (900 - 300) / (1 + growth)) / 900
    share = coverage(interval, truth, n, 0.004, growth)
    assert 0.93 <= share <= 0.97 + 2 * math.sqrt(0.97 * 0.03 / WORLDS)
