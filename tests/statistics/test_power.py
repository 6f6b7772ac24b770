"""How many seeds a difference takes, against the test that decides and against tables of the paired t test."""

import numpy as np
import pytest

from alray.statistics.joint import joint_sign_flip
from alray.statistics.paired import SIGNIFICANCE
from alray.statistics.power import NUMBERS, seeds_for_power
from tests.helpers.intervals import generator


def known(effect, arms=1, seeds=40):
    """Return differences whose first arm has exactly this mean in standard deviations; all are uncorrelated."""
    values = generator(7).normal(size=(arms, seeds))
    values -= values.mean(axis=1, keepdims=True)
    values = np.linalg.solve(np.linalg.cholesky(np.atleast_2d(np.cov(values))), values)
    values[0] += effect
    return values


@pytest.mark.parametrize(("effect", "seeds"), [(2.0, 6), (1.16, 9), (0.74, 17), (0.4, 60)])
def test_one_arm_needs_about_as_many_seeds_as_a_paired_t_test(effect, seeds):
    """R: power.t.test(type = "paired", power = 0.8) has 5, 8, 17 and 52; sign flips need a little more."""
    found = seeds_for_power(known(effect), 0, generator())
    assert abs(NUMBERS.index(found) - NUMBERS.index(seeds)) <= 1
    assert found == seeds_for_power(-known(effect), 0, generator())


def test_the_power_is_that_of_the_rule_that_decides():
    """Seven arms, of which one differs: in four of five studies of so many seeds the joint test shows it."""
    seeds = seeds_for_power(known(1.2, arms=7), 0, generator())
    rng = generator(1)
    shown = [
        joint_sign_flip(rng.normal(size=(7, seeds)) + 1.2 * (np.arange(7) == 0)[:, None], rng).p[0]
        < SIGNIFICANCE
        for _ in range(150)
    ]
    assert 0.72 <= np.mean(shown) <= 0.97


def test_more_arms_need_more_seeds_and_nothing_is_never_shown():
    alone, together = (seeds_for_power(known(1.0, arms=arms), 0, generator()) for arms in (1, 8))
    assert alone is not None
    assert together is not None
    assert together > alone
    assert seeds_for_power(known(0.05), 0, generator()) is None
    assert seeds_for_power(np.zeros((1, 6)), 0, generator()) is None
    assert seeds_for_power(np.ones((1, 1)), 0, generator()) is None
