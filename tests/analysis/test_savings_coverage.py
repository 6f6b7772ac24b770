"""Bands and label savings cover the truth at the rate they claim, in simulated studies whose truth is known."""

import math

import numpy as np
import pytest

from alray.analysis.sweep.savings import _grid
from alray.statistics.bands import simultaneous_half_width
from alray.statistics.curves import label_saving
from tests.helpers.simulated_curves import LABELS, at_speed, true_curve, world

WORLDS = 2000
QUICK = 60


def size(worlds):
    return pytest.param(worlds, marks=pytest.mark.slow) if worlds == WORLDS else worlds


sizes = pytest.mark.parametrize("worlds", [size(QUICK), size(WORLDS)])


def within(share, low, high, worlds):
    """Allow three standard errors of a share of so many worlds; none at the full number."""
    slack = 0.0 if worlds == WORLDS else 3 * math.sqrt(0.05 * 0.95 / worlds)
    print(f"coverage {share:.4f} of {worlds} worlds")  # noqa: T201
    return low - slack <= share <= high + slack


def generator(*key):
    return np.random.default_rng(key)


@sizes
@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize(("growth", "jitter"), [(0.0, 0.004), (0.6, 0.004), (0.6, 0.0005)])
def test_the_band_covers_whole_curves(worlds, n, growth, jitter):
    """At all 61 checkpoints at once; differences drift, smoothly, and carry noise of a round."""
    truth = true_curve(at_speed(LABELS, growth)) - true_curve(LABELS)
    rng = generator(n, round(10 * growth), round(1e6 * jitter))
    hits = 0
    for _ in range(worlds):
        arm, random = world(rng, n, growth, jitter)
        half = simultaneous_half_width(arm - random, rng)
        # Both arms share the first checkpoint, so the truth there is known and the band has no width.
        hits += bool((np.abs((arm - random).mean(axis=0) - truth)[1:] <= half[1:]).all())
    assert within(hits / worlds, 0.93, 0.98, worlds)


@sizes
@pytest.mark.parametrize("jitter", [0.0005, 0.004, 0.015])
@pytest.mark.parametrize("growth", [-0.2, 0.0, 0.6])
def test_savings_cover_along_the_whole_curve(worlds, growth, jitter):
    """At low, middle and high targets, with six seeds: the saving where random needs as many labels.

    The jackknife errs on the safe side, more so at low targets, where the first checkpoint bounds the interval; only
    there and where the truth lies beyond the budget may coverage exceed 98 %.
    """
    rng = generator(6, round(10 * growth + 10), round(1e6 * jitter))
    places = {"low": 1, "middle": 20, "high": 32, "end": 39}
    hits = dict.fromkeys(places, 0)
    for _ in range(worlds):
        arm, random = world(rng, 6, growth, jitter)
        needed = _grid(LABELS, random)
        for name, place in places.items():
            saved = label_saving(LABELS, arm, random, needed[place])
            truth = 1 - (300 + (saved.random_labels - 300) / (1 + growth)) / saved.random_labels
            hits[name] += saved.saving.low <= truth <= saved.saving.high
    for name, count in hits.items():
        safe = name == "low" or (growth < 0 and name in {"high", "end"})
        print(name, growth, jitter)  # noqa: T201
        assert within(count / worlds, 0.93, 1.0 if safe else 0.985, worlds)
