"""Labels needed for a target and the metric at a horizon: what is reached, forecast, perhaps, and not within reach."""

import math

import numpy as np
import pytest

from alray.analysis.sweep.arms import ArmCurves
from alray.analysis.sweep.forecast import FORECAST_COLUMNS, NEEDED_COLUMNS, TIMES, outlook
from alray.analysis.sweep.forecast_words import outlook_sentences
from alray.analysis.targets import about, target_text
from alray.errors import SpecError
from tests.helpers.intervals import generator

LABELS = 300.0 + 100 * np.arange(20)


def arm(name, top=0.8, depth=3.0, values=None, seeds=4):
    noise = generator(len(name)).normal(0, 0.002, size=(seeds, len(LABELS)))
    curve = top - depth * LABELS**-0.4
    made = (curve if values is None else values) + noise
    return ArmCurves(name, "", tuple(range(seeds)), LABELS, {"accuracy": made, "nll": made})


def row(found, name, target):
    rows = found.labels_needed
    return rows[(rows["arm"] == name) & (rows["target"] == target)].iloc[0]


@pytest.fixture(scope="module")
def found():
    """Margin is ahead of random; one arm falls; one is flat; an oracle is best."""
    arms = [
        arm("random"),
        arm("margin", depth=2.5),
        arm("falling", values=np.linspace(0.8, 0.6, 20)),
        arm("flat", values=np.full(20, 0.5)),
        arm("oracle", top=0.9),
    ]
    return outlook(arms, ["oracle"], "accuracy", (0.6, 0.68, 0.95), 6000)


def test_tables_have_their_columns(found):
    assert list(found.forecast) == list(FORECAST_COLUMNS)
    assert list(found.labels_needed) == list(NEEDED_COLUMNS)
    ahead = found.forecast[found.forecast["arm"] == "margin"]
    assert (ahead["labels"].iloc[0], ahead["labels"].iloc[-1]) == (LABELS[-1], 6000)
    assert (ahead["low"] <= ahead["mean"]).all()
    assert (ahead["mean"] <= ahead["high"]).all()


def test_a_target_within_the_curve_is_where_the_curve_reaches_it(found):
    """0.8 - 2.5 n^-0.4 is 0.6 at n = (2.5 / 0.2)^2.5, and the interval is of the mean over seeds."""
    margin = row(found, "margin", 0.6)
    assert margin["answer"] == "reached"
    assert margin["labels"] == pytest.approx(12.5**2.5, rel=0.03)
    assert margin["low"] <= margin["labels"] <= margin["high"] < LABELS[-1]


def test_a_target_beyond_is_forecast_and_the_better_arm_needs_fewer(found):
    """Random's 0.8 - 3 n^-0.4 is 0.68 at n = 25^2.5 = 3,125 labels."""
    random, margin = row(found, "random", 0.68), row(found, "margin", 0.68)
    assert random["answer"] == "forecast"
    assert random["low"] < 3125 < random["high"]
    assert random["labels"] == pytest.approx(3125, rel=0.15)
    assert margin["labels"] < random["labels"]


def test_what_is_out_of_reach_or_falls_says_so(found):
    for name in ("random", "margin", "flat"):
        far = row(found, name, 0.95)
        assert far["answer"] == "not within reach"
        assert np.isnan(far[["labels", "low", "high"]].to_numpy(float)).all()
    falling = row(found, "falling", 0.95)
    assert (falling["answer"], "falls" in falling["reason"]) == ("cannot be forecast", True)
    assert "falling" not in set(found.forecast["arm"])
    # What it had is still known.
    assert row(found, "falling", 0.6)["answer"] == "reached"


def test_a_target_between_the_forecast_and_its_upper_end_is_perhaps_reached():
    one = outlook([arm("random")], [], "accuracy", (), 6000).forecast.iloc[-1]
    between = float(one["mean"] + one["high"]) / 2
    made = outlook([arm("random")], [], "accuracy", (between,), 6000)
    answer = row(made, "random", between)
    said = outlook_sentences(made, LABELS[-1])[0]
    assert "only if all goes well by 6,000 labels, with so many at best: random (" in said
    assert answer["answer"] == "perhaps"
    assert math.isnan(answer["labels"])
    assert LABELS[-1] < answer["low"] < 6000
    assert answer["high"] == math.inf


def test_sentences_name_who_needs_how_many_soonest_first(found):
    said = outlook_sentences(found, LABELS[-1])
    assert [text.partition(":")[0] for text in said[:3]] == [
        "To accuracy .6",
        "To accuracy .68",
        "To accuracy .95",
    ]
    assert said[1].index("margin") < said[1].index("random needs about")
    assert "flat is not within reach" in said[1]
    assert "random, margin and flat are not within reach of it by 6,000 labels" in said[2]
    assert not any("oracle" in text for text in said)
    assert any(text.startswith("falling cannot be forecast, because it falls") for text in said)
    assert "At 6,000 labels" in said[3]


def test_a_horizon_beyond_what_was_measured_says_so():
    far = outlook([arm("random")], [], "accuracy", (), 40_000)
    assert "was measured up to" in outlook_sentences(far, LABELS[-1])[-1]
    near = outlook([arm("random")], [], "accuracy", (0.7,), None)
    assert near.horizon == TIMES * LABELS[-1]
    assert "was measured up to" not in " ".join(outlook_sentences(near, LABELS[-1]))


@pytest.mark.parametrize(
    ("metric", "targets", "horizon", "message"),
    [
        ("accuracy", (75.0,), None, r"--target 75: accuracy lies between 0 and 1; .*such as 0.75"),
        ("accuracy", (0.7, 0.0), None, "--target 0"),
        ("accuracy", (), 2200, "--horizon 2200: curves go to 2,200 labels already; .*6600"),
        ("nll", (), 9000, "forecasts are of shares"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(metric, targets, horizon, message):
    with pytest.raises(SpecError, match=message):
        outlook([arm("random")], [], metric, targets, horizon)


def test_a_curve_with_a_missing_value_is_named():
    broken = np.where(np.arange(20) == 4, math.nan, 0.7)
    found = outlook([arm("broken", values=broken)], [], "accuracy", (0.8,), 6000)
    assert row(found, "broken", 0.8)["answer"] == "cannot be forecast"
    assert outlook_sentences(found, 2200.0) == [
        "broken cannot be forecast, because values are missing."
    ]


def test_numbers_as_they_are_written():
    assert [about(each) for each in (8432.4, 12_345.0, 99.96, 7.0)] == [
        "8,430",
        "12,300",
        "100",
        "7",
    ]
    assert [target_text(each) for each in (0.75, 0.905, 0.5)] == [".75", ".905", ".5"]
