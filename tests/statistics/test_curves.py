"""Learning curves: areas, labels needed, labels saved."""

import math

import numpy as np
import pytest
from scipy.optimize import isotonic_regression

from alray.statistics.curves import (
    area_under_curve,
    label_saving,
    label_saving_at_budget,
    labels_needed,
    monotone,
    share_reached,
)
from alray.statistics.paired import mean_interval
from tests.helpers.intervals import ends, generator

LABELS = np.array([100.0, 200.0, 300.0, 400.0, 500.0])
RANDOM = np.array([0.30, 0.40, 0.50, 0.60, 0.70])
"""A straight line, so that everything can be calculated manually."""


def seeds_around(curve, n=6, noise=0.01, seed=0):
    return curve + generator(seed).normal(0, noise, size=(n, len(curve)))


def numbers(saved):
    return ends(saved.saving)


@pytest.mark.parametrize(
    ("labels", "curves", "area"),
    [
        ([100.0, 200.0, 500.0], np.array([0.4, 0.5, 0.7]), (100 * 0.45 + 300 * 0.6) / 400),
        (LABELS, np.stack([RANDOM, RANDOM + 0.1]), [0.5, 0.6]),
        (LABELS[:1], np.array([[0.3], [0.4]]), [0.3, 0.4]),
    ],
    ids=["unequal steps", "an area per seed", "the height of a point"],
)
def test_area_is_the_mean_height_by_trapezoids(labels, curves, area):
    assert area_under_curve(np.array(labels), curves) == pytest.approx(area)


@pytest.mark.parametrize("labels", [[], [100.0, 100.0], [200.0, 100.0]])
def test_label_counts_must_increase(labels):
    """A curve without a label axis has no area."""
    with pytest.raises(ValueError, match="must increase"):
        area_under_curve(np.array(labels), np.zeros(len(labels)))


def test_monotone_pools_violators():
    """Barlow et al.'s rule, by manual calculation: a fall is replaced by its mean."""
    assert list(monotone(np.array([1.0, 3.0, 2.0, 4.0]))) == [1.0, 2.5, 2.5, 4.0]
    assert np.isnan(monotone(np.array([1.0, math.nan, 2.0]))).all()


@pytest.mark.parametrize(
    ("curve", "target", "needed"),
    [
        *[(RANDOM, 0.2, 100), (RANDOM, 0.3, 100), (RANDOM, 0.35, 150), (RANDOM, 0.5, 300)],
        *[(RANDOM, 0.7, 500), (RANDOM, 0.701, math.nan)],
        (np.array([0.3, 0.5, 0.5, 0.5, 0.6]), 0.5, 200),
        (np.full(5, math.nan), 0.5, math.nan),
    ],
)
def test_labels_needed_interpolates_and_censors(curve, target, needed):
    """The fewest count, as at the start of a plateau; beyond the last point nothing is invented."""
    assert labels_needed(LABELS, curve, target) == pytest.approx(needed, nan_ok=True)


def test_saving_by_manual_calculation():
    """An arm one tenth above random reaches random's accuracy at 500 labels with 400, at 300 with 200."""
    arm = np.stack([np.minimum(RANDOM + 0.1, 0.9)] * 3)
    random = np.stack([RANDOM] * 3)
    at_budget = label_saving_at_budget(LABELS, arm, random)
    assert numbers(at_budget) == pytest.approx([0.2, 0.2, 0.2])
    assert (at_budget.target, at_budget.random_labels) == pytest.approx((0.7, 500))
    assert numbers(label_saving(LABELS, arm, random, 300.0)) == pytest.approx([1 / 3] * 3)
    assert numbers(label_saving(LABELS, arm, random, 250.0)) == pytest.approx([0.4] * 3)


def test_an_arm_that_does_not_reach_the_target_is_censored():
    """No estimate and no lower end at a target beyond the arm; a signed saving at one that both reach."""
    arm, random = np.stack([RANDOM - 0.1] * 3), np.stack([RANDOM] * 3)
    missed = label_saving(LABELS, arm, random, 450.0)
    assert not missed.reached
    assert math.isnan(missed.saving.estimate)
    assert missed.saving.low == -math.inf
    # It needs more than 500 labels for what random has with 450.
    assert missed.saving.high == pytest.approx(1 - 500 / 450)
    at_budget = label_saving_at_budget(LABELS, arm, random)
    assert not at_budget.reached
    assert numbers(at_budget) == pytest.approx([1 - 500 / 400] * 3)
    assert (at_budget.target, at_budget.random_labels) == pytest.approx((0.6, 400))


def test_an_interval_may_be_censored_at_one_end_only():
    """The estimate lies within the budget, its lower end beyond."""
    arm, random = seeds_around(RANDOM, noise=0.05), seeds_around(RANDOM, noise=0.05, seed=1)
    saved = label_saving(LABELS, arm, random, 450.0)
    assert saved.reached
    assert saved.saving.low == -math.inf
    assert saved.saving.estimate <= saved.saving.high < 1


def test_an_arm_saves_nothing_against_itself():
    """Also on noisy curves, whose monotone ends are plateaus."""
    for seed in range(20):
        arm = seeds_around(RANDOM, noise=0.4, seed=seed)
        assert label_saving_at_budget(LABELS, arm, arm).saving.estimate == 0


def test_the_target_is_random_made_monotone():
    """By manual calculation: a fall from .7 to .6 becomes .65 from 400 labels on; the arm has .65 at 300."""
    arm = np.stack([np.array([0.3, 0.5, 0.65, 0.66, 0.67])] * 3)
    random = np.stack([np.array([0.3, 0.4, 0.5, 0.7, 0.6])] * 3)
    saved = label_saving_at_budget(LABELS, arm, random)
    assert (saved.target, saved.random_labels) == pytest.approx((0.65, 400))
    assert numbers(saved) == pytest.approx([0.25] * 3)


# Of two noisy seeds, number 412 has a band so uneven that its lower end must be held at the estimate.
@pytest.mark.parametrize(
    ("n", "noise", "seeds"), [(6, 0.05, range(30)), (2, 0.3, range(390, 420))]
)
def test_exchanging_the_arms_inverts_the_ratio_of_labels(n, noise, seeds):
    """(1 - saving) is N_arm / N_random, so that it turns into its reciprocal, ends included, in their order."""
    for seed in seeds:
        arm = seeds_around(RANDOM + 0.02, n, noise, seed=seed)
        random = seeds_around(RANDOM, n, noise, seed=1000 + seed)
        forth = 1 - np.array(numbers(label_saving_at_budget(LABELS, arm, random)))
        back = 1 - np.array(numbers(label_saving_at_budget(LABELS, random, arm)))
        assert forth == pytest.approx(1 / back[::-1])
        assert forth[0] >= forth[1] >= forth[2]


def saving_at_a_lower_target(labels, arm, random):
    return label_saving(labels, arm, random, float(labels[3]))


@pytest.mark.parametrize("saving", [label_saving_at_budget, saving_at_a_lower_target])
def test_saving_is_invariant(saving):
    """Order of seeds, a constant on both arms, an effect common to a seed and the unit of labels do not matter."""
    arm, random = seeds_around(RANDOM + 0.05), seeds_around(RANDOM, seed=1)
    expected = pytest.approx(numbers(saving(LABELS, arm, random)))
    order = generator().permutation(len(arm))
    assert numbers(saving(LABELS, arm[order], random[order])) == expected
    assert numbers(saving(LABELS, arm + 0.1, random + 0.1)) == expected
    assert numbers(saving(LABELS * 7, arm, random)) == expected
    shared = generator(9).normal(size=(len(arm), 1))
    assert numbers(saving(LABELS, arm + shared, random + shared)) == expected


def test_interval_inverts_the_paired_t_test_on_monotone_curves():
    """Where no curve needs to be made monotone, both ends solve mean(d(N)) = -+ t s / sqrt(n) exactly."""
    arm = seeds_around(RANDOM + 0.1, noise=0.003)
    random = seeds_around(RANDOM, noise=0.003, seed=1)
    saved = label_saving_at_budget(LABELS, arm, random).saving
    band = [mean_interval(arm[:, point] - random[:, -1]) for point in range(len(LABELS))]
    dense = np.linspace(100, 500, 4001)
    # Between points the band is interpolated, as the curve is.
    low = np.interp(dense, LABELS, [interval.low for interval in band])
    high = np.interp(dense, LABELS, [interval.high for interval in band])
    kept = dense[(low <= 0) & (high >= 0)]
    assert saved.low == pytest.approx(1 - kept[-1] / 500, abs=2e-4)
    assert saved.high == pytest.approx(1 - kept[0] / 500, abs=2e-4)


@pytest.mark.parametrize(
    "values", [[], [math.nan, math.nan], [math.nan, 0.5], [math.inf, -math.inf]]
)
def test_saving_without_numbers_is_nan(values):
    """No seeds, or a value that is not finite: no number, and no warning."""
    arm = np.full((5, len(values)), values).T
    random = np.stack([RANDOM] * 2)[: len(values)]
    at_budget = label_saving_at_budget(LABELS, arm, random)
    for saved in (at_budget, label_saving(LABELS, random, arm, 300.0)):
        assert np.isnan(numbers(saved)).all()
        assert not saved.reached
    assert math.isnan(share_reached(arm, random, generator()))


@pytest.mark.parametrize("labels", [99.0, 501.0, math.nan])
def test_target_must_lie_on_the_random_arms_curve(labels):
    """Nothing is extrapolated."""
    arm = np.stack([RANDOM] * 2)
    with pytest.raises(ValueError, match="are not in"):
        label_saving(LABELS, arm, arm, labels)


def two_arms_alike():
    """Return noisy arms with nearly the same means, so that about half of the draws reach the target."""
    arm, random = seeds_around(RANDOM, noise=0.1), seeds_around(RANDOM, noise=0.1, seed=1)
    return arm - arm.mean(axis=0) + random.mean(axis=0) + 0.001, random


def test_share_reached_equals_a_bootstrap_with_isotonic_fits():
    """The short cut for the end of a monotone curve gives what a fit per draw gives."""
    arm, random = two_arms_alike()
    counts = generator(5).multinomial(6, np.full(6, 1 / 6), size=300)
    reached = [
        isotonic_regression(count @ arm / 6).x[-1] >= isotonic_regression(count @ random / 6).x[-1]
        for count in counts
    ]
    share = share_reached(arm, random, generator(5), draws=300)
    assert share == np.mean(reached)
    assert 0 < share < 1
    others = {share_reached(arm, random, generator(seed), draws=300) for seed in range(3)}
    assert len(others) > 1
