"""The driver with the inline executor, on a real folder: whatever interrupts it, the records come out the same."""

import os
import shutil
import signal
from pathlib import Path

import pandas as pd
import pytest

from alray import api
from alray.errors import Interrupted
from alray.studies.sweep.results import Sweep
from alray.studies.sweep.store import SweepStore
from tests.helpers.dying_store import DyingStore, Killed
from tests.helpers.plugins import misbehaving
from tests.helpers.studies import (
    ROUNDS,
    Recorder,
    assert_same_records,
    files,
    settings,
)

pytestmark = pytest.mark.usefixtures("round_by_round")


def test_killed_before_any_step_onto_the_disk_and_again_after_as_many(pool, tmp_path, monkeypatch):
    model = {"name": "tests.helpers.own_modules:OwnNetwork"}
    spec = settings(pool, rounds=2, strategies=["random"], model=model)
    with monkeypatch.context() as patch:
        counting = DyingStore(patch, -1)
        whole = api.sweep(spec, results=tmp_path / "whole")
    assert counting.steps == 15  # settings, passive phase, two rounds, clearing up
    for last in range(counting.steps):
        for _ in range(2):
            with monkeypatch.context() as patch:
                DyingStore(patch, last)
                try:
                    api.sweep(spec, results=tmp_path / str(last))
                except Killed:
                    continue
        study = api.sweep(spec, results=tmp_path / str(last))
        assert_same_records(whole, study)
        assert files(study.path) == files(whole.path), f"killed before step {last}"
        (row,) = study.runs.to_dict("records")
        assert (row["status"], row["rounds_done"]) == ("finished", 2)
        assert row["seconds"] == pytest.approx(
            study.rounds[["query_s", "fit_s", "eval_s"]].to_numpy().sum()
        )


def test_an_error_fails_its_run_alone_and_the_next_command_tries_again(pool, tmp_path):
    failing = misbehaving(pool, "raise", 3)
    spec = settings(pool, strategies=["random", failing, "margin"])
    observer = Recorder()
    study = api.sweep(spec, results=tmp_path, observer=observer)
    runs = study.runs.set_index("strategy")
    finished = dict.fromkeys(["random", "margin"], "finished")
    assert runs["status"].to_dict() == {**finished, failing: "failed"}
    row = runs.loc[failing]
    assert row["error"] == f"ValueError: no more than {failing.rpartition('=')[2]}"
    assert "second line" in row["traceback"]
    assert "plugins.py" in row["traceback"]
    assert row["rounds_done"] == 2
    assert observer.of("failed") == [row["run_id"]]
    assert study.summary.set_index("strategy")["failed"].to_dict()[failing] == 1
    again = Recorder()
    api.sweep(spec, results=tmp_path, observer=again)
    assert again.of("started") == [(row["run_id"], row["run_id"])]
    assert len(again.of("failed")) == 1


def test_a_passive_phase_with_an_error_fails_every_run_and_the_study_is_still_readable(
    pool, tmp_path
):
    broken = {"name": "tests.helpers.own_modules:failing_forward"}
    spec = settings(pool, model=broken, strategies=["random", "margin"])
    study = api.sweep(spec, results=tmp_path)
    assert study.runs["status"].tolist() == ["failed", "failed"]
    assert set(study.runs["error"]) == {"ArithmeticError: this module cannot be called"}
    assert study.rounds.empty
    assert study.summary["failed"].tolist() == [1, 1]


def test_seeds_strategies_and_variants_are_added_to_what_is_there(pool, tmp_path):
    """Also where the pool's file lies elsewhere by then."""
    begun = api.sweep(settings(pool), results=tmp_path).rounds
    moved, observer = shutil.copy(pool, tmp_path / "moved.parquet"), Recorder()
    api.sweep(settings(moved, seeds=[0, 1]), results=tmp_path, observer=observer)
    assert len(observer.of("progressed")) == 1 + ROUNDS + 1
    api.sweep(settings(pool, strategies=["random"], seeds=[1]), results=tmp_path)
    variants = {"training.batch_norm": ["live", "frozen"]}
    study = api.sweep(settings(pool, vary=variants), results=tmp_path)
    arms = study.runs[["arm", "seed", "status"]].to_records(index=False).tolist()
    assert sorted(arms) == [
        ("margin", 0, "finished"),
        ("margin", 1, "finished"),
        ("margin [batch_norm=frozen]", 0, "finished"),
        ("random", 1, "finished"),
    ]
    assert study.runs["run_id"].is_unique
    assert len(study.rounds) == 4 * (ROUNDS + 1)
    assert set(study.summary["arm"]) == set(study.runs["arm"])
    kept = study.rounds[study.rounds["run_id"].isin(begun["run_id"])]
    pd.testing.assert_frame_equal(begun, kept.reset_index(drop=True))
    assert (study.runs["seconds"] > 0).all()
    assert (study.runs["host"] != "").all()


@pytest.fixture(scope="module")
def stopped(pool, tmp_path_factory):
    """Return the results folder of a study that was stopped after round 2."""
    results = tmp_path_factory.mktemp("stopped")
    stopper = Recorder(("run", 2), lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Interrupted):
        api.sweep(settings(pool), results=results, observer=stopper)
    assert stopper.of("notice") == ["stopping after the rounds in progress"]
    (row,) = SweepStore(results / "study").read_runs().to_dict("records")
    assert row["status"] == "unfinished"
    return results


@pytest.fixture
def half_done(stopped, tmp_path):
    """Return a copy of that folder, with the paths of the run's checkpoint and of its passive phase's."""
    checkpoints = shutil.copytree(stopped, tmp_path / "results") / "study" / "checkpoints"
    (own,), (passive,) = (checkpoints.glob(f"{kind}__*") for kind in ("margin", "passive"))
    return tmp_path / "results", own, passive


def resumed(results: Path, pool: Path, undisturbed: Sweep) -> Recorder:
    """Return what is observed while the same command ends a study as if nothing had happened."""
    observer = Recorder()
    study = api.sweep(settings(pool), results=results, observer=observer)
    assert_same_records(undisturbed, study)
    assert files(study.path) == files(undisturbed.path)
    return observer


def test_a_run_goes_on_without_its_passive_phases_checkpoint(pool, half_done, undisturbed):
    results, own, passive = half_done
    passive.unlink()
    observer, name = resumed(results, pool, undisturbed), own.stem
    assert observer.of("begin") == [{name: 2}]
    assert observer.of("started") == [(name, name)]
    assert observer.of("progressed") == [(name, 3), (name, 4)]


@pytest.mark.parametrize("damage", ["cut", "garbage", "rounds", "queries", "passive"])
def test_a_checkpoint_that_is_damaged_or_without_its_records_is_not_used(
    pool, half_done, undisturbed, damage
):
    results, own, passive = half_done
    match damage:
        case "cut":
            own.write_bytes(own.read_bytes()[:-1])
        case "garbage":
            own.write_bytes(b"\xff" * 100)
        case "passive":
            own.unlink()
            passive.write_bytes(passive.read_bytes()[:-1])
        case folder:
            (results / "study" / folder / f"{own.stem}.parquet").unlink()
    starts = [start for _, start in resumed(results, pool, undisturbed).of("started")]
    assert starts == ([None] if damage == "passive" else []) + [passive.stem]


def test_checkpoints_of_runs_that_are_not_asked_for_now_are_kept(pool, half_done):
    results, own, _ = half_done
    study = api.sweep(settings(pool, seeds=[1]), results=results)
    assert own.exists()
    status = study.runs.set_index("seed")["status"].to_dict()
    assert status == {0: "unfinished", 1: "finished"}
