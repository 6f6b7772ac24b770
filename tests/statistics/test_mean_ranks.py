"""Ranks over blocks: against SciPy, with what is missing or tied, and how often they err in made studies."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from alray.errors import SpecError
from alray.statistics.mean_ranks import (
    blocks_of,
    critical_difference,
    friedman_test,
    rank_arms,
    ranks_of,
)


def frame_of(values, arms=None):
    """Return block, arm, value of a table (block, arm)."""
    arms = arms or [f"arm{number}" for number in range(values.shape[1])]
    table = pd.DataFrame(values, columns=arms).rename_axis("block").reset_index()
    return table.melt("block", var_name="arm", value_name="value")


def study_of(effects, rng, pools=3, settings=2, seeds=8, noise=1.0):
    """Return pool, setting, seed, arm, value; `effects` (pool, arm) or (arm,) are the arms' true values.

    Settings of one seed share its noise, but for a tenth.
    """
    effects = np.broadcast_to(effects, (pools, np.shape(effects)[-1]))
    rows = []
    for pool in range(pools):
        for seed in range(seeds):
            of_seed = rng.normal(0, noise, effects.shape[1])
            for setting in range(settings):
                values = effects[pool] + of_seed + rng.normal(0, noise / 10, effects.shape[1])
                rows += [
                    {
                        "pool": f"p{pool}",
                        "setting": setting,
                        "seed": seed,
                        "arm": f"arm{n}",
                        "value": value,
                    }
                    for n, value in enumerate(values)
                ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("tied", [False, True])
def test_friedman_is_that_of_scipy(tied):
    values = np.random.default_rng(1).normal(size=(9, 5)) + np.arange(5) / 3
    values = np.round(values) if tied else values
    expected = stats.friedmanchisquare(*values.T)
    assert friedman_test(ranks_of(values)) == pytest.approx(tuple(expected), rel=1e-9)
    found = rank_arms(frame_of(values))
    assert (found.friedman, found.friedman_p) == pytest.approx(tuple(expected), rel=1e-9)
    assert (found.tied_blocks > 0) == tied


def test_the_critical_difference_is_nemenyis():
    """Demsar (2006) prints q = 2.343, 2.728 and 3.164 for 3, 5 and 10 arms, and 1.25 for 4 arms over 14 blocks."""
    for arms, q in ((3, 2.343), (5, 2.728), (10, 3.164)):
        expected = q * math.sqrt(arms * (arms + 1) / (6 * 12))
        assert critical_difference(arms, 12) == pytest.approx(expected, abs=2e-3)
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=5e-3)


def test_pairs_are_wilcoxons_corrected_by_holm():
    values = np.random.default_rng(2).normal(size=(12, 4)) + np.array([0, 0.2, 1.5, 3])
    found = rank_arms(frame_of(values))
    order = [int(arm[3:]) for arm in found.arms]
    assert order[0] == 3
    raw = {
        (i, j): float(
            stats.wilcoxon(values[:, order[i]] - values[:, order[j]], method="exact").pvalue
        )
        for i in range(4)
        for j in range(i + 1, 4)
    }
    corrected, largest = {}, 0.0
    for step, (pair, p) in enumerate(sorted(raw.items(), key=lambda item: item[1])):
        largest = max(largest, min(1.0, p * (6 - step)))
        corrected[pair] = largest
    for (i, j), p in corrected.items():
        assert found.wilcoxon_p[i, j] == found.wilcoxon_p[j, i] == pytest.approx(p)
    assert (np.diag(found.wilcoxon_p) == 1).all()
    assert np.array_equal(found.shown(), found.wilcoxon_p < 0.05)
    by_range = found.shown("nemenyi")
    assert by_range[0, 3] == (
        found.mean_ranks[3] - found.mean_ranks[0] >= found.critical_difference
    )


@pytest.mark.parametrize("arms", [2, 3, 7, 12])
def test_fewer_blocks_than_the_fewest_show_nothing(arms):
    """Each block has the arms in the same order, with other distances."""
    rng = np.random.default_rng(0)

    def shown(blocks):
        found = rank_arms(frame_of(np.arange(arms) + rng.uniform(0, 0.4, (blocks, arms))))
        return found.fewest_blocks, found.shown().any()

    fewest, _ = shown(20)
    assert shown(fewest) == (fewest, True)
    assert shown(fewest - 1) == (fewest, False)


def test_larger_is_better_and_the_order_of_rows_changes_nothing():
    values = np.random.default_rng(3).normal(size=(10, 6))
    frame = frame_of(values)
    found = rank_arms(frame)
    mixed = rank_arms(frame.sample(frac=1, random_state=4))
    assert found.arms == mixed.arms
    assert np.array_equal(found.wilcoxon_p, mixed.wilcoxon_p)
    assert found.mean_ranks == pytest.approx(mixed.mean_ranks)
    first = values[:, int(found.arms[0][3:])]
    assert found.mean_ranks[0] == pytest.approx(np.mean(1 + (values > first[:, None]).sum(axis=1)))


def test_tied_arms_share_their_rank_though_they_are_rounded_otherwise():
    found = rank_arms(frame_of(np.array([[0.1 + 0.2, 0.3, 0.1], [0.3, 0.1 + 0.2, 0.2]])))
    assert found.mean_ranks.tolist() == [1.5, 1.5, 3]
    assert found.tied_blocks == 2
    assert found.arms == ("arm0", "arm1", "arm2")


def test_arms_that_are_all_equal_do_not_differ():
    found = rank_arms(frame_of(np.ones((5, 3))))
    assert (found.friedman, found.friedman_p) == (0, 1)
    assert not found.shown().any()
    assert not found.shown("nemenyi").any()


def test_a_block_without_all_arms_is_left_out_and_named():
    values = np.random.default_rng(5).normal(size=(6, 3))
    frame = frame_of(values).drop(index=3)
    frame.loc[(frame["block"] == 1) & (frame["arm"] == "arm2"), "value"] = math.nan
    found = rank_arms(frame)
    assert found.blocks == 4
    assert found.left_out == {"1": ("arm2",), "3": ("arm0",)}
    complete = rank_arms(frame_of(values[[0, 2, 4, 5]]))
    assert found.mean_ranks == pytest.approx(complete.mean_ranks)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            frame_of(np.ones((3, 2))).drop(columns="block"),
            "no column 'block'; it needs block, arm",
        ),
        (frame_of(np.ones((3, 1))), "there are 1; add arms"),
        (frame_of(np.ones((1, 2))), "two blocks or more that have all 2 arms, and there are 1;"),
        (
            frame_of(np.array([[1.0, math.nan], [1, math.nan], [1, 2]])),
            "there are 1; leave out arms that many blocks lack .'arm1' is missing in 2 of 3",
        ),
        (
            frame_of(np.array([[1.0, math.inf], [1, 2]])),
            "'arm1' has an infinite value in block '0'",
        ),
        (
            pd.concat([frame_of(np.ones((2, 2)))] * 2),
            "'arm0' has more than one value in block '0'",
        ),
    ],
)
def test_what_cannot_be_ranked_is_refused(frame, message):
    with pytest.raises(SpecError, match=message):
        rank_arms(frame)


def test_blocks_count_pools_and_settings_alike():
    rows = [("a", "q20", 0, 1.0, 2.0), ("a", "q200", 0, 50.0, 10.0), ("a", "q20", 1, 5.0, 4.0)]
    rows += [("a", "q200", 1, 5.0, 4.0), ("b", "q20", 0, 1.0, 1.0)]
    frame = pd.DataFrame(rows, columns=["pool", "setting", "seed", "x", "y"])
    tall = frame.melt(["pool", "setting", "seed"], var_name="arm", value_name="value")
    wide = blocks_of(tall, "these pools").pivot_table(index="block", columns="arm", values="value")
    assert wide.to_dict("index") == {
        "a, seed 0": {"x": 0.5, "y": 0.5},
        "a, seed 1": {"x": 1.0, "y": 0.0},
        "b, seed 0": {"x": 0.5, "y": 0.5},
    }
    of_pools = blocks_of(tall, "other pools")
    assert of_pools.set_index(["block", "arm"])["value"].to_dict() == {
        ("a", "x"): 0.75,
        ("b", "x"): 0.5,
        ("a", "y"): 0.25,
        ("b", "y"): 0.5,
    }
    assert rank_arms(blocks_of(tall[1:], "these pools")).left_out == {"a, seed 0": ("x",)}


STUDIES = 150


def most_by_chance(level=0.05):
    """Return what a share of at most this level stays below in 999 simulations of a thousand."""
    return stats.binom.ppf(0.999, STUDIES, level) / STUDIES


def null_studies(**size):
    return [study_of(np.zeros(5), np.random.default_rng(seed), **size) for seed in range(STUDIES)]


def test_equal_arms_are_seldom_called_different():
    found = [rank_arms(blocks_of(each, "these pools")) for each in null_studies()]
    for rule in ("wilcoxon", "nemenyi"):
        assert np.mean([each.shown(rule).any() for each in found]) <= most_by_chance()
    # Without Friedman's test before it, Holm's correction alone holds the level too.
    assert np.mean([(each.wilcoxon_p < 0.05).any() for each in found]) <= most_by_chance()


def test_settings_of_one_seed_are_no_blocks_of_their_own():
    """Taken as such they let equal arms look different: four settings with common noise are nearly one, four times."""

    def as_blocks(frame):
        parts = frame["pool"] + frame["setting"].astype(str) + "/" + frame["seed"].astype(str)
        return frame.assign(block=parts)

    studies = null_studies(pools=2, settings=4, seeds=5)
    wrong = [rank_arms(as_blocks(each)).shown().any() for each in studies]
    assert np.mean(wrong) > 0.3
    right = [rank_arms(blocks_of(each, "these pools")).shown().any() for each in studies]
    assert np.mean(right) <= most_by_chance()


def test_what_differs_on_these_pools_is_not_said_of_others():
    """Each pool has favourites of its own: seeds show them, and no number of seeds makes pools of them."""

    def made(rng):
        return study_of(rng.normal(0, 6, (3, 4)), rng, seeds=10)

    studies = [made(np.random.default_rng(seed)) for seed in range(30)]
    these = [rank_arms(blocks_of(each, "these pools")).shown().any() for each in studies]
    others = [rank_arms(blocks_of(each, "other pools")).shown().any() for each in studies]
    assert np.mean(these) > 0.8
    assert not any(others)


def test_a_planted_order_is_found():
    effects = np.array([0.0, 0.0, 2.5, 5.0])
    found = rank_arms(blocks_of(study_of(effects, np.random.default_rng(7)), "these pools"))
    assert found.arms[:2] == ("arm3", "arm2")
    for rule in ("wilcoxon", "nemenyi"):
        shown = found.shown(rule)
        assert shown[0, 1:].any()
        assert not shown[2, 3]
    assert found.shown()[:2, 2:].all()
    assert found.shown()[0, 1]
