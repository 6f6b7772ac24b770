"""Labels saved along the whole curve and at quarters of the budget, by manual calculation and in simulated worlds."""

import math

import numpy as np
import pytest

from alray.analysis.sweep.arms import ArmCurves, pair
from alray.analysis.sweep.savings import (
    MILESTONES,
    SAVINGS,
    TARGETS,
    milestones,
    savings,
    target_labels,
)
from alray.statistics.curves import label_saving, label_saving_at_budget
from tests.helpers.intervals import ends, sizes, within
from tests.helpers.simulated_curves import LABELS as CHECKPOINTS
from tests.helpers.simulated_curves import world

LABELS = np.array([100.0, 200.0, 300.0, 400.0, 500.0])
RANDOM = np.array([0.30, 0.40, 0.50, 0.60, 0.70])


def arm_of(name, curves, labels=LABELS):
    return ArmCurves(name, "", tuple(range(len(curves))), labels, {"accuracy": np.asarray(curves)})


def pair_of(arm, random, labels=LABELS):
    return pair(arm_of("margin", arm, labels), arm_of("random", random, labels))


def noisy(height=0.0, seed=0, n=6):
    return RANDOM + height + np.random.default_rng(seed).normal(0, 0.01, size=(n, 5))


def test_savings_by_manual_calculation():
    """An arm one tenth above a straight line needs 100 labels less, and never fewer than the first 100."""
    found = savings([pair_of([np.minimum(RANDOM + 0.1, 0.9)] * 6, [RANDOM] * 6)], 1000)
    assert list(found) == list(SAVINGS)
    assert found["target"].to_numpy() == pytest.approx(np.linspace(0.3, 0.7, TARGETS + 1)[1:])
    needed = 100 + 1000 * (found["target"].to_numpy() - 0.3)
    assert found["random_labels"].to_numpy() == pytest.approx(needed)
    arm_needs = np.maximum(needed - 100, 100)
    assert found["arm_labels"].to_numpy() == pytest.approx(arm_needs)
    for column in ("saving", "low", "high"):
        assert found[column].to_numpy() == pytest.approx(1 - arm_needs / needed)
    assert found["pool_share_random"].to_numpy() == pytest.approx(needed / 1000)
    assert found["pool_share_arm"].to_numpy() == pytest.approx(arm_needs / 1000)
    assert found["reached"].all()
    assert not found["censored"].any()
    assert not found["exploratory"].any()


def test_targets_beyond_the_arm_are_censored():
    """An arm below random: no estimate from its end on, no lower end, and an upper end by the budget."""
    found = savings([pair_of([RANDOM - 0.105] * 6, [RANDOM] * 6)], None)
    beyond = found["target"] > 0.595
    assert (found["reached"] == ~beyond).all()
    assert (found["censored"] == beyond).all()
    assert found.loc[beyond, ["arm_labels", "saving"]].isna().all(axis=None)
    assert (found.loc[beyond, "low"] == -math.inf).all()
    bound = 1 - 500 / found.loc[beyond, "random_labels"]
    assert found.loc[beyond, "high"].tolist() == pytest.approx(bound.tolist())
    assert found[["pool_share_random", "pool_share_arm"]].isna().all(axis=None)


def test_rows_are_those_of_the_saving_at_one_target():
    """The frame adds nothing of its own; its last row is the saving at the budget where that is reached."""
    arm, random = noisy(0.03), noisy(seed=1)
    found = savings([pair_of(arm, random)], None)
    for target in (4, 20, 30):
        row = found.iloc[target]
        expected = label_saving(LABELS, arm, random, float(row["random_labels"]))
        assert row["target"] == pytest.approx(expected.target)
        assert row[["low", "saving", "high"]].tolist() == pytest.approx(ends(expected.saving))
    at_budget = label_saving_at_budget(LABELS, arm, random)
    assert found["saving"].iloc[-1] == pytest.approx(at_budget.saving.estimate)
    assert found["target"].iloc[-1] == pytest.approx(at_budget.target)


def test_milestones_by_manual_calculation():
    """At 125, 250, 375 and 500 of 500 labels."""
    found = milestones([pair_of([np.minimum(RANDOM + 0.1, 0.9)] * 6, [RANDOM] * 6)])
    assert list(found) == list(MILESTONES)
    assert found["share"].tolist() == [0.25, 0.5, 0.75, 1.0]
    assert found["random_labels"].to_numpy() == pytest.approx([125, 250, 375, 500])
    assert found["target"].to_numpy() == pytest.approx([0.325, 0.45, 0.575, 0.7])
    assert found["arm_labels"].to_numpy() == pytest.approx([100, 150, 275, 400])
    assert found["saving"].to_numpy() == pytest.approx([0.2, 0.4, 100 / 375, 0.2])


def test_milestones_that_do_not_exist_are_nan():
    """Before the first label count; and an arm that does not get there."""
    late = LABELS + 400
    found = milestones([pair_of([RANDOM - 0.1] * 6, [RANDOM] * 6, late)])
    assert found["share"].tolist() == [0.25, 0.5, 0.75, 1.0]
    assert found[["target", "random_labels", "saving", "low"]].iloc[:2].isna().all(axis=None)
    assert found["arm_labels"].iloc[2] == pytest.approx(775)
    assert math.isnan(found["arm_labels"].iloc[3])
    assert found["low"].iloc[3] == -math.inf


@pytest.mark.parametrize(
    ("arm", "random"),
    [
        (np.full((6, 5), math.nan), noisy()),
        (noisy(), np.where(np.arange(5) == 2, math.inf, noisy())),
        (noisy()[:0], noisy()[:0]),
    ],
)
def test_what_cannot_be_computed_has_no_rows(arm, random):
    """Values that are not finite, and arms without common seeds."""
    for table in (savings([pair_of(arm, random)], 10), milestones([pair_of(arm, random)])):
        assert table.empty


def test_a_random_arm_that_learns_nothing_has_no_targets():
    """A flat curve reaches no accuracy but its own; neither does one point."""
    flat = pair_of(noisy(), [np.full(5, 0.4)] * 6)
    assert savings([flat], None).empty
    single = pair_of([[0.5]] * 6, [[0.4]] * 6, LABELS[:1])
    assert savings([single], None).empty
    assert milestones([single]).empty


def test_few_seeds_are_exploratory():
    """Five; and one seed has no interval."""
    five = savings([pair_of(noisy(n=5), noisy(seed=1, n=5))], None)
    assert five["exploratory"].all()
    assert (five["seeds"] == 5).all()
    one = savings([pair_of(noisy(n=1), noisy(seed=1, n=1))], None)
    assert one["low"].isna().all()
    assert one["saving"].notna().any()


@sizes(60)
@pytest.mark.parametrize("jitter", [0.0005, 0.004, 0.015])
@pytest.mark.parametrize("growth", [-0.2, 0.0, 0.6])
def test_savings_cover_along_the_whole_curve(worlds, growth, jitter):
    """At low, middle and high targets, with six seeds: the saving where random needs as many labels.

    The jackknife errs on the safe side, more so at low targets, where the first checkpoint bounds the interval; only
    there and where the truth lies beyond the budget may coverage exceed 98 %.
    """
    rng = np.random.default_rng([6, round(10 * growth + 10), round(1e6 * jitter)])
    targets = {"low": 1, "middle": 20, "high": 32, "end": 39}
    hits = dict.fromkeys(targets, 0)
    for _ in range(worlds):
        arm, random = world(rng, 6, growth, jitter)
        needed = target_labels(CHECKPOINTS, random)
        for name, target in targets.items():
            saved = label_saving(CHECKPOINTS, arm, random, needed[target])
            truth = 1 - (300 + (saved.random_labels - 300) / (1 + growth)) / saved.random_labels
            hits[name] += saved.saving.low <= truth <= saved.saving.high
    for name, count in hits.items():
        safe = name == "low" or (growth < 0 and name in {"high", "end"})
        print(name, growth, jitter)  # noqa: T201
        assert within(count / worlds, 0.93, 1.0 if safe else 0.985, worlds)
