"""Frames to arrays: what is subtracted, oriented, averaged and refused."""

import numpy as np
import pandas as pd
import pytest

from alray.analysis.correlation.groupings import grouped_outcomes, queried_end, score_names
from alray.errors import StoreError
from alray.settings.correlation import OUTCOMES
from tests.helpers.correlation_worlds import World, study
from tests.helpers.intervals import generator

WORLD = World(bases=2, groups=10, seeds=3, epochs=(1, 4), slope=0.02)


def frames():
    return study(WORLD, generator(1))


def named(groupings, grouping, sorted_by=""):
    key = (grouping, sorted_by)
    return next(each for each in groupings if (each.grouping, each.sorted_by) == key)


def test_every_grouping_has_its_groups_seeds_and_doses():
    groupings = grouped_outcomes(*frames())
    names = [(grouped.grouping, grouped.sorted_by) for grouped in groupings]
    assert names == sorted(names)
    assert len(names) == 6
    grouped = named(groupings, "score", "margin")
    assert grouped.usefulness.shape == (2, 10, 3, 3, 2)
    assert (grouped.bases, grouped.seeds, grouped.epochs) == ((0, 1), 3, (1, 4))
    assert named(groupings, "shuffled_labels").shares.shape == (2, 10, 4)


def test_usefulness_is_the_change_against_the_control_of_base_seed_and_dose():
    """Read off the frame, cell by cell; the fall of nll counts."""
    groups, outcomes, bases = frames()
    grouped = named(grouped_outcomes(groups, outcomes, bases), "within_class", "loss")
    of_grouping = outcomes.query("grouping == 'within_class' and sorted_by == 'loss'")
    at = ["base", "seed", "epochs"]
    control = outcomes[outcomes["grouping"] == "control"].set_index(at)
    for _, row in of_grouping.sample(20, random_state=1).iterrows():
        against = control.loc[tuple(row[at])]
        dose = grouped.epochs.index(row["epochs"])
        found = grouped.usefulness[row["base"], row["group"], row["seed"], :, dose]
        expected = [row[name] - against[name] for name in OUTCOMES]
        expected[OUTCOMES.index("nll")] *= -1
        assert found == pytest.approx(expected)


def test_without_controls_it_is_the_change_from_the_base():
    """The published protocol."""
    groups, outcomes, bases = frames()
    outcomes = outcomes[outcomes["grouping"] != "control"]
    grouped = named(grouped_outcomes(groups, outcomes, bases), "random")
    of_base = outcomes[(outcomes["grouping"] == "random") & (outcomes["base"] == 1)]
    mean = of_base["accuracy"].mean() - bases.set_index("base")["accuracy"][1]
    assert grouped.usefulness[1, :, :, 0].mean() == pytest.approx(mean)


def test_group_means_and_class_shares_are_those_of_the_objects():
    groups, outcomes, bases = frames()
    grouped = named(grouped_outcomes(groups, outcomes, bases), "random")
    members = groups.query("grouping == 'random' and base == 1 and group == 7")
    assert grouped.scores["margin"][1, 7] == pytest.approx(members["margin"].mean())
    share = (members["label"] == "class 2").mean()
    assert grouped.shares[1, 7, 2] == pytest.approx(share)
    assert grouped.shares.sum(axis=-1) == pytest.approx(1)


def test_the_order_of_rows_changes_nothing():
    shuffled = (frame.sample(frac=1, random_state=2) for frame in frames())
    expected = grouped_outcomes(*frames())
    for one, other in zip(expected, grouped_outcomes(*shuffled), strict=True):
        assert np.array_equal(one.usefulness, other.usefulness)
        assert one.scores["loss"] == pytest.approx(other.scores["loss"])
        assert np.array_equal(one.shares, other.shares)


def test_an_outcome_that_is_not_finite_leaves_its_dose_unknown():
    """Nothing is dropped: the whole outcome at that dose is NaN, the others stay."""
    groups, outcomes, bases = frames()
    row = outcomes.index[(outcomes["grouping"] == "random") & (outcomes["epochs"] == 4)][5]
    outcomes.loc[row, "nll"] = np.inf
    # Its control diverged too, and inf - inf must not warn.
    at = [outcomes[name] == outcomes.loc[row, name] for name in ("base", "seed", "epochs")]
    outcomes.loc[(outcomes["grouping"] == "control") & np.logical_and.reduce(at), "nll"] = np.inf
    usefulness = named(grouped_outcomes(groups, outcomes, bases), "random").usefulness
    unknown = np.isnan(usefulness).all(axis=(0, 1, 2))
    assert unknown.tolist() == [[False, False], [False, True], [False, False]]
    assert np.isfinite(usefulness[..., ~unknown]).all()


def test_scores_are_the_columns_that_are_no_keys():
    """A custom score is queried at its large end, as all but margin are."""
    groups, _, _ = frames()
    assert score_names(groups) == ["loss", "margin"]
    assert [queried_end(name) for name in ("loss", "margin", "custom")] == [
        "large",
        "small",
        "large",
    ]


def refused(groups, outcomes, bases):
    with pytest.raises(StoreError) as error:
        grouped_outcomes(groups, outcomes, bases)
    return str(error.value)


def test_a_sliding_window_is_refused():
    """Windows shifted by one object share objects, which makes false positives of 50 to 88 %."""
    groups, outcomes, bases = frames()
    windows = groups.copy()
    of_arm = windows["grouping"] == "random"
    windows.loc[of_arm, "id"] = [f"object {i // 2}" for i in range(of_arm.sum())]
    assert "disjoint" in refused(windows, outcomes, bases)


def test_missing_and_double_rows_are_refused():
    """A lost fine-tune is a fact to report, not a smaller mean."""
    groups, outcomes, bases = frames()
    is_random, is_control = (outcomes["grouping"] == name for name in ("random", "control"))
    lost = outcomes.drop(outcomes.index[is_random][3])
    assert "grouping random: 1 of 120 outcomes are missing" in refused(groups, lost, bases)
    twice = pd.concat([outcomes, outcomes[is_random].tail(1)])
    assert "occurs twice" in refused(groups, twice, bases)
    no_control = outcomes.drop(outcomes.index[is_control][0])
    assert "nothing to compare with" in refused(groups, no_control, bases)
    controls_twice = pd.concat([outcomes, outcomes[is_control].tail(1)])
    assert "a control occurs twice" in refused(groups, controls_twice, bases)
    assert "no fine-tune" in refused(groups, outcomes[is_control], bases)


def test_groups_that_do_not_fit_the_outcomes_are_refused():
    groups, outcomes, bases = frames()
    assert "do not hold" in refused(groups[groups["grouping"] != "random"], outcomes, bases)
    lost = groups[(groups["base"] == 0) | (groups["group"] != 3)]
    assert "19 groups with objects, 20 expected" in refused(lost, outcomes, bases)
    no_group = groups[groups["group"] != 3]
    assert "belongs to no known group" in refused(no_group, outcomes, bases)
    by_loss = "sorted_by == 'loss' and grouping == 'score' and group == 9"
    fewer = groups.drop(groups.query(by_loss).index), outcomes.drop(outcomes.query(by_loss).index)
    assert "differ in their number of groups" in refused(*fewer, bases)
