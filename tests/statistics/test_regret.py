"""What picking the best-looking arm loses: known cases, and the true loss in simulated worlds."""

import math

import numpy as np
import pytest

from alray.statistics import regret as module
from alray.statistics.regret import Regret, regret_of_choosing
from tests.helpers.intervals import generator


def picking(values, rng) -> Regret:
    found = regret_of_choosing(values, rng)
    assert found is not None
    return found


def worlds(arms, seeds, spread, number, rng):
    """Yield true means and values: spread is of the true means, in standard errors of a seen mean."""
    for _ in range(number):
        means = rng.normal(0, spread / math.sqrt(seeds), size=arms)
        common = 2 * rng.normal(size=(1, seeds))
        yield means, means[:, None] + common + rng.normal(size=(arms, seeds))


def test_the_best_mean_is_picked_and_clear_winners_lose_nothing():
    values = generator().normal(0, 0.01, size=(3, 8)) + np.array([[0.0], [1.0], [0.5]])
    found = picking(values, generator())
    assert (found.picked, found.expected) == (1, 0.0)


def test_two_arms_lose_what_the_normal_distribution_says():
    """The mean of max(0, d) for a normal difference with mean -m and deviation s: s phi(m / s) - m (1 - Phi(m / s))."""
    values = np.array([[0.0, 0, 0, 0], [-1.0, 0.5, -0.5, 0.0]])
    difference = values[1] - values[0]
    m, s = -difference.mean(), difference.std(ddof=1) / 2
    z = m / s
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    expected = s * density - m * math.erfc(z / math.sqrt(2)) / 2
    found = picking(values, generator())
    assert found.picked == 0
    assert found.expected == pytest.approx(expected, rel=0.03)


def test_arms_and_seeds_in_any_order_and_what_seeds_have_in_common_change_nothing():
    values = generator(2).normal(size=(4, 6))
    base = picking(values, generator())
    turned = picking(values[::-1], generator())
    assert turned.picked == 3 - base.picked
    assert turned.expected == base.expected
    shifted = picking(values + generator(3).normal(size=(1, 6)), generator())
    assert shifted.expected == pytest.approx(base.expected, rel=0.03)
    assert picking(3 * values, generator()).expected == pytest.approx(3 * base.expected)


def test_what_seeds_cannot_say_is_none():
    missing = np.array([[1.0, 2.0, 3.0], [math.nan, 1.0, 2.0]])
    for values in (np.ones((1, 5)), np.arange(6.0).reshape(3, 2), missing):
        assert regret_of_choosing(values, generator()) is None
    assert picking(np.ones((3, 4)), generator()).expected == 0.0


@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(
    "number", [150, pytest.param(2_000, marks=pytest.mark.slow)], ids=["quick", "slow"]
)
def test_its_mean_is_near_the_true_loss(spread, number, monkeypatch):
    monkeypatch.setattr(module, "DRAWS", 2_000)
    rng = generator(4)
    true, said = [], []
    for means, values in worlds(5, 6, spread, number, rng):
        found = picking(values, rng)
        true.append(means.max() - means[found.picked])
        said.append(found.expected)
    ratio = np.mean(said) / np.mean(true)
    slack = 3 * np.std(true) / math.sqrt(number) / np.mean(true)
    assert 0.7 - slack <= ratio <= 1.7 + slack


def test_of_equal_arms_it_is_a_share_of_a_standard_error(monkeypatch):
    """Nothing is lost there; a few tenths of a standard error are said."""
    monkeypatch.setattr(module, "DRAWS", 2_000)
    rng = generator(5)
    said = [picking(values, rng).expected for _, values in worlds(5, 6, 0.0, 100, rng)]
    assert 0.2 <= math.sqrt(6) * np.mean(said) <= 0.7
