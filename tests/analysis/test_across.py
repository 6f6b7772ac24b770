"""Arms over pools: planted orders come out, the safest arm is the one with the smallest worst loss."""

import numpy as np
import pytest
from scipy import stats as scipy_stats

from alray.analysis.sweep.across import StudyArms, across
from alray.analysis.sweep.across_words import across_sentences
from alray.analysis.sweep.arms import ArmCurves
from alray.errors import SpecError
from tests.helpers.intervals import generator

LABELS = np.array([100.0, 200.0, 300.0])


def study(name, heights, pool=None, seeds=6, noise=0.002, rng=None, sign=1):
    rng = rng or generator(len(name))
    common = rng.normal(0, 0.02, size=(seeds, 1))
    arms = [
        ArmCurves(
            arm,
            "",
            tuple(range(seeds)),
            LABELS,
            {"accuracy": sign * (height + common + rng.normal(0, noise, (seeds, 3)))},
        )
        for arm, height in heights.items()
    ]
    return StudyArms(pool or name, name, arms, frozenset({"oracle"}))


POOLS = (
    study("one", {"random": 0.50, "margin": 0.56, "bald": 0.55, "oracle": 0.9}),
    study("second", {"random": 0.60, "margin": 0.64, "bald": 0.65, "extra": 0.7}),
    study("three pools", {"random": 0.70, "margin": 0.66, "bald": 0.695}),
)


def test_the_safest_arm_has_the_smallest_worst_loss():
    """Margin is best once and loses .04 once; bald never loses more than .01."""
    found = across(POOLS, "accuracy")
    ranks = found.ranks.set_index("arm")
    assert list(ranks.index[ranks["safest"].to_numpy(bool)]) == ["bald"]
    expected = {"bald": 0.01, "margin": 0.04, "random": 0.06}
    for arm, loss in expected.items():
        row = ranks.loc[arm]
        assert row["worst_loss"] == pytest.approx(loss, abs=0.004)
        assert row["worst_loss_low"] < loss < row["worst_loss_high"]
    assert ranks.loc["margin", "worst_study"] == "three pools"
    said = across_sentences(found)
    assert said[0].startswith("The safest arm is bald: where it does worst, on one")


def test_losses_are_paired_and_of_the_best_arm():
    found = across(POOLS, "accuracy")
    losses = found.losses.set_index(["arm", "setting"])
    assert losses.loc[("margin", "three pools"), "best"] == "random"
    assert losses.loc[("random", "three pools"), "loss"] == 0.0
    assert losses.loc[("random", "three pools"), "low"] == 0.0
    # Seeds differ by .02, which pairs do not see.
    assert losses["high"].sub(losses["low"]).max() < 0.02
    areas = found.areas.groupby(["setting", "arm"])["area"].mean()
    difference = areas["one", "margin"] - areas["one", "random"]
    assert losses.loc[("random", "one"), "loss"] == pytest.approx(difference)


def test_ends_of_losses_are_paired_t_intervals_for_all_arms_and_studies():
    """Three pairs of arms and three studies: nine comparisons. Random's loss on `one` is against margin, far ahead."""
    found = across(POOLS, "accuracy")
    table = found.areas[found.areas["setting"] == "one"].pivot(
        index="seed", columns="arm", values="area"
    )
    test = scipy_stats.ttest_rel(table["margin"], table["random"])
    expected = test.confidence_interval(1 - 0.05 / 9)
    row = found.losses.query("arm == 'random' and setting == 'one'")
    ends = row[["low", "high"]].to_numpy(float)[0]
    np.testing.assert_allclose(ends, [expected.low, expected.high])


def test_arms_that_not_all_have_and_oracles_are_left_out():
    found = across(POOLS, "accuracy")
    assert set(found.left_out) == {"oracle", "extra"}
    assert found.these.blocks == 18
    assert found.others.blocks == 3
    assert across_sentences(found)[-1].startswith("Left out")


def test_blocks_are_pools_and_seeds_for_these_and_pools_for_others():
    """Two studies of one pool are settings of it."""
    again = study("again", {"random": 0.50, "margin": 0.56, "bald": 0.55}, pool="one")
    found = across([*POOLS, again], "accuracy")
    assert found.pools == ("one", "second", "three pools")
    assert (found.these.blocks, found.others.blocks) == (18, 3)
    assert len(found.losses) == 12


PAIR = {"random": 0.50, "margin": 0.52}


def lacking(name, gone, heights=PAIR, metric="accuracy"):
    """Return a study in which arms lack some of their six seeds."""
    whole = study(name, heights)
    kept = {a.name: [s not in gone.get(a.name, ()) for s in a.seeds] for a in whole.arms}
    arms = [
        ArmCurves(
            a.name,
            "",
            tuple(s for s in a.seeds if kept[a.name][s]),
            LABELS,
            {metric: a.curves["accuracy"][kept[a.name]]},
        )
        for a in whole.arms
    ]
    return StudyArms(name, name, arms)


def test_a_failed_run_costs_its_seed_and_not_its_pool():
    """Six pools are needed to show that two arms differ, and six are there."""
    pools = [study(name, PAIR) for name in ("a", "bb", "ccc", "dddd", "eeeee")]
    found = across([lacking("failed", {"margin": [5]}), *pools], "accuracy")
    assert (found.these.blocks, found.others.blocks, len(found.pools)) == (35, 6, 6)
    said = across_sentences(found)
    assert "over 6 pools 1 of 1 pair of arms is shown to differ" in said[2]
    assert said[-1] == (
        "Left out, because an arm has no area under the accuracy curve there: 1 seed of failed."
    )


def test_two_pools_with_a_failed_run_are_compared():
    found = across([lacking("failed", {"margin": [5]}), study("b", PAIR)], "accuracy")
    assert (found.these.blocks, found.others.blocks) == (11, 2)
    assert found.losses.groupby("setting")["seeds"].first().to_dict() == {"failed": 5, "b": 6}


def test_a_value_that_is_no_number_is_a_seed_that_its_arm_lacks():
    first, *others = [lacking(name, {}, metric="rare_recall") for name in ("a", "bb", "ccc")]
    first.arms[0].curves["rare_recall"][2] = np.nan
    found = across([first, *others], "rare_recall")
    assert (found.these.blocks, found.others.blocks) == (17, 3)
    assert across_sentences(found)[-1].endswith(
        "recall of the rarest classes curve there: 1 seed of a."
    )


def test_a_study_without_a_common_seed_is_not_compared():
    """Margin is far behind there, which no pair of seeds says: it is not said to be best in that study."""
    gone = {"random": [0, 1, 2], "margin": [3, 4, 5]}
    apart = lacking("apart", gone, {"random": 0.6, "margin": 0.4})
    found = across([apart, study("b", PAIR), study("cc", PAIR)], "accuracy")
    of_apart = found.losses[found.losses["setting"] == "apart"]
    assert of_apart[["loss", "low", "high"]].isna().all(axis=None)
    assert of_apart["best"].tolist() == ["", ""]
    assert found.ranks["worst_loss"].notna().all()
    said = across_sentences(found)
    assert "in every study that is compared." in said[0]
    assert said[1].startswith("Over 2 pools, in 12 blocks")
    assert ": 2 pools cannot show a difference" in said[2]
    assert said[3] == (
        "Not compared, because no seed there has an area under the accuracy curve of every arm: apart."
    )
    assert len(said) == 4
    with pytest.raises(SpecError, match=r"only those of pool b have .* missing runs of apart"):
        across([apart, study("b", PAIR)], "accuracy")
    with pytest.raises(SpecError, match=r"none has .* missing runs of apart, again"):
        across([apart, lacking("again", gone)], "accuracy")


def test_what_holds_for_these_pools_is_not_said_of_others():
    clear = [study("x" * n, {"random": 0.5, "margin": 0.6}) for n in (1, 2, 3)]
    _, these, others = across_sentences(across(clear, "accuracy"))
    assert "random is shown to be behind it" in these
    assert "3 pools cannot show a difference between 2 arms, 6 or more can" in others
    many = [study("x" * n, {"random": 0.5, "margin": 0.6}) for n in range(1, 8)]
    assert "1 of 1 pair of arms" in across_sentences(across(many, "accuracy"))[2]


def test_too_few_seeds_are_said_to_show_nothing():
    heights = {f"arm {n}": 0.5 + 0.02 * n for n in range(6)}
    few = [study("x" * n, heights, seeds=4) for n in (1, 2)]
    these = across_sentences(across(few, "accuracy"))[1]
    assert "8 blocks cannot show which of 6: 10 or more can, as more seeds bring." in these
    assert "Not shown to differ" not in these
    enough = [study("x" * n, heights, seeds=5) for n in (1, 2)]
    assert "cannot" not in across_sentences(across(enough, "accuracy"))[1]


def test_equal_arms_are_shown_to_differ_in_few_worlds():
    rng = generator(7)
    heights = dict.fromkeys(("a", "b", "c"), 0.5)
    shown = [
        across([study(name, heights, rng=rng) for name in ("p", "q")], "accuracy")
        .these.shown()
        .any()
        for _ in range(40)
    ]
    assert np.mean(shown) <= 0.15


def test_less_is_better_for_nll():
    turned = [
        StudyArms(
            each.pool,
            each.setting,
            [
                ArmCurves(a.name, "", a.seeds, LABELS, {"nll": 1 - a.curves["accuracy"]})
                for a in each.arms
            ],
            each.oracles,
        )
        for each in POOLS
    ]
    by_nll, by_accuracy = across(turned, "nll"), across(POOLS, "accuracy")
    assert by_nll.these.arms == by_accuracy.these.arms
    np.testing.assert_allclose(by_nll.losses["loss"], by_accuracy.losses["loss"], atol=1e-12)
    assert (by_nll.areas["area"] > 0).all()


@pytest.mark.parametrize(
    ("studies", "message"),
    [
        (
            (POOLS[0], study("same", {"random": 0.5, "margin": 0.5}, pool="one")),
            "all of these .* one",
        ),
        (
            (POOLS[0], study("other", {"random": 0.5, "badge": 0.5})),
            "there is one; run the missing",
        ),
        ((POOLS[0], study("other", {"badge": 0.5})), "there are none"),
    ],
)
def test_too_few_pools_or_arms_are_refused(studies, message):
    with pytest.raises(SpecError, match=message):
        across(studies, "accuracy")


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 1.0, 4.0])
def test_intervals_of_the_worst_loss_hold(spread):
    """In at least 95 of 100 worlds, for each arm."""
    rng, held = generator(11), []
    names = ("a", "b", "c", "d")
    for _ in range(200):
        heights = [
            dict(zip(names, rng.normal(0.5, spread * 0.001, 4), strict=True)) for _ in "pqr"
        ]
        made = [study(name, h, rng=rng) for name, h in zip("pqr", heights, strict=True)]
        ranks = across(made, "accuracy").ranks.set_index("arm")
        for arm in names:
            truth = max(max(h.values()) - h[arm] for h in heights)
            row = ranks.loc[arm]
            held.append(row["worst_loss_low"] <= truth + 1e-12 and truth <= row["worst_loss_high"])
    assert np.mean(held) >= 0.94


@pytest.mark.slow
def test_intervals_of_the_losses_of_equal_arms_hold_together():
    """Nothing is lost by any arm: an interval above 0 is wrong, in 5 of 100 worlds at most, however many arms."""
    rng, heights = generator(5), dict.fromkeys("abcdefgh", 0.5)
    worlds = [
        [study(name, heights, seeds=10, rng=rng) for name in ("one", "two")] for _ in range(100)
    ]
    wrong = [(across(world, "accuracy").losses["low"] > 0).any() for world in worlds]
    assert np.mean(wrong) <= 0.05
