"""Which part of their curves arms are compared on: said where it is not the whole, and no error where it is none."""

import math

import numpy as np
import pandas as pd
import pytest

from alray.analysis.sweep.along import along
from alray.analysis.sweep.axis import LABELS, Axis
from alray.analysis.sweep.common_stretch import stretch_said
from alray.analysis.sweep.findings import excluded
from alray.analysis.sweep.summary import summarise
from tests.helpers.intervals import generator
from tests.helpers.sweep_frames import study

MONEY = Axis("cost", "EUR")


def priced(random: float, margin: float, variants=("",)) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a study of 100 to 180 labels, at these prices."""
    rounds, runs = study(strategies=("random", "margin"), variants=variants)
    each = np.where(rounds["strategy"] == "margin", margin, random)
    return rounds.assign(cost=each * rounds["labels"]), runs


def test_curves_that_do_not_meet_along_money_run_along_labels_and_it_is_said():
    rounds, runs = priced(1.0, 0.5)
    found = summarise(rounds, runs, generator())
    assert set(found["axis"]) == {"labels"}
    assert found["alc"].notna().all()
    assert stretch_said(rounds, Axis(currency="EUR")) == [
        "Along money curves do not meet, so they run along labels: random begins at 100.00 EUR, and margin ends at "
        "90.00 EUR. More rounds would let them meet."
    ]


def test_a_variant_whose_curves_do_not_meet_is_enough():
    near, runs = priced(1.0, 0.9, variants=("", "rate=.1"))
    far, _ = priced(1.0, 0.5, variants=("", "rate=.1"))
    rounds = near.assign(cost=near["cost"].where(near["variant"] == "", far["cost"]))
    assert along(rounds, runs).axis.name == "labels"
    assert along(near, runs).axis.name == "cost"


@pytest.mark.parametrize(
    ("margin", "said"),
    [
        (0.99, []),
        (
            0.6,
            [
                "Curves are compared from 100.00 to 108.00 EUR, which is all that they have in common: random begins "
                "at 100.00 EUR and margin ends at 108.00 EUR. Together they reach from 60.00 to 180.00 EUR."
            ],
        ),
        (
            100 / 180,
            [
                "Curves are compared at 100.00 EUR alone, which is all that they have in common: random begins at "
                "100.00 EUR and margin ends at 100.00 EUR. Together they reach from 55.56 to 180.00 EUR."
            ],
        ),
    ],
)
def test_the_stretch_that_curves_have_in_common_is_said_where_it_is_a_part(margin, said):
    rounds, runs = priced(1.0, margin)
    assert stretch_said(rounds, MONEY) == said
    points = along(rounds, runs, MONEY).rounds["labels"]
    assert (points.min(), points.max()) == pytest.approx((100, max(100, 180 * margin)))
    assert stretch_said(rounds, LABELS) == []


def test_a_variant_is_named():
    rounds, _ = priced(1.0, 0.6, variants=("answers=4",))
    (said,) = stretch_said(rounds, MONEY)
    assert said.startswith("With answers=4 curves are compared from 100.00 to 108.00 EUR")
    assert "random [answers=4] begins at 100.00 EUR" in said


def test_an_arm_that_ends_early_alone_is_named_alone():
    rounds, _ = priced(1.0, 1.0)
    rounds = rounds[(rounds["strategy"] == "random") | (rounds["labels"] < 140)]
    (said,) = stretch_said(rounds, MONEY)
    latest = rounds.loc[rounds["strategy"] == "margin", "labels"].max()
    assert said == (
        f"Curves are compared from 100.00 to {latest:.2f} EUR, which is all that they have in common: margin ends at "
        f"{latest:.2f} EUR. Together they reach from 100.00 to 180.00 EUR."
    )


def test_arms_that_are_known_at_one_point_alone_are_not_said_to_have_made_the_same_choices():
    rounds, runs = priced(1.0, 1.0)
    rounds["accuracy"] = 0.5 + 0.001 * rounds["labels"] + 0.01 * rounds["seed"]
    for metric in ("macro_f1", "nll", "ece"):
        rounds[metric] = rounds["accuracy"] / 2
    whole = summarise(rounds, runs, generator()).to_dict("records")
    assert "made the same choices" in excluded(whole)[0]
    # As with `evaluate_every`: the other rounds have no metrics.
    rounds.loc[rounds["round"] > 0, ["accuracy", "macro_f1", "nll", "ece"]] = math.nan
    alone = summarise(rounds, runs, generator()).to_dict("records")
    assert excluded(alone) == []
