"""Metrics in some rounds only: nothing else of a run changes, and no table or figure sees the rounds between."""

import os
import re
import signal

import numpy as np
import pandas as pd
import pytest

from alray import api
from alray.analysis.sweep.metrics import DECIDING
from alray.errors import Interrupted, SpecError, StoreError
from alray.reporting.sources import find_results, read_sweep
from alray.reporting.sweep.page import page_of
from alray.reporting.sweep.style import arms_of
from alray.reporting.sweep_findings import results_from
from alray.settings.base import validate
from alray.settings.sweep import SweepSpec, fitting_budget
from alray.studies.rounds.stop_set import NOT_PREDICTED
from tests.helpers.builders import make_pool, plan_of
from tests.helpers.report_reading import Page
from tests.helpers.studies import Recorder, assert_same_records, comparable, settings

POOL = make_pool()
SINCE_THE_LAST = ["stop_kappa", "stop_agreement"]
METRICS = [
    *(*DECIDING, "ece", "accuracy_image", "accuracy_text"),
    *(
        f"validation_{name}"
        for name in ("accuracy", "macro_f1", "nll", "ece", "balanced_accuracy")
    ),
    *(name for name in NOT_PREDICTED if name not in SINCE_THE_LAST),
]


def sweep(pool, results, observer=None, **changes):
    changed = settings(pool, **{"evaluate_every": 2, **changes})
    return api.sweep(changed, results=results, observer=observer)


@pytest.fixture(scope="module")
def every_second(pool, tmp_path_factory):
    """Return a finished study of four rounds, evaluated in rounds 0, 2 and 4, which no test changes."""
    return sweep(pool, tmp_path_factory.mktemp("every-second"))


def assert_equal_but_for_evaluations(every_round, study, every):
    """Compare all that was computed to the bit; the rounds between evaluations have no metric, and take no time."""
    expected, found = (
        comparable(each.rounds).drop(columns=["run_id", *SINCE_THE_LAST])
        for each in (every_round, study)
    )
    between = expected["round"] % every > 0
    assert between.any()
    expected.loc[between, expected.columns.intersection(METRICS)] = np.nan
    pd.testing.assert_frame_equal(expected, found, check_exact=True)
    assert (study.rounds["eval_s"] > 0).tolist() == (study.rounds["round"] % every == 0).tolist()
    expected, found = (
        comparable(each.queries).drop(columns="run_id") for each in (every_round, study)
    )
    pd.testing.assert_frame_equal(expected, found, check_exact=True)


def test_evaluated_rounds_are_those_of_a_study_that_evaluates_all(undisturbed, every_second):
    assert_equal_but_for_evaluations(undisturbed, every_second, 2)
    assert every_second.runs["status"].tolist() == ["finished"]
    assert every_second.runs["run_id"].tolist() != undisturbed.runs["run_id"].tolist()


@pytest.mark.parametrize(
    "changes",
    [
        {"strategies": ["bald:members=2"], "screen": {"every": 2}},
        {"strategies": ["learning_loss"], "training": {"passive_epochs": 2, "mode": "scratch"}},
        {"model": {"name": "tests.helpers.own_modules:OwnNetwork"}},
    ],
)
def test_evaluation_touches_no_draw(pool, tmp_path, changes):
    changes = {"rounds": 3, "metric_split": "validation", **changes}
    every_round = sweep(pool, tmp_path / "all", evaluate_every=1, **changes)
    assert_equal_but_for_evaluations(
        every_round, sweep(pool, tmp_path, evaluate_every=3, **changes), 3
    )


def test_another_number_is_another_study(pool, undisturbed):
    with pytest.raises(StoreError, match="evaluate_every: 1 there, 2 now"):
        sweep(pool, undisturbed.path.parent)


@pytest.mark.parametrize(
    ("rounds", "every", "ways_out"),
    [(60, 7, (56, 6)), (60, 100, (100, 60)), (3, 5, (5, 3)), (61, 60, (60, 1)), (1, 2, (2, 1))],
)
def test_a_last_round_without_metrics_is_refused_with_two_ways_out(rounds, every, ways_out):
    given = {"rounds": rounds, "evaluate_every": every}
    with pytest.raises(SpecError, match="no multiple of evaluate_every") as refused:
        validate(SweepSpec, given, "the command line")
    advice = re.search(r"give --rounds (\d+) or --evaluate-every (\d+)$", str(refused.value))
    assert advice is not None
    assert tuple(map(int, advice.groups())) == ways_out
    for name, value in zip(given, ways_out, strict=True):
        validate(SweepSpec, {**given, name: value}, "the command line")


@pytest.mark.parametrize(("every", "rounds"), [(1, 5), (3, 3), (5, 5), (15, 0)])
def test_rounds_that_follow_from_the_budget_are_evaluated_to_the_last(every, rounds):
    study = SweepSpec(initial=12, query=4, rounds=15, evaluate_every=every)
    assert study.rounds_of(12, 11) == rounds
    assert study.rounds_of(12, 4) == 15


@pytest.mark.parametrize("every", [1, 7, 30, 50])
def test_a_budget_that_fits_a_small_pool_can_be_evaluated(every):
    fitting = {"evaluate_every": every, **fitting_budget(100, 3, every)}
    assert SweepSpec.model_validate(fitting).budget <= 50
    assert fitting["rounds"] > 0


def test_variants_that_leave_no_evaluation_are_refused():
    message = "leave fewer than 3 rounds, .*; lower them or --evaluate-every, or add --rounds"
    with pytest.raises(SpecError, match=message):
        plan_of(POOL, vary={"query": [4, 6]}, evaluate_every=3)


def test_runs_on_full_data_and_those_that_evaluate_every_round_keep_their_names():
    plain, own = (
        plan_of(POOL, strategies=["random"], full_data=True, **changes).runs
        for changes in ({}, {"evaluate_every": 3})
    )
    assert [run.full_data for run in own] == [False, True]
    assert [one.run_id == other.run_id for one, other in zip(plain, own, strict=True)] == [
        False,
        True,
    ]
    assert plan_of(POOL, strategies=["random"], evaluate_every=1).runs[0] == plain[0]


def test_variants_of_the_query_are_paired_and_no_table_says_that_they_end_together(pool, tmp_path):
    """Rounds are rounded down to a multiple, so an arm may end at fewer labels."""
    study = sweep(pool, tmp_path, strategies=["random", "margin"], vary={"query": [5, 6]})
    summary = study.summary.set_index("arm")
    ends = {"random": 40, "margin": 40, "random [query=6]": 32, "margin [query=6]": 32}
    assert summary["labels"].to_dict() == ends
    assert summary["alc_difference"].notna().tolist() == [False, True] * 2
    source = read_sweep(find_results(study), None)
    results = results_from(source, study.path, "accuracy", ["html"])
    words = Page(page_of(results, (), arms_of(summary.reset_index()))).words
    assert "accuracy at the budget" in words
    assert "evaluated in round 0, then every 2 rounds" in words
    assert not re.search(r"\bnan\b", words, re.IGNORECASE)


@pytest.mark.usefixtures("round_by_round")
@pytest.mark.parametrize("stopped_after", [1, 2])
def test_a_study_that_was_stopped_between_evaluations_goes_on(
    pool, tmp_path, every_second, stopped_after
):
    stop = Recorder(("run", stopped_after), lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Interrupted):
        sweep(pool, tmp_path, stop)
    observer = Recorder()
    assert_same_records(every_second, sweep(pool, tmp_path, observer))
    begun = [number for _, number in observer.of("progressed")]
    assert begun == list(range(stopped_after + 1, 5))


def test_rounds_can_be_added(pool, tmp_path, every_second):
    sweep(pool, tmp_path, rounds=2)
    observer = Recorder()
    assert_same_records(every_second, sweep(pool, tmp_path, observer))
    assert [number for _, number in observer.of("progressed")] == [3, 4]
