"""Variants of a crowd against the study's own at equal money: planted gains, equal variants, other assessors."""

from dataclasses import replace

import numpy as np
import pandas as pd

from alray.analysis.sweep.axis import Axis
from alray.analysis.sweep.crowd_choices import CROWD_CHOICE_COLUMNS, choices_said, crowd_choices
from alray.analysis.sweep.full_data import split_full_data
from tests.helpers.intervals import generator
from tests.helpers.sweep_frames import study

MONEY = Axis("cost", "EUR")


def made(prices, slopes, strategies=("random",), seeds=8):
    """Return a split of variants that pay so much for a label and learn so much from one."""
    rounds, runs = study(seeds=seeds, strategies=strategies, variants=tuple(prices))
    rounds = rounds.assign(labels=100 * (1 + 2 * rounds["round"]))
    slope = rounds["variant"].map(slopes).astype(float)
    noise = 0.004 * generator(2).normal(size=len(rounds))
    accuracy = rounds["labels"] * slope + 0.02 * rounds["seed"] + noise
    cost = rounds["labels"] * rounds["variant"].map(prices).astype(float)
    return split_full_data(rounds.assign(accuracy=accuracy, cost=cost, answers=cost), runs)


def test_cheaper_answers_that_teach_as_much_pay():
    """Half the price at equal learning halves the money; the beginning that both have is 10 to 45."""
    split = made({"": 0.1, "answers=1": 0.05}, {"": 4e-4, "answers=1": 4e-4})
    row = crowd_choices(split, MONEY, "accuracy", generator()).iloc[0]
    assert (row["arm"], row["against"]) == ("random [answers=1]", "random")
    assert (row["begin"], row["budget"]) == (10, 45)
    assert row["alc_difference"] > 0
    assert row["p"] == 2**-7
    assert abs(row["labels_saved"] - 0.5) < 0.05
    said = choices_said(pd.DataFrame([row]), "EUR")
    assert said[0].startswith(
        "At equal money, from 10.00 to 45.00 EUR, random [answers=1] is above random: it saves "
    )


def test_equal_variants_are_not_shown_to_differ():
    """Twice the price, twice the learning."""
    split = made({"": 0.1, "answers=1": 0.05}, {"": 4e-4, "answers=1": 2e-4})
    found = crowd_choices(split, MONEY, "accuracy", generator())
    assert "is not shown to differ from random." in choices_said(found)[0]


def test_other_assessors_are_another_world():
    prices = {"": 0.1, "answers=1": 0.05, "rate=0.4": 0.1, "answers=1, rate=0.4": 0.05}
    split = made(prices, dict.fromkeys(prices, 4e-4), ("random", "margin"))
    found = crowd_choices(split, MONEY, "accuracy", generator())
    assert list(found.columns) == list(CROWD_CHOICE_COLUMNS)
    assert dict(zip(found["arm"], found["against"], strict=True)) == {
        "random [answers=1]": "random",
        "margin [answers=1]": "margin",
        "random [answers=1, rate=0.4]": "random [rate=0.4]",
        "margin [answers=1, rate=0.4]": "margin [rate=0.4]",
    }
    assert np.isfinite(found["p"]).all()


def test_what_costs_the_same_is_compared_by_what_is_paid_where_curves_run_along_labels():
    split = made({"": 0.1, "aggregate=none": 0.1}, {"": 4e-4, "aggregate=none": 6e-4})
    (row,) = crowd_choices(split, Axis(currency="EUR"), "accuracy", generator()).to_dict("records")
    assert (row["arm"], row["axis"], row["budget"]) == ("random [aggregate=none]", "cost", 90)
    assert choices_said(pd.DataFrame([row]), "EUR")[0].startswith(
        "At equal money, from 10.00 to 90.00 EUR, random [aggregate=none] is above random: it saves "
    )


def test_without_variants_or_answers_on_record_there_is_nothing():
    split = made({"": 0.1, "answers=1": 0.05}, {"": 4e-4, "answers=1": 4e-4})
    unpaid = replace(split, rounds=split.rounds.drop(columns=["cost", "answers"]))
    assert crowd_choices(unpaid, Axis(), "accuracy", generator()).empty
    alone = made({"": 0.1}, {"": 4e-4})
    assert crowd_choices(alone, MONEY, "accuracy", generator()).empty
