"""A band for all points of a curve at once."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from alray.statistics.bands import simultaneous_half_width, simultaneous_half_widths
from alray.statistics.paired import pointwise
from tests.helpers.intervals import generator, sizes, within
from tests.helpers.simulated_curves import LABELS, at_speed, true_curve, world


def drifting(seed=0, n=8, points=40):
    """Return seeds that drift apart from a common start, with noise in every round."""
    rng = generator(seed)
    drift = rng.normal(0, 0.01, size=(n, 1)) * np.linspace(0, 1, points)
    noise = rng.normal(0, 0.004, size=(n, points))
    noise[:, 0] = 0
    return drift + noise


def test_what_does_not_exist_is_nan():
    """No seeds, one seed, a value that is not finite: no number and no warning."""
    for values in (np.empty((0, 3)), np.ones((1, 3))):
        assert np.isnan(pointwise(values)[1]).all()
        assert np.isnan(simultaneous_half_width(values, generator())).all()
    assert (pointwise(np.ones((1, 3)))[0] == 1).all()
    values = drifting(points=5)
    values[3, 2], values[1, 4] = math.nan, math.inf
    mean, half = pointwise(values)
    band = simultaneous_half_width(values, generator())
    for numbers in (mean, half, band):
        assert np.isnan(numbers).tolist() == [False, False, True, False, True]


# Averaging the variance over neighbours bends the ends of a curve by a few per cent.
@pytest.mark.parametrize(("points", "error"), [(1, 0.05), (30, 0.08)])
def test_points_that_move_together_need_no_wider_band_than_one(points, error):
    """One direction of spread is one test, however many points show it.

    Within the error of the draws: 4 standard errors of a quantile of 20,000 of them.
    """
    values = generator(3).normal(size=(8, 1)) * np.linspace(1, 2, points)
    _, half = pointwise(values)
    band = simultaneous_half_width(values, generator(), draws=20_000)
    assert band == pytest.approx(half, rel=error)


def test_points_that_do_not_need_one_as_for_as_many_tests():
    """Independent points: near Sidak's quantile of a normal, as averaging makes the spread well known."""
    values = generator(4).normal(size=(60, 30))
    band = simultaneous_half_width(values, generator(), draws=5_000)
    sidak = scipy_stats.norm.ppf((1 + 0.95 ** (1 / 30)) / 2)
    assert np.mean(band / (values.std(axis=0, ddof=1) / math.sqrt(60))) == pytest.approx(
        sidak, rel=0.06
    )


def test_bands_of_several_curves_hold_all_at_once():
    """A curve that is given twice needs none wider, others do; each curve has the seeds that it has."""
    rng = generator(5)
    first, other = rng.normal(size=(2, 8, 20))
    every = range(8)
    (alone,) = simultaneous_half_widths([first], [every], generator())
    assert (alone == simultaneous_half_width(first, generator())).all()
    twice = simultaneous_half_widths([first, first], [every] * 2, generator())
    assert (twice[0] == alone).all()
    assert (twice[1] == alone).all()
    curves, seeds = [first, other[2:], other[:1]], [every, range(2, 8), [11]]
    together = simultaneous_half_widths(curves, seeds, generator())
    assert (together[0] > alone).all()
    assert (together[1] > simultaneous_half_width(other[2:], generator())).all()
    assert np.isnan(together[2]).all()
    assert simultaneous_half_widths([], [], generator()) == []


def test_the_band_is_never_narrower_than_the_interval():
    """Also at a checkpoint that spreads more than its neighbours."""
    for seed in range(5):
        values = drifting(seed)
        values[:, 20] *= 10
        _, half = pointwise(values)
        assert (simultaneous_half_width(values, generator()) >= half).all()


def test_the_band_has_no_width_where_seeds_agree():
    """The common start, and curves that do not differ at all."""
    assert simultaneous_half_width(drifting(), generator())[0] == 0
    assert (simultaneous_half_width(np.full((6, 4), 0.7), generator()) == 0).all()


def test_the_band_is_equivariant():
    """A constant curve moves nothing, and a factor scales it."""
    values = drifting()
    band = simultaneous_half_width(values, generator())
    moved = values + np.linspace(0, 3, values.shape[1])
    assert simultaneous_half_width(moved, generator()) == pytest.approx(band, abs=1e-12)
    assert simultaneous_half_width(-7 * values, generator()) == pytest.approx(7 * band)


def test_the_generator_decides_the_draws():
    """Equal generators, equal bands; two thousand draws leave little to chance."""
    values = drifting()
    first, again, other = (simultaneous_half_width(values, generator(seed)) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first[1:] != other[1:]).any()
    assert first == pytest.approx(other, rel=0.15)


@sizes(60)
@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize(("growth", "jitter"), [(0.0, 0.004), (0.6, 0.004), (0.6, 0.0005)])
def test_the_band_covers_whole_curves(worlds, n, growth, jitter):
    """At all 61 checkpoints at once; differences drift, smoothly, and carry noise of a round."""
    truth = true_curve(at_speed(LABELS, growth)) - true_curve(LABELS)
    rng = np.random.default_rng([n, round(10 * growth), round(1e6 * jitter)])
    hits = 0
    for _ in range(worlds):
        arm, random = world(rng, n, growth, jitter)
        half = simultaneous_half_width(arm - random, rng)
        # Both arms share the first checkpoint, so the truth there is known and the band has no width.
        hits += bool((np.abs((arm - random).mean(axis=0) - truth)[1:] <= half[1:]).all())
    assert within(hits / worlds, 0.93, 0.98, worlds)
