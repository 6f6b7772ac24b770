"""Forecast, stop or go on, and labels saved, of made campaigns: nothing is said that numbers do not carry."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from alray.analysis.campaign.measured import Measured, measured
from alray.analysis.campaign.outlook import (
    FORECAST_COLUMNS,
    TARGET_COLUMNS,
    TIMES,
    Outlook,
    most_text,
    outlook,
    outlook_said,
)
from alray.analysis.campaign.saved import saved_said
from alray.analysis.campaign.stopping import SMALL_GAIN, advice, rules_said
from alray.analysis.targets import about
from tests.helpers.intervals import generator

LABELS = 300.0 + 180 * np.arange(10)
UNKNOWN = {"accuracy_low": math.nan}


def networks(curve, objects=400, labels=LABELS):
    """Return networks of these accuracies on common objects, of which some are hard for all."""
    rng = generator(4)
    hard = rng.normal(size=(objects, 1)) * np.sqrt(0.8)
    own = rng.normal(size=(objects, len(labels))) * np.sqrt(0.2)
    right = (hard + own < ndtri(curve)).astype(float)
    return Measured(labels, right, np.arange(objects))


@pytest.fixture(scope="module")
def rising():
    """Return the forecast of a campaign whose accuracy is .9 - 6 n^-.5."""
    return outlook(networks(0.9 - 6 * LABELS**-0.5), (0.6, 0.77, 0.995), 100_000)


def rule_rows(**says):
    return pd.DataFrame([{"rule": name, "says": said} for name, said in says.items()])


def flat(gain_high):
    """Return a forecast that promises at most this gain."""
    row = {"accuracy": 0.8, "low": 0.78, "high": 0.82, "gain": 0.0, "gain_low": -0.01}
    rows = [{"labels": labels, **row, "gain_high": gain_high} for labels in (1000, 2000, 3000)]
    return Outlook(pd.DataFrame(rows), pd.DataFrame(columns=list(TARGET_COLUMNS)))


def test_a_planted_curve_lies_in_the_forecasts_intervals(rising):
    table, last = rising.forecast, LABELS[-1]
    assert list(table) == list(FORECAST_COLUMNS)
    assert (table["labels"].iloc[0], table["labels"].iloc[-1]) == (last, TIMES * last)
    truth = 0.9 - 6 * table["labels"] ** -0.5
    assert table["low"].lt(truth).all()
    assert table["high"].gt(truth).all()
    gain = truth - truth[0]
    assert (table["gain_low"].le(gain) & table["gain_high"].ge(gain)).all()
    assert (table["accuracy"] + table["gain_high"] - table["gain"]).le(1).all()


def test_sentences_have_the_numbers_of_the_tables(rising):
    said, last = outlook_said(rising, audit=0.1), LABELS[-1]
    row = rising.at(2 * last)
    assert row["labels"] == 2 * last
    assert said[0].startswith("With 1,920 more labels to learn from (about 2,130 objects to ask")
    assert f"is {row['accuracy']:.3f}".replace("0.", ".") in said[0]
    reached, beyond, never = said[1:]
    assert reached == "Accuracy .6 is reached already, as the forecast goes."
    needed = rising.targets.iloc[1]
    assert needed["low"] <= needed["labels"] <= needed["high"]
    assert beyond == (
        f"Accuracy .77 takes about {about(needed['labels'])} labels to learn from, {about(needed['labels'] - last)} "
        f"more than now (90 % interval: from the 1,920 there are to {most_text(needed.to_dict())})."
    )
    assert (
        never
        == f"Accuracy .995 is not within reach by {TIMES * last:,.0f} labels, as the forecast goes."
    )


def test_a_target_is_where_the_forecast_reaches_it(rising):
    table = rising.forecast.set_index("labels")
    row = rising.targets.set_index("target").loc[0.77]
    for column, name in (("accuracy", "labels"), ("high", "low"), ("low", "high")):
        if math.isfinite(row[name]):
            assert table.loc[row[name], column] >= 0.77 or row[name] == table.index[0]
            assert (table.loc[: row[name] - 1, column] < 0.77).all()
        else:
            assert (table[column] < 0.77).all()


@pytest.mark.parametrize(
    ("known", "most", "reason"),
    [
        (networks(np.full(3, 0.6), labels=LABELS[:3]), 9000, "3 label counts with a network are"),
        (networks(np.full(10, 0.6), objects=29), 9000, "29 objects of the audit part have"),
        (networks(np.full(10, 0.6)), 1920, "the pool has no more objects to learn from"),
        (networks(np.linspace(0.9, 0.5, 10)), 9000, "it falls towards its end"),
    ],
    ids=["batches", "objects", "pool", "falls"],
)
def test_what_is_missing_for_a_forecast_is_said(known, most, reason):
    found = outlook(known, (0.9,), most)
    assert (len(found.forecast), len(found.targets)) == (0, 0)
    assert outlook_said(found, 0.1) == [found.reason]
    assert reason in found.reason
    assert "Go on" in advice(rule_rows(kappa="stop"), found, UNKNOWN, ())


def test_networks_are_compared_on_the_objects_that_all_have():
    def table(**predicted):
        return pd.DataFrame({"id": list(predicted), "predicted": list(predicted.values())})

    tables = {
        1: table(a="x", b="y", c="x"),
        2: table(a="x", b="x", c="x"),  # nothing was answered before the third
        3: table(b="x", a="y", c="x", d="x"),
    }
    truth = {"a": {"x": 0.5, "y": 0.5}, "b": {"x": 1.0}, "d": {"x": 1.0}}
    found = measured(tables, {1: 20, 2: 30, 3: 30}, truth, {"a": "g", "b": "g"})
    assert found.labels.tolist() == [20, 30]
    assert found.right.tolist() == [[0.0, 1.0], [0.5, 0.5]]
    assert len(set(found.groups.tolist())) == 1


def test_stopping_is_advised_only_where_rules_and_forecast_agree():
    stop, on = rule_rows(kappa="stop", other="go on"), rule_rows(kappa="go on", other="go on")
    little, much = flat(SMALL_GAIN - 0.001), flat(SMALL_GAIN)
    said = advice(stop, little, UNKNOWN, ())
    assert said.startswith("Stopping now loses little, as far as is known: 1 of the 2 rules")
    assert "(90 % interval of that gain -.010 to +.009)" in said
    assert advice(stop, much, UNKNOWN, ()).startswith("Go on, unless that is worth too little")
    for found in (little, much):
        assert advice(on, found, UNKNOWN, ()).startswith("Go on: none of the 2 rules that can")
    assert advice(rule_rows(kappa="not known"), little, UNKNOWN, ()).startswith("Go on: nothing")


def test_a_target_is_reached_where_the_whole_interval_is():
    rules = rule_rows(kappa="go on")
    assert advice(rules, flat(0.1), {"accuracy_low": 0.8}, (0.7, 0.8)).startswith("Stop: the")
    assert advice(rules, flat(0.1), {"accuracy_low": 0.799}, (0.7, 0.8)).startswith("Go on")


def test_rules_say_what_they_go_by():
    names = ("stop_kappa", "stop_entropy", "stop_agreement")
    rows = [
        {"round": 1 + n, "labels": 20 + 10 * n, "train_loss": 0.1, "accuracy": 0.8}
        | dict.fromkeys(names, 0.995 if n else math.nan)
        for n in range(5)
    ]
    rounds = pd.DataFrame(rows)
    rules = rules_said(rounds).set_index("rule")
    assert rules.loc["kappa", "says"] == "stop"
    assert rules.loc["kappa", "since"] == 50
    assert "mean of the last 3 kappas is .995" in str(rules.loc["kappa", "reason"])
    assert rules.loc["overall_uncertainty", "says"] == "go on"
    assert rules.loc["validation_patience", "reason"] == (
        "4 rounds without a new best value; 5 wanted"
    )
    assert rules.loc["predicted_gain", "says"] == "not known"
    first = rounds.head(1).assign(accuracy=math.nan, stop_entropy=0.9)
    first = rules_said(first).set_index("rule")
    assert first["says"].tolist() == ["not known", "go on", *["not known"] * 3]
    assert first.loc["kappa", "reason"] == "two networks are needed, to compare"
    assert "10 objects of the audit part" in str(first.loc["predicted_gain", "reason"])
    assert set(rules_said(rounds.head(0))["reason"]) == {"no network has been fitted"}


def test_predictions_of_one_class_are_named_as_what_leaves_kappa_unknown():
    rows = [
        {"round": 1 + n, "labels": 20 + 10 * n, "train_loss": 0.1, "accuracy": 0.8}
        | {"stop_kappa": kappa, "stop_agreement": 1.0 if n else math.nan, "stop_entropy": 0.4}
        for n, kappa in enumerate([math.nan, math.nan, 0.5, 0.6, 0.7])
    ]
    reasons = []
    for networks in (2, 3, 4, 5):
        rules = rules_said(pd.DataFrame(rows).head(networks)).set_index("rule")
        assert rules.loc["classification_change", "says"] == "stop"
        assert rules.loc["kappa", "says"] == ("go on" if networks == 5 else "not known")
        reasons.append(str(rules.loc["kappa", "reason"]))
    assert reasons[0] == "all predictions are of one class"
    assert "4 networks, one after the other, are needed" in reasons[1]
    assert reasons[2] == "one of the last 3 kappas is not known: all predictions were of one class"
    assert "mean of the last 3 kappas is .600" in reasons[3]


ORIGIN = {
    "study": "posts",
    "pool": "p",
    "seeds": 8,
    "strategy": "margin",
    "needed": [
        [300, 0.4, 300, 300, 320],
        [600, 0.5, 700, 640, 800],
        [900, 0.6, None, 950, None],
        [1000, 0.61, None, None, None],
    ],
}


@pytest.mark.parametrize(
    ("learnt", "said"),
    [
        (300, "with about 300 (95 % interval 300 to 320). A saving at this label count is not"),
        (
            650,
            "margin reached .500 with 600 labels, random choice with about 700 (95 % interval 640 to 800). If this "
            "campaign learns alike, it had saved about 100 labels (40 at least) by then.",
        ),
        (
            950,
            "random choice not by 1,000 (95 % interval: from 950). If this campaign learns alike, it had saved 50 "
            "labels at least by then.",
        ),
        (1000, "random choice not by 1,000. A saving at this label count is not shown."),
        (299, "cannot be said: the study's curves go from 300 to 1,000 labels"),
        (1001, "cannot be said: the study's curves go from 300 to 1,000 labels"),
    ],
)
def test_savings_are_those_of_the_study_or_none(learnt, said):
    assert said in saved_said(ORIGIN, "margin", learnt)


def test_no_saving_is_claimed_without_a_study_that_shows_one():
    assert saved_said({}, "margin", 600) == ""
    for ends, side in (((0.2, 0.3), "below"), ((0.9, 0.95), "above")):
        said = saved_said(ORIGIN, "margin", 600, ends)
        assert f"lies {side} that of the study" in said
        assert said.endswith("so the study does not say what it has saved.")
    assert "had saved" in saved_said(ORIGIN, "margin", 600, (0.2, 0.95))
    assert saved_said({**ORIGIN, "strategy": "random"}, "random", 600) == ""
    assert saved_said(ORIGIN, "margin", 0) == ""
    for origin, reason in (
        ({"arm": "margin", "found": ""}, "an older alray began this campaign"),
        ({**ORIGIN, "strategy": "entropy"}, "the study's arm chooses by entropy"),
        ({**ORIGIN, "needed": []}, "no arm that chooses at random on the same seeds"),
    ):
        said = saved_said(origin, "margin", 600)
        assert said.startswith("How many labels a random choice would have needed cannot be said")
        assert reason in said
