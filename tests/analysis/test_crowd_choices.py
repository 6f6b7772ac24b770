"""Variants of a crowd against the study's own at equal money: planted gains, equal variants, other assessors."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from alray.analysis.sweep.arms import Criterion
from alray.analysis.sweep.axis import Axis
from alray.analysis.sweep.comparison import compare
from alray.analysis.sweep.crowd_choices import (
    CROWD_CHOICE_COLUMNS,
    choices_of,
    choices_said,
    crowd_choices,
)
from alray.analysis.sweep.full_data import split_full_data
from alray.analysis.sweep.summary import summarise
from alray.analysis.sweep.texts import paragraph
from alray.reporting.sweep.pay_tables import choice_lines
from alray.reporting.sweep.style import arms_of
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


APART = (
    "At equal money random [answers=3] and random [answers=1] cannot be compared: one of their runs begins at 30.00, "
    "and another ends at 20.00; more rounds would let them meet."
)


def records_of(answers):
    """Return a study of 100 to 200 objects, in which random pays for so many answers an object."""
    rounds, runs = study(strategies=("random",), variants=tuple(answers))
    many = rounds["labels"].replace(180, 200) * rounds["variant"].map(answers).astype(float)
    return rounds.assign(answers=many, cost=0.1 * many), runs


@pytest.mark.parametrize("axis", [None, Axis(), Axis("cost")])
def test_variants_that_pay_nothing_in_common_leave_the_report_its_other_findings(axis):
    """One answer an object ends at 20, three begin at 30: the row, its sentence and its line say so."""
    rounds, runs = records_of({"answers=1": 1, "answers=3": 3, "answers=2": 1.5})
    criterion = Criterion("random", "accuracy", axis)
    found = compare(rounds, pd.DataFrame(), runs, None, generator(), criterion)
    apart, beside = found.crowd_choices.to_dict("records")
    assert (apart["arm"], apart["begin"], apart["budget"]) == ("random [answers=3]", 30, 20)
    assert np.isnan([apart["alc_difference"], apart["p"], apart["labels_saved"]]).all()
    assert (beside["begin"], beside["budget"]) == (15, 20)
    assert np.isfinite(beside["p"])
    summary = summarise(rounds, runs, generator(), criterion)
    assert APART in paragraph(summary, found)
    lines = choice_lines(found.crowd_choices, arms_of(summary))
    assert [cells[1][0] for _, cells in lines] == ["nothing in common", "from 15.00 to 20.00"]


def test_the_terminal_says_so_too_and_goes_on():
    rounds, runs = records_of({"answers=1": 1, "answers=3": 3})
    assert choices_said(choices_of(rounds, runs, 0)) == [APART]


def test_what_meets_at_a_single_amount_is_compared_there_and_saves_nothing_that_could_be_said():
    """One answer an object ends at 20, where two begin."""
    rounds, runs = records_of({"answers=1": 1, "answers=2": 2})
    rounds["accuracy"] += 0.2 * (rounds["variant"] == "answers=1")
    (row,) = choices_of(rounds, runs, 0).to_dict("records")
    assert np.isnan(row["labels_saved"])
    assert choices_said(pd.DataFrame([row])) == [
        "At equal money, at 20.00, random [answers=2] is below random [answers=1]."
    ]


def test_a_variant_that_is_shown_to_differ_is_not_said_to_save_what_its_interval_leaves_open():
    split = made({"": 0.1, "answers=1": 0.05}, {"": 4e-4, "answers=1": 4e-4})
    found = crowd_choices(split, MONEY, "accuracy", generator())
    open_end = found.assign(labels_saved=0.01, labels_saved_low=-0.02, labels_saved_high=0.03)
    assert "saves" in choices_said(found)[0]
    assert "above random: it needed 1 % (-2 to 3 %) less money" in choices_said(open_end)[0]


def test_an_arm_that_chooses_at_random_for_another_hides_random_choice_from_nobody():
    """`random + loss predictor` has the same strategy as `random`."""
    split = made({"": 0.1, "answers=1": 0.05}, {"": 4e-4, "answers=1": 4e-4}, ("random", "margin"))
    frames = [
        frame.assign(
            arm=frame["arm"].str.replace("margin", "random + loss predictor"), strategy="random"
        )
        for frame in (split.rounds, split.runs)
    ]
    both = replace(split, rounds=frames[0], runs=frames[1])
    found = crowd_choices(both, MONEY, "accuracy", generator())
    assert dict(zip(found["arm"], found["against"], strict=True)) == {
        "random [answers=1]": "random",
        "random + loss predictor [answers=1]": "random + loss predictor",
    }
    (said,) = choices_said(found)
    assert "random [answers=1] is above random: it saves " in said
