"""Curves along money or answers: areas, savings and words of the axis, and when it is the usual one."""

import numpy as np
import pandas as pd
import pytest

from alray.analysis.sweep.along import MOST_POINTS, along, usual_axis
from alray.analysis.sweep.arms import Criterion, arm_curves
from alray.analysis.sweep.axis import Axis
from alray.analysis.sweep.comparison import compare
from alray.analysis.sweep.saving_words import price_in, spent_said
from alray.analysis.sweep.summary import summarise
from alray.analysis.sweep.texts import paragraph, reading
from alray.errors import StoreError
from tests.helpers.intervals import generator
from tests.helpers.sweep_frames import study

MONEY = Axis("cost", "EUR")
SHARES = ("alc", "alc_difference", "p", "labels_saved", "labels_saved_low", "labels_saved_high")


def paid(rounds, price):
    """Return rounds with what was paid: `price` a label, a number or one per row, and an answer for 0.05."""
    cost = rounds["labels"] * price
    return rounds.assign(cost=cost, answers=(cost / 0.05).round())


def with_prices(seed=3):
    """Return a study of margin and random in which each run pays a price of its own for a label."""
    rounds, runs = study(strategies=("random", "margin"))
    prices = dict(zip(runs["run_id"], generator(seed).uniform(0.1, 0.13, len(runs)), strict=True))
    return paid(rounds, rounds["run_id"].map(prices)), runs


def test_at_one_price_all_shares_are_those_of_labels():
    rounds, runs = study()
    rounds = paid(rounds, 0.15)
    by_labels = summarise(rounds, runs, generator(), Criterion(axis=Axis()))
    by_money = summarise(rounds, runs, generator(), Criterion(axis=MONEY))
    for name in SHARES:
        np.testing.assert_allclose(by_money[name], by_labels[name], rtol=1e-9)
    assert by_money["budget"].tolist() == [27.0] * 4
    assert by_money["labels"].tolist() == by_labels["labels"].tolist() == [180] * 4
    np.testing.assert_allclose(by_money["labels_saved_of"], 0.15 * by_labels["labels_saved_of"])


def long_study(prices, seeds=8):
    """Return two arms that learn alike, with ten times the labels at the end, at these prices a label."""
    rounds, runs = study(seeds=seeds, strategies=tuple(prices))
    rounds = rounds.assign(labels=100 * (1 + 2 * rounds["round"]))
    accuracy = rounds["labels"] / 2000 + 0.01 * rounds["seed"]
    rounds = rounds.assign(accuracy=accuracy)
    return paid(rounds, rounds["arm"].map(prices).astype(float)), runs


def test_equal_curves_at_half_the_price_save_half_of_the_money():
    """Along labels they are equal; in the 20 to 90 that both spend, margin needs half of random's money."""
    rounds, runs = long_study({"random": 0.2, "margin": 0.1})
    margin = summarise(rounds, runs, generator()).set_index("arm").loc["margin"]
    assert (margin["axis"], margin["budget"], margin["labels"]) == ("cost", 90, 900)
    assert margin["labels_saved"] == pytest.approx(0.5)
    assert margin["labels_saved_of"] == pytest.approx(90)
    by_labels = summarise(rounds, runs, generator(), Criterion(axis=Axis())).set_index("arm")
    assert by_labels.loc["margin", "labels_saved"] == 0


def test_the_area_is_the_mean_height_over_the_money_that_all_spend():
    """By hand: straight lines in money, from 20 to 90, each seed at its own height."""
    rounds, runs = long_study({"random": 0.2, "margin": 0.1})
    found = summarise(rounds, runs, generator()).set_index("arm")
    for arm, price in (("random", 0.2), ("margin", 0.1)):
        expected = (20 + 90) / 2 / price / 2000 + 0.01 * np.arange(8).mean()
        assert found.loc[arm, "alc"] == pytest.approx(expected)


def test_curves_without_common_money_are_refused_with_what_to_do():
    rounds, runs = long_study({"random": 1.0, "margin": 0.1})
    with pytest.raises(StoreError, match=r"begins at 100.00 EUR.* ends at 90.00 EUR.*--x labels"):
        along(rounds, runs, MONEY)


def test_money_is_the_usual_axis_only_where_labels_differ_in_price():
    rounds, _ = study(strategies=("random", "margin"))
    assert usual_axis(rounds) == "labels"
    assert usual_axis(paid(rounds, 0.15)) == "labels"
    unequal = np.where(rounds["arm"] == "margin", 0.08, 0.05)
    assert usual_axis(paid(rounds, unequal)) == "cost"
    assert usual_axis(paid(rounds, unequal).assign(cost=0.0)) == "answers"


def test_runs_that_all_pay_differently_have_few_common_points_and_stay_paired():
    """Of 5 to 500 rounds by 16 runs no two amounts are the same; rounding must not make two of one."""
    rounds, runs = with_prices()
    found = along(rounds, runs)
    assert found.axis.name == "cost"
    for arm in arm_curves(found.rounds, runs):
        assert len(arm.labels) <= MOST_POINTS
        assert (np.diff(arm.labels) > 1e-6).all()
        assert arm.seeds == tuple(range(8))
        for row, seed in zip(arm.curves["accuracy"], arm.seeds, strict=True):
            own = rounds[(rounds["arm"] == arm.name) & (rounds["seed"] == seed)]
            np.testing.assert_allclose(
                row, np.interp(arm.labels, own["cost"], own["accuracy"]), rtol=1e-6
            )
    long = pd.concat([rounds.assign(cost=rounds["cost"] + 0.01 * i) for i in range(40)])
    long = long.sort_values(["run_id", "cost"])
    long["round"] = long.groupby("run_id").cumcount()
    assert len(arm_curves(along(long, runs).rounds, runs)[0].labels) == MOST_POINTS


def test_last_bits_of_prices_make_no_other_amounts():
    rounds, runs = study(strategies=("random", "margin"))
    bits = 1 + 1e-15 * generator().normal(size=len(rounds))
    found = along(paid(rounds, 0.15 * bits), runs, MONEY)
    assert sorted(found.rounds["labels"].unique()) == [15.0, 18.0, 21.0, 24.0, 27.0]


def test_no_sentence_along_money_speaks_of_a_number_of_labels():
    rounds, runs = long_study({"random": 0.2, "margin": 0.1})
    criterion = Criterion(axis=MONEY)
    summary = summarise(rounds, runs, generator(), criterion)
    found = compare(rounds, pd.DataFrame(), runs, {"a": 900}, generator(), criterion)
    text = paragraph(summary, found, price=(None, "EUR"))
    assert "labels" not in text
    assert "saves 50 % (50 to 50 %) of the money" in text
    assert "45.00 (45.00 to 45.00) of 90.00 EUR" in text
    assert "a saving of 45.00 EUR (50 %)" in text
    assert "from 20.00 to 90.00 EUR" in text
    assert found.savings["pool_share_arm"].isna().all()


def test_a_crowds_labels_have_their_price_and_the_sum_in_the_summary():
    rounds, runs = study()
    summary = summarise(paid(rounds, 0.15), runs, generator())
    assert price_in(summary.to_dict("records")) == 0.15
    said = " ".join(reading(summary))
    assert "at 0.15 a label" in said
    assert "By the end of its curve a run has bought 540 answers for 27.00." in said
    rounds, runs = with_prices()
    unequal = summarise(rounds, runs, generator(), Criterion(axis=Axis()))
    assert price_in(unequal.to_dict("records")) is None


def test_what_arms_of_labels_buy_beside_arms_of_questions_is_not_called_answers():
    rounds, runs = study(strategies=("random", "margin"))
    rounds = paid(rounds, 0.15)
    asking = rounds["strategy"] == "margin"
    rounds["answers"] = rounds["labels"] * np.where(asking, 3.0, 1.0)
    summary = summarise(rounds, runs, generator()).replace("margin", "questions:aq")
    assert spent_said(summary.to_dict("records"))[0].startswith(
        "By the end of its curve a run has bought 180 to 540 answers or labels for "
    )


def test_runs_that_are_not_finished_count_in_no_mean():
    rounds, runs = study(strategies=("random", "margin"))
    whole = summarise(paid(rounds, 0.15), runs, generator())
    begun = (rounds["run_id"] == "margin__seed-3") & (rounds["round"] > 0)
    runs.loc[runs["run_id"] == "margin__seed-3", "status"] = "running"
    some = summarise(paid(rounds[~begun], 0.15), runs, generator())
    columns = ["answers", "cost", "labels"]
    assert some[columns].equals(whole[columns])


def test_the_order_of_rows_changes_nothing():
    rounds, runs = with_prices()
    shuffled = rounds.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(
        summarise(rounds, runs, generator()), summarise(shuffled, runs, generator())
    )
