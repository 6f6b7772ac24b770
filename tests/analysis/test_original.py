"""The published study's intervals of a made sweep."""

import pytest

from alray.analysis.sweep.original import ORIGINAL_COLUMNS, original_intervals, original_said
from alray.analysis.wording import share
from alray.statistics.original import original_half_width
from tests.helpers.sweep_frames import LABELS, curves_of, study


def test_every_arm_and_label_count_has_an_interval():
    rounds, runs = study(seeds=5, strategies=("random", "margin"))
    found = original_intervals(rounds, runs)
    assert list(found.columns) == list(ORIGINAL_COLUMNS)
    margin = found[(found["arm"] == "margin") & (found["metric"] == "accuracy")]
    assert margin["labels"].tolist() == LABELS
    half = original_half_width(curves_of(rounds, "margin"))
    assert ((margin["high"] - margin["low"]) / 2).tolist() == pytest.approx(half.tolist())
    assert found["coverage"].round(2).unique().tolist() == [0.56]


def test_the_last_mean_is_stated_with_what_its_interval_is_worth():
    rounds, runs = study(seeds=5, strategies=("random", "margin"))
    runs.loc[runs["run_id"] == "margin__seed-4", "status"] = "failed"
    found = original_intervals(rounds, runs)
    stated, worth = original_said(found)
    last = found[(found["labels"] == LABELS[-1]) & (found["metric"] == "accuracy")]
    for row in last.to_dict("records"):
        half = (row["high"] - row["low"]) / 2
        assert f"{row['arm']} {share(row['mean'])} +- {share(half)}" in stated
    assert stated.index("random") < stated.index("margin")
    assert "53 % of studies of 4 seeds and 56 % of studies of 5 seeds, not in 95 %" in worth


def test_nothing_is_said_of_one_seed():
    assert original_said(original_intervals(*study(seeds=1))) == []
    rounds, runs = study(seeds=2)
    nothing = original_intervals(rounds, runs.assign(status="failed"))
    assert original_said(nothing) == []
    assert list(nothing.columns) == list(ORIGINAL_COLUMNS)
