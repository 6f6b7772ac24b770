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
GROUPS, FINE_TUNES, BASES = study(WORLD, generator(1))


def named(groupings, grouping, sorted_by=""):
    key = (grouping, sorted_by)
    return next(each for each in groupings if (each.grouping, each.sorted_by) == key)


def test_every_grouping_has_its_groups_seeds_and_doses():
    groupings = grouped_outcomes(GROUPS, FINE_TUNES, BASES)
    names = [(grouped.grouping, grouped.sorted_by) for grouped in groupings]
    assert names == sorted(names)
    assert len(names) == 6
    grouped = named(groupings, "score", "margin")
    assert grouped.usefulness.shape == (2, 10, 3, 3, 2)
    assert (grouped.bases, grouped.seeds, grouped.epochs) == ((0, 1), 3, (1, 4))
    assert named(groupings, "shuffled_labels").shares.shape == (2, 10, 4)


def test_usefulness_is_the_change_against_the_control_of_base_seed_and_dose():
    """Read off the frame, cell by cell; the fall of nll counts."""
    grouped = named(grouped_outcomes(GROUPS, FINE_TUNES, BASES), "within_class", "loss")
    of_grouping = FINE_TUNES.query("grouping == 'within_class' and sorted_by == 'loss'")
    at = ["base", "seed", "epochs"]
    control = FINE_TUNES[FINE_TUNES["grouping"] == "control"].set_index(at)
    for _, row in of_grouping.sample(20, random_state=1).iterrows():
        against = control.loc[tuple(row[at])]
        dose = grouped.epochs.index(row["epochs"])
        found = grouped.usefulness[row["base"], row["group"], row["seed"], :, dose]
        expected = [row[name] - against[name] for name in OUTCOMES]
        expected[OUTCOMES.index("nll")] *= -1
        assert found == pytest.approx(expected)


def test_without_controls_it_is_the_change_from_the_base():
    """The published protocol."""
    outcomes = FINE_TUNES[FINE_TUNES["grouping"] != "control"]
    grouped = named(grouped_outcomes(GROUPS, outcomes, BASES), "random")
    of_base = outcomes[(outcomes["grouping"] == "random") & (outcomes["base"] == 1)]
    mean = of_base["accuracy"].mean() - BASES.set_index("base")["accuracy"][1]
    assert grouped.usefulness[1, :, :, 0].mean() == pytest.approx(mean)


def test_group_means_and_class_shares_are_those_of_the_objects():
    grouped = named(grouped_outcomes(GROUPS, FINE_TUNES, BASES), "random")
    members = GROUPS.query("grouping == 'random' and base == 1 and group == 7")
    assert grouped.scores["margin"][1, 7] == pytest.approx(members["margin"].mean())
    share = (members["label"] == "class 2").mean()
    assert grouped.shares[1, 7, 2] == pytest.approx(share)
    assert grouped.shares.sum(axis=-1) == pytest.approx(1)


def test_an_outcome_that_is_not_finite_leaves_its_dose_unknown():
    """Nothing is dropped: the whole outcome at that dose is NaN, the others stay."""
    outcomes = FINE_TUNES.copy()
    row = outcomes.index[(outcomes["grouping"] == "random") & (outcomes["epochs"] == 4)][5]
    outcomes.loc[row, "nll"] = np.inf
    # Its control diverged too, and inf - inf must not warn.
    at = [outcomes[name] == outcomes.loc[row, name] for name in ("base", "seed", "epochs")]
    outcomes.loc[(outcomes["grouping"] == "control") & np.logical_and.reduce(at), "nll"] = np.inf
    usefulness = named(grouped_outcomes(GROUPS, outcomes, BASES), "random").usefulness
    unknown = np.isnan(usefulness).all(axis=(0, 1, 2))
    assert unknown.tolist() == [[False, False], [False, True], [False, False]]
    assert np.isfinite(usefulness[..., ~unknown]).all()


def test_scores_are_the_columns_that_are_no_keys():
    """A custom score is queried at its large end, as all but margin are."""
    assert score_names(GROUPS) == ["loss", "margin"]
    assert [queried_end(name) for name in ("loss", "margin", "custom")] == [
        "large",
        "small",
        "large",
    ]


def refused(groups=GROUPS, outcomes=FINE_TUNES):
    with pytest.raises(StoreError) as error:
        grouped_outcomes(groups, outcomes, BASES)
    return str(error.value)


def test_a_sliding_window_is_refused():
    """Windows shifted by one object share objects, which makes false positives of 50 to 88 %."""
    windows = GROUPS.copy()
    of_arm = windows["grouping"] == "random"
    windows.loc[of_arm, "id"] = [f"object {i // 2}" for i in range(of_arm.sum())]
    assert "disjoint" in refused(windows)


def test_missing_and_double_rows_are_refused():
    """A lost fine-tune is a fact to report, not a smaller mean."""
    of_random, controls = (
        FINE_TUNES[FINE_TUNES["grouping"] == name] for name in ("random", "control")
    )
    lost = FINE_TUNES.drop(of_random.index[3])
    assert "grouping random: 1 of 120 outcomes are missing" in refused(outcomes=lost)
    twice = pd.concat([FINE_TUNES, of_random.tail(1)])
    assert "occurs twice" in refused(outcomes=twice)
    no_control = FINE_TUNES.drop(controls.index[0])
    assert "nothing to compare with" in refused(outcomes=no_control)
    controls_twice = pd.concat([FINE_TUNES, controls.tail(1)])
    assert "a control occurs twice" in refused(outcomes=controls_twice)
    assert "no fine-tune" in refused(outcomes=controls)


def test_groups_that_do_not_fit_the_outcomes_are_refused():
    assert "do not hold" in refused(GROUPS[GROUPS["grouping"] != "random"])
    lost = GROUPS[(GROUPS["base"] == 0) | (GROUPS["group"] != 3)]
    assert "19 groups with objects, 20 expected" in refused(lost)
    assert "belongs to no known group" in refused(GROUPS[GROUPS["group"] != 3])
    but_one = "not (sorted_by == 'loss' and grouping == 'score' and group == 9)"
    fewer = (frame.query(but_one) for frame in (GROUPS, FINE_TUNES))
    assert "differ in their number of groups" in refused(*fewer)
