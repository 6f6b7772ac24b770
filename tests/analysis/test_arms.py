"""Records to curves: which arms are compared with which, and the contradictions that every reader refuses."""

import pandas as pd
import pytest

from alray.analysis.sweep.arms import arm_curves, reference_pairs
from alray.analysis.sweep.comparison import compare
from alray.analysis.sweep.summary import summarise
from alray.errors import StoreError
from tests.helpers.intervals import generator
from tests.helpers.sweep_frames import study, study_with_unpaired_seeds, study_without_a_partner


def summary_of(rounds, runs):
    return summarise(rounds, runs, generator()).set_index("arm")


def comparison_of(rounds, runs):
    return compare(rounds, pd.DataFrame(), runs, None, generator())


def references_of(reference, **size):
    rounds, runs = study(**size)
    pairs = reference_pairs(arm_curves(rounds, runs), runs, reference)
    return {name: each.reference.name for name, each in pairs.items()}


def test_an_arm_without_a_finished_run_has_no_curves_but_is_counted():
    """It comes last, and its reference's seeds are unpaired."""
    rounds, runs = study(seeds=3, strategies=("margin", "random"))
    runs.loc[runs["arm"] == "margin", "status"] = "failed"
    arms = arm_curves(rounds, runs)
    assert [(arm.name, arm.seeds) for arm in arms] == [("random", (0, 1, 2)), ("margin", ())]
    each = reference_pairs(arms, runs)["margin"]
    assert (each.seeds, each.unpaired, each.metrics) == ((), 3, ())


def test_a_reference_is_a_strategy_in_every_variant_or_one_arm():
    """An arm of another variant has no reference where only one arm is named."""
    size = {"seeds": 1, "strategies": ("random", "margin"), "variants": ("", "frozen")}
    assert references_of("margin", **size) == {
        "random": "margin",
        "random [frozen]": "margin [frozen]",
    }
    assert references_of("margin [frozen]", **size) == {"random [frozen]": "margin [frozen]"}
    assert references_of("entropy", **size) == {}


def test_unpaired_seeds_are_counted():
    """Seeds 0 and 1 of one arm, seed 7 of random."""
    row = summary_of(*study_with_unpaired_seeds()).loc["margin"]
    assert (row["seeds"], row["paired_seeds"], row["unpaired_seeds"]) == (6, 5, 3)
    assert row["exploratory"]


@pytest.mark.parametrize(("kept", "unpaired"), [([], 8), ([9], 9)])
def test_an_arm_without_a_partner_is_counted(kept, unpaired):
    """No finished random run, or none on a common seed."""
    row = summary_of(*study_without_a_partner(kept)).loc["margin"]
    assert (row["against"], row["paired_seeds"], row["unpaired_seeds"]) == ("random", 0, unpaired)


@pytest.mark.parametrize(("seeds", "exploratory"), [(1, True), (5, True), (6, False)])
def test_fewer_than_six_seeds_are_exploratory(seeds, exploratory):
    """In every row, compared or not."""
    assert (summary_of(*study(seeds=seeds))["exploratory"] == exploratory).all()


ROUNDS, RUNS = study()
IS_ONE_RUN = ROUNDS["run_id"] == "margin__seed-3"


CONTRADICTIONS = {
    "a shorter run": (
        ROUNDS[~IS_ONE_RUN | (ROUNDS["round"] < 4)],
        RUNS,
        "margin__seed-3 has 4 rounds from 100 to 160 labels",
    ),
    "a shorter arm": (
        ROUNDS[(ROUNDS["arm"] != "margin") | (ROUNDS["round"] < 4)],
        RUNS,
        "margin__seed-0 has 4 rounds from 100 to 160 labels",
    ),
    "no rounds": (
        ROUNDS[~IS_ONE_RUN],
        RUNS,
        r"1 finished runs have no rounds, e\.g\. margin__seed-3",
    ),
    "a seed twice": (
        ROUNDS,
        RUNS.replace({"seed": {3: 4}}),
        "'random' has more than one finished run with seed 4",
    ),
    "labels twice": (
        ROUNDS.replace({"labels": {120: 100}}),
        RUNS,
        "a label count occurs twice in a run",
    ),
    "two randoms": (
        ROUNDS,
        RUNS.replace({"strategy": {"bald:members=20": "random"}}),
        "variant '' has more than one random arm",
    ),
}


@pytest.mark.parametrize("read", [summary_of, comparison_of])
@pytest.mark.parametrize("contradiction", CONTRADICTIONS)
def test_contradictions_are_refused(read, contradiction):
    """The numbers would depend on which record is believed."""
    rounds, runs, message = CONTRADICTIONS[contradiction]
    with pytest.raises(StoreError, match=message):
        read(rounds, runs)
