"""More rounds for a study that has ended, or not: it comes to the same as one that was made with them at once."""

import os
import signal

import pytest

from alray import api
from alray.errors import Interrupted, StoreError
from alray.studies.sweep.results import load
from alray.studies.sweep.store import SweepStore
from tests.helpers.studies import ROUNDS, Recorder, assert_same_records, files, settings

pytestmark = pytest.mark.usefixtures("round_by_round")

WITHOUT = {"execution": {"keep_last": False}}


def sweep(pool, results, observer=None, **changes):
    return api.sweep(settings(pool, **changes), results=results, observer=observer)


def records_in(folder):
    return [name for name in files(folder) if name.startswith("rounds/")]


def stop_at(kind, number):
    return Recorder((kind, number), lambda: os.kill(os.getpid(), signal.SIGINT))


@pytest.mark.parametrize(
    ("first", "last", "added"),
    [({}, 2, [3, 4]), ({}, 0, [0, 1, 2, 3, 4]), (WITHOUT, 2, [0, 0, 1, 2, 3, 4])],
)
def test_added_rounds_come_after_the_last_one_if_its_checkpoint_was_kept(
    pool, tmp_path, undisturbed, first, last, added
):
    """Round 0 is reported by the passive phase and by the run that starts from it."""
    short = sweep(pool, tmp_path, rounds=last, **first)
    assert len(short.rounds) == last + 1
    observer = Recorder()
    study = sweep(pool, tmp_path, observer)
    assert_same_records(undisturbed, study)
    assert_same_records(undisturbed, load(study.path))
    assert files(study.path) == files(undisturbed.path)
    assert [number for _, number in observer.of("progressed")] == added
    assert study.runs["rounds"].tolist() == [ROUNDS]
    assert study.runs["run_id"].tolist() == undisturbed.runs["run_id"].tolist()


@pytest.mark.parametrize(
    "changes",
    [
        {"strategies": ["margin", "bald:members=2"], "screen": {"every": 2}, "full_data": True},
        {
            "strategies": ["learning_loss"],
            "training": {"passive_epochs": 2, "mode": "scratch"},
            "candidates": 30,
        },
    ],
)
def test_no_round_depends_on_how_many_there_will_be(pool, tmp_path, changes):
    sweep(pool, tmp_path / "grown", rounds=1, **changes)
    grown = sweep(pool, tmp_path / "grown", rounds=3, **changes)
    at_once = sweep(pool, tmp_path / "at-once", rounds=3, **changes)
    assert_same_records(at_once, grown)
    assert files(at_once.path) == files(grown.path)


def test_rounds_are_added_to_a_study_whose_manifest_is_lost(pool, tmp_path, undisturbed):
    short = sweep(pool, tmp_path, rounds=2)
    (short.path / "manifest.json").unlink()
    observer = Recorder()
    assert_same_records(undisturbed, sweep(pool, tmp_path, observer))
    assert [number for _, number in observer.of("progressed")] == [3, 4]


def test_a_study_grows_while_it_is_stopped_again_and_again(pool, tmp_path, undisturbed):
    for rounds, round_number in ((2, 1), (3, 2), (ROUNDS, 3)):
        with pytest.raises(Interrupted):
            sweep(pool, tmp_path, stop_at("run", round_number), rounds=rounds)
        assert len(records_in(tmp_path / "study")) == 1
    observer = Recorder()
    assert_same_records(undisturbed, sweep(pool, tmp_path, observer))
    assert [number for _, number in observer.of("progressed")] == [4]


@pytest.mark.parametrize("lost", ["write_checkpoint", "remove_run"])
def test_a_kill_while_a_longer_run_takes_over_loses_nothing(
    pool, tmp_path, undisturbed, monkeypatch, lost
):
    def fail(*_):
        raise RuntimeError("killed")

    sweep(pool, tmp_path, rounds=2)
    with monkeypatch.context() as patch:
        patch.setattr(SweepStore, lost, fail)
        with pytest.raises(RuntimeError, match="killed"):
            sweep(pool, tmp_path)
    assert len(load(tmp_path / "study").rounds) == 3, "what is read is the study as it was"
    observer = Recorder()
    study = sweep(pool, tmp_path, observer)
    assert_same_records(undisturbed, study)
    assert files(study.path) == files(undisturbed.path)
    assert [number for _, number in observer.of("progressed")] == [3, 4]


def test_runs_of_fewer_rounds_are_in_no_table_until_they_are_asked_for(pool, tmp_path):
    """They do not count among the runs, and go on later."""
    sweep(pool, tmp_path, rounds=1, seeds=2)
    grown = sweep(pool, tmp_path, rounds=2, seeds=1)
    assert grown.runs["seed"].tolist() == [0]
    assert grown.rounds["seed"].unique().tolist() == [0]
    assert len(records_in(grown.path)) == 2
    observer = Recorder()
    both = sweep(pool, tmp_path, observer, rounds=2, seeds=2)
    assert [number for _, number in observer.of("progressed")] == [2]
    assert both.rounds.groupby("seed")["round"].max().to_dict() == {0: 2, 1: 2}


def test_runs_without_a_checkpoint_are_replaced_when_the_longer_ones_are_finished(pool, tmp_path):
    """Until then their records lie there, and no table has them."""
    sweep(pool, tmp_path, rounds=1, **WITHOUT)
    with pytest.raises(Interrupted):
        sweep(pool, tmp_path, stop_at("passive", 0), rounds=2)
    study = load(tmp_path / "study")
    assert study.runs["status"].tolist() == ["unfinished"]
    assert len(study.rounds) == 0
    assert len(records_in(study.path)) == 1
    assert sweep(pool, tmp_path, rounds=2).rounds["round"].tolist() == [0, 1, 2]
    assert len(records_in(study.path)) == 1


def test_rounds_cannot_be_taken_away(pool, tmp_path):
    study = sweep(pool, tmp_path, rounds=1)
    before = files(study.path)
    with pytest.raises(StoreError, match=r"rounds can be added .*\n  rounds: 1 there, 0 now"):
        sweep(pool, tmp_path, rounds=0)
    assert files(study.path) == before
