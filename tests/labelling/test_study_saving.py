"""What a campaign keeps of a study: labels that random choice needed for the accuracy of the arm it follows."""

import dataclasses

import numpy as np
import pytest

from alray.labelling.study_saving import needed_at_random
from alray.statistics.curves import label_saving
from tests.helpers.sweep_frames import LABELS, curves_of, study


@pytest.fixture
def kept(undisturbed):
    """Return a function that gives a sweep these records, and returns what a campaign on it keeps."""

    def given(rounds, runs, arm="margin"):
        return needed_at_random(
            dataclasses.replace(undisturbed, rounds=rounds, runs=runs), arm, arm
        )

    return given


@pytest.fixture(scope="module")
def frames():
    return study(strategies=("random", "margin"))


def test_rows_say_where_random_choice_has_the_arms_accuracy(kept, frames):
    """Random learns .001 a label and begins .02 below margin, so it needs about 20 labels more."""
    found = kept(*frames)
    assert (found["study"], found["strategy"]) == ("study", "margin")
    assert found["seeds"] == 8
    assert [row[0] for row in found["needed"]] == LABELS
    for labels, _, needed, low, high in found["needed"][:3]:
        assert needed == pytest.approx(labels + 20, abs=12)
        assert low <= needed
        assert high is None or needed <= high
    assert found["needed"][-1][2] is None, "random choice does not come as far"


def test_a_curve_that_stays_where_it_was_is_counted_from_where_it_came_there(kept, frames):
    rounds, runs = frames
    last = (rounds["arm"] == "margin") & (rounds["labels"] > 120)
    rounds = rounds.assign(accuracy=rounds["accuracy"].where(~last, 0.0))
    found = kept(rounds, runs)
    curves, at_random = curves_of(rounds, "margin"), curves_of(rounds, "random")
    match = label_saving(np.array(LABELS, dtype=float), at_random, curves, 120.0)
    needed = (1 - match.saving.estimate) * match.random_labels
    for row in found["needed"][1:]:
        assert row[2] == pytest.approx(needed)


def test_no_rows_without_a_random_arm_or_without_values(kept, frames):
    rounds, runs = frames
    alone = runs[runs["arm"] == "margin"]
    assert kept(rounds[rounds["arm"] == "margin"], alone)["needed"] == []
    assert kept(rounds.assign(accuracy=np.nan), runs)["needed"] == []
