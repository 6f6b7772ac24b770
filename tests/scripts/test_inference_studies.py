"""The studies of inference: what they make of curves and words, and BALD with masks by object."""

import math

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from scipy import stats as scipy_stats

from alray.networks.generators import torch_generator
from alray.networks.tensors import PoolTensors
from alray.scoring import engine
from alray.statistics.curves import area_under_curve
from alray.strategies.committee import Bald
from studies import level_table, nulls_table, splits_table
from studies.object_masks import BaldByObject, object_masks
from tests.helpers.builders import everyone, make_network, make_pool
from tests.helpers.intervals import generator
from tests.helpers.simulated_curves import LABELS, world


@pytest.mark.parametrize(
    ("text", "shown", "saves"),
    [
        ("margin is not shown to differ; elsewhere no difference is.", False, False),
        ("Nothing is shown. No saving is shown, and none was shown.", False, False),
        ("margin saves 4 %: not shown to differ from zero.", False, True),
        ("A saving is shown from .55 to .60; at others it is not shown.", True, False),
        ("With 8 seeds a difference can be shown.", True, False),
    ],
)
def test_words_that_claim_a_difference_are_found(text, shown, saves):
    assert nulls_table.claims(text) == {"shown": shown, "saves": saves}


def test_a_null_study_is_analysed_as_alray_does():
    runs, _ = world(generator(), 40, 0.0, jitter=0.002)
    text, found = nulls_table.null_study(LABELS, runs, 6, generator(1))
    assert "null1, null2, null3 and null4" in text
    assert (found["verdict"], found["any_pair_ahead"]) == (False, False)


def sweeps_on_splits(splits, seeds, between, within):
    """Return curves that are flat: heights of splits and runs, and margin ahead of random by half as spread a step."""
    rng = generator(3)
    parts = [
        rng.normal(0, between, (splits, 1)) + rng.normal(0, within, (splits, seeds))
        for _ in range(2)
    ]
    random, step = (part[..., None] + np.zeros(len(LABELS)) for part in parts)
    return [
        {"random": 0.6 + height, "margin": 0.62 + height + rise / 2}
        for height, rise in zip(random, step, strict=True)
    ]


@pytest.mark.parametrize(("between", "within"), [(0.0, 0.01), (0.01, 0.008)])
def test_studies_on_one_split_spread_as_split_and_seeds_do(between, within):
    """Variance of a study's mean: between^2 + within^2 / n, for random and, a quarter of it, for the difference."""
    made = splits_table.OneSplit(LABELS, sweeps_on_splits(400, 4, between, within))
    rng, seeds = generator(4), 6
    studies = [made.study(seeds, rng) for _ in range(1500)]
    means = np.array([each["random"][:, -1].mean() for each in studies])
    differences = [
        area_under_curve(LABELS, each["margin"] - each["random"]).mean() for each in studies
    ]
    expected = math.sqrt(between**2 + within**2 / seeds)
    assert means.std() == pytest.approx(expected, rel=0.1)
    assert np.std(differences) == pytest.approx(expected / 2, rel=0.1)
    assert made.truth["random"].mean() == pytest.approx(0.6, abs=0.002)


def test_intervals_cover_with_a_split_per_seed_and_not_with_one(monkeypatch):
    """Where splits differ as much as seeds: of 20 seeds on one split, few intervals hold the truth."""
    monkeypatch.setattr(splits_table, "SEEDS", (20,))
    sweeps = sweeps_on_splits(25, 4, 0.01, 0.01)
    runs = {arm: np.concatenate([sweep[arm] for sweep in sweeps]) for arm in ("random", "margin")}
    one = splits_table.OneSplit(LABELS, sweeps)
    kinds = (
        (runs, lambda seeds, rng: splits_table.drawn_with_replacement(runs, seeds, rng)),
        (one.truth, one.study),
    )
    covered = [
        next(splits_table.coverage(LABELS, truth, study, 10))["coverage"] for truth, study in kinds
    ]
    assert covered[0] >= 0.8
    assert covered[1] <= 0.6


@pytest.mark.parametrize("name", level_table.DISTRIBUTIONS)
def test_simulated_differences_are_of_one_spread_and_half_common(name):
    drawn = level_table.DISTRIBUTIONS[name](generator(), 3, 40_000)
    assert drawn.mean(axis=1) == pytest.approx(0, abs=0.03)
    assert drawn.std(axis=1) == pytest.approx(1, abs=0.05)
    assert np.corrcoef(drawn)[0, 1:] == pytest.approx(0.5, abs=0.05)
    skewness = 1.4 if name == "skewed differences" else 0
    assert scipy_stats.skew(drawn, axis=1) == pytest.approx(skewness, abs=0.2)


def test_the_joint_test_is_simulated_with_known_effects():
    """Five seeds can show nothing; nine find most effects."""
    nothing = level_table.simulated("normal", 4, 5, 4, generator(), 40)
    assert (nothing["power"], nothing["coverage"]) == (0, 1)
    assert math.isnan(nothing["false_claim"])
    found = level_table.simulated("normal", 4, 9, 1, generator(), 100)
    assert found["false_claim"] <= 0.15
    assert found["power"] >= 0.6
    assert found["coverage_of_one"] >= found["coverage"] >= 0.85


@pytest.mark.parametrize(("command", "words"), [(splits_table.main, 3), (nulls_table.main, 2)])
def test_a_folder_without_a_study_is_named(command, words, tmp_path):
    done = CliRunner().invoke(command, [str(tmp_path)] * words)
    assert done.exit_code == 1
    assert str(tmp_path) in str(done.exception or done.output)


# Masks by object


def committee_of(strategy, pool, network, indices, seed=0):
    with object_masks():
        return engine.score(
            network, PoolTensors(pool), indices, strategy.needs, torch_generator(seed)
        )


def test_masks_by_object_agree_with_shared_ones_in_the_mean():
    """Over many members, for objects with absent modalities too; the network comes back as it was."""
    pool = make_pool(objects=12)
    network = make_network(pool, randomised=True)
    own, shared = (
        committee_of(strategy(200), pool, network, everyone(pool))
        for strategy in (BaldByObject, Bald)
    )
    torch.testing.assert_close(
        own.committee_log_mean.exp(), shared.committee_log_mean.exp(), rtol=0, atol=0.08
    )
    torch.testing.assert_close(
        own.committee_mean_entropy, shared.committee_mean_entropy, rtol=0, atol=0.08
    )
    assert not any(module.training for module in network.modules())


def test_an_object_that_occurs_twice_has_masks_of_its_own_each_time():
    pool = make_pool(absent=0.0)
    network = make_network(pool, randomised=True)
    twice = np.array([7, 7])
    first, second = committee_of(BaldByObject(5), pool, network, twice).committee_mean_entropy
    assert first != second
    first, second = committee_of(Bald(5), pool, network, twice).committee_mean_entropy
    assert first == second
    again = (committee_of(BaldByObject(5), pool, network, twice, seed) for seed in (1, 1, 2))
    one, same, other = (signals.committee_mean_entropy for signals in again)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
