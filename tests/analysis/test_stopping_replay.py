"""Replaying stopping rules: the planted round, loss against the arm's best budget, and what is not known."""

import numpy as np
import pandas as pd
import pytest

from alray.analysis.stopping_rules.registry import rules_of
from alray.analysis.sweep.stopping_rules.replay import STOPPING_COLUMNS, STOPS_COLUMNS, replay
from alray.analysis.sweep.stopping_rules.words import missing, stopping_said
from alray.statistics.paired import mean_interval
from tests.helpers.sweep_frames import LABELS, runs_of

ACCURACY = {
    ("random", 0): [0.5, 0.6, 0.7, 0.74, 0.73],
    ("random", 1): [0.4, 0.5, 0.6, 0.66, 0.62],
    ("margin", 0): [0.5, 0.7, 0.8, 0.8, 0.9],
    ("margin", 1): [0.5, 0.7, 0.8, 0.8, 0.9],
}
KAPPA = {
    ("random", 0): [np.nan, 0.5, 0.995, 0.5, 0.5],
    ("random", 1): [np.nan, 0.5, 0.5, 0.5, 0.5],
    ("margin", 0): [np.nan, 1.0, 0.5, 0.5, 0.5],
    ("margin", 1): [np.nan, 0.5, 0.5, 0.995, 0.5],
}
RULE = "kappa:window=1"


def planted(accuracy=ACCURACY, **columns):
    runs = runs_of(2, ("random", "margin"), ("",))
    grid = pd.DataFrame({"round": range(len(LABELS)), "labels": LABELS})
    rounds = runs.drop(columns="status").merge(grid, how="cross")
    keys = list(zip(rounds["strategy"], rounds["seed"], rounds["round"], strict=True))
    given = {"accuracy": accuracy, "stop_kappa": KAPPA, **columns}
    made = {
        name: [values[strategy, seed][at] for strategy, seed, at in keys]
        for name, values in given.items()
    }
    made["nll"] = [1 - value for value in made["accuracy"]]
    return rounds.assign(**made, stop_objects=50.0), runs


def replayed(metric="accuracy", cost=None, **columns):
    """Return what the rule does in the planted study."""
    rounds, runs = planted(**columns)
    return replay(rounds, runs, rules_of([RULE]), metric, cost)


def test_each_seed_stops_where_the_rule_says_and_loses_against_its_arms_best_budget():
    found = replayed(cost=0.5)
    assert list(found.stops) == list(STOPS_COLUMNS)
    rows = {(row["arm"], row["seed"]): row for row in found.stops.to_dict("records")}
    # Random's mean curve is best at 160 labels, margin's at the end.
    first = rows["random", 0]
    assert (first["stopped"], first["round"], first["stop_labels"]) == (True, 2, 140)
    assert (first["best_labels"], first["best"], first["stop_value"]) == (160, 0.74, 0.7)
    assert first["lost"] == pytest.approx(0.04)
    assert first["spared"] == pytest.approx(40 / 180)
    never = rows["random", 1]
    assert (never["stopped"], never["round"], never["stop_labels"]) == (False, 4, 180)
    assert never["lost"] == pytest.approx(0.66 - 0.62)
    assert never["spared"] == 0
    assert rows["margin", 0]["round"] == 1
    assert rows["margin", 0]["lost"] == pytest.approx(0.2)
    assert rows["margin", 1]["round"] == 3


def test_the_table_holds_means_with_their_intervals():
    found = replayed(cost=0.5)
    assert list(found.table) == list(STOPPING_COLUMNS)
    row = found.table.set_index("arm").loc["margin"]
    assert (row["seeds"], row["stopped"], row["stop_labels"]) == (2, 2, 140)
    expected = mean_interval(np.array([0.2, 0.1]))
    assert row["lost"] == pytest.approx(expected.estimate)
    assert (row["lost_low"], row["lost_high"]) == pytest.approx((expected.low, expected.high))
    assert row["lost_worst"] == pytest.approx(0.2)
    assert row["spared"] == pytest.approx((60 / 180 + 20 / 180) / 2)
    assert row["spared_labels"] == 40
    assert row["spared_money"] == 20
    assert found.table["spared_money"].notna().all()
    assert replayed().table["spared_money"].isna().all()


def test_where_less_is_better_a_loss_is_still_positive():
    found = replayed("nll").stops
    plain = replayed().stops
    np.testing.assert_allclose(found["lost"], plain["lost"])


def test_the_last_round_is_no_stop():
    kappa = {key: [np.nan, 0, 0, 0, 1.0] for key in KAPPA}
    found = replayed(stop_kappa=kappa)
    assert not found.stops["stopped"].any()
    assert stopping_said(found) == ["Over all arms and seeds: kappa:window=1 never stops."]


def test_records_of_an_older_alray_say_what_they_lack_and_other_rules_go_on():
    rounds, runs = planted(validation_accuracy=ACCURACY)
    old = rounds.drop(columns=["stop_kappa", "stop_objects"])
    found = replay(old, runs, rules_of([RULE, "classification_change", "validation_patience"]))
    assert found.lacking == {
        RULE: ("stop_kappa",),
        "classification_change": ("stop_agreement",),
    }
    assert set(found.table["rule"]) == {"validation_patience"}
    text = " ".join(missing(found))
    assert "kappa:window=1 and classification_change" in text
    assert "stop_kappa and stop_agreement" in text


def test_a_run_with_some_rounds_of_an_older_alray_is_left_out():
    rounds, runs = planted()
    first = (rounds["arm"] == "margin") & (rounds["seed"] == 1)
    rounds.loc[first & (rounds["round"] < 3), ["stop_objects", "stop_kappa"]] = np.nan
    found = replay(rounds, runs, rules_of([RULE]))
    assert found.partly == {RULE: 1}
    assert found.table.set_index("arm")["seeds"].to_dict() == {"random": 2, "margin": 1}
    assert "1 run left out" in " ".join(missing(found))


def test_an_unknown_kappa_of_a_measured_round_is_no_gap():
    kappa = {**KAPPA, ("margin", 1): [np.nan, np.nan, np.nan, 0.995, 0.5]}
    found = replayed(stop_kappa=kappa)
    assert not found.partly
    assert found.table.set_index("arm").loc["margin", "stopped"] == 2


def test_rules_see_evaluated_rounds_alone():
    rounds, runs = planted()
    between = rounds["round"].isin([1, 3])
    rounds.loc[between, ["accuracy", "nll", "stop_objects"]] = np.nan
    found = replay(rounds, runs, rules_of([RULE]))
    # What is recorded in the rounds between, as margin's kappa here, plays no part.
    assert found.stops.set_index(["arm", "seed"])["stopped"].to_dict() == {
        ("random", 0): True,
        ("random", 1): False,
        ("margin", 0): False,
        ("margin", 1): False,
    }
    assert found.stops["round"].tolist() == [2, 4, 4, 4]


def test_failed_runs_and_runs_on_full_data_have_no_part():
    rounds, runs = planted()
    runs.loc[(runs["arm"] == "margin") & (runs["seed"] == 1), "status"] = "failed"
    runs.loc[runs["arm"] == "random", "full_data"] = True
    rounds.loc[rounds["arm"] == "random", "full_data"] = True
    found = replay(rounds, runs, rules_of([RULE]))
    assert found.stops[["arm", "seed"]].to_numpy().tolist() == [["margin", 0]]


def test_words_count_runs_of_all_arms():
    (said,) = stopping_said(replayed())
    assert said == (
        "Over all arms and seeds: kappa:window=1 stops 3 of 4 runs, spares 17 % of the labels and loses .095."
    )


def test_a_passive_phase_of_an_older_alray_is_no_gap():
    rounds, runs = planted()
    rounds.loc[rounds["round"] == 0, "stop_objects"] = np.nan
    found = replay(rounds, runs, rules_of([RULE]))
    assert not found.partly
    assert found.table["seeds"].tolist() == [2, 2]


def test_seeds_without_the_metric_are_left_out_and_said():
    """The rarest classes may have no object on a seed's test part, so that their recall is no number there."""
    recall = {key: [np.nan] * 5 if key[1] == 0 else values for key, values in ACCURACY.items()}
    found = replayed("rare_recall", rare_recall=recall)
    plain = replayed().stops.query("seed == 1").reset_index(drop=True)
    # Alone, random's seed 1 is best at 160 labels, margin's at the end, as the means of two are.
    pd.testing.assert_frame_equal(found.stops, plain)
    assert found.table["seeds"].tolist() == [1, 1]
    assert stopping_said(found)[-1] == (
        "2 of 4 runs left out of the stopping rules, since the recall of the rarest classes is not known in every "
        "round."
    )


def test_where_no_seed_has_the_metric_nothing_is_replayed_and_no_column_is_blamed():
    gap = {key: [np.nan, *values[1:]] for key, values in ACCURACY.items()}
    found = replayed("rare_recall", rare_recall=gap)
    assert (len(found.table), len(found.stops)) == (0, 0)
    assert (found.lacking, found.partly) == ({}, {})
    (said,) = stopping_said(found)
    assert said.startswith("4 of 4 runs left out of the stopping rules")
