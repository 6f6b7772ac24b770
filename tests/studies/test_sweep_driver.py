"""The driver with the inline executor, on a real folder: whatever interrupts it, the records come out the same."""

import os
import signal
from collections.abc import Collection
from pathlib import Path

import pandas as pd
import pytest

from alray import api
from alray.errors import Interrupted
from alray.storage.local import LocalStorage
from alray.studies.sweep.results import Sweep, load
from alray.studies.sweep.store import SweepStore
from tests.helpers import plugins
from tests.helpers.plugins import misbehaving
from tests.helpers.studies import (
    ROUNDS,
    Recorder,
    assert_same_records,
    files,
    settings,
)

pytestmark = pytest.mark.usefixtures("round_by_round")


class Killed(BaseException):
    """Stands for the process's end: nothing may catch it, and nothing may be written after it."""


class DyingStore:
    """Makes the nth step onto the disk the last one: half a file under a temporary name stays behind."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, last: int) -> None:
        self.steps = 0
        write, remove = LocalStorage.write, LocalStorage.remove

        def dying_write(storage: LocalStorage, name: str, content: bytes) -> None:
            if self.steps == last:
                path = storage._root / name
                path.with_name(f".{path.name}.tmp").write_bytes(b"PAR1 half a file")
                raise Killed
            write(storage, name, content)
            self.steps += 1

        def dying_remove(storage: LocalStorage, names: Collection[str]) -> None:
            if self.steps == last:
                raise Killed
            remove(storage, names)
            self.steps += 1

        monkeypatch.setattr(LocalStorage, "write", dying_write)
        monkeypatch.setattr(LocalStorage, "remove", dying_remove)


def test_killed_before_any_step_onto_the_disk_and_again_after_as_many(pool, tmp_path, monkeypatch):
    spec = settings(pool, rounds=2)
    with monkeypatch.context() as patch:
        counting = DyingStore(patch, -1)
        whole = api.sweep(spec, results=tmp_path / "whole")
    assert counting.steps == 14  # settings, passive phase, two rounds, clearing up
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


def test_a_run_that_wrote_into_the_pool_leaves_nothing_behind(pool, tmp_path, monkeypatch):
    spec = settings(pool, strategies=[misbehaving(pool, "corrupt", 2)])
    study = api.sweep(spec, results=tmp_path / "corrupt")
    (row,) = study.runs.to_dict("records")
    assert row["status"] == "failed"
    assert "pool's content has changed during the run" in row["error"]
    monkeypatch.setattr(plugins, "corrupt_pools", lambda: None)
    resumed = api.sweep(spec, results=tmp_path / "corrupt")
    assert_same_records(api.sweep(spec, results=tmp_path / "clean"), resumed)


def test_seeds_strategies_and_variants_are_added_to_what_is_there(pool, tmp_path):
    api.sweep(settings(pool), results=tmp_path)
    begun = load(tmp_path / "study").rounds
    api.sweep(settings(pool, seeds=[0, 1]), results=tmp_path)
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


def test_arms_share_a_passive_phase_and_its_checkpoint_goes_when_all_have_finished(pool, tmp_path):
    observer = Recorder()
    spec = settings(pool, strategies=["random", "margin"], seeds=2)
    study = api.sweep(spec, results=tmp_path, observer=observer)
    passives = [name for name, start in observer.of("started") if start is None]
    assert len(passives) == 2
    zero = study.rounds[study.rounds["round"] == 0].drop(columns=["run_id", "arm", "strategy"])
    for _, same_seed in zero.groupby("seed"):
        assert len(same_seed.drop_duplicates()) == 1
    assert not any(name.startswith("checkpoints/") for name in files(study.path))


@pytest.fixture
def half_done(pool, tmp_path):
    """Return the results folder of a study that was stopped after round 2, with its checkpoint's path."""

    stopper = Recorder(("run", 2), lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Interrupted):
        api.sweep(settings(pool), results=tmp_path, observer=stopper)
    assert stopper.of("notice") == ["stopping after the rounds in progress"]
    (row,) = SweepStore(tmp_path / "study").read_runs().to_dict("records")
    assert row["status"] == "unfinished"
    (checkpoint,) = (tmp_path / "study" / "checkpoints").glob("margin*")
    return tmp_path, checkpoint


def resumed(half_done: tuple[Path, Path], pool: Path, undisturbed: Sweep) -> Recorder:
    """Return what is observed while the same command ends a study as if nothing had happened."""
    observer = Recorder()
    study = api.sweep(settings(pool), results=half_done[0], observer=observer)
    assert_same_records(undisturbed, study)
    assert files(study.path) == files(undisturbed.path)
    return observer


def test_a_run_goes_on_without_its_passive_phases_checkpoint(pool, half_done, undisturbed):
    (passive,) = half_done[1].parent.glob("passive*")
    passive.unlink()
    observer, name = resumed(half_done, pool, undisturbed), half_done[1].stem
    assert observer.of("begin") == [{name: 2}]
    assert observer.of("started") == [(name, name)]
    assert observer.of("progressed") == [(name, 3), (name, 4)]


@pytest.mark.parametrize("damage", ["cut", "empty", "garbage", "no rounds", "no queries"])
def test_a_checkpoint_that_is_damaged_or_without_its_records_is_not_used(
    pool, half_done, undisturbed, damage
):
    results, checkpoint = half_done
    content = checkpoint.read_bytes()
    broken = {"cut": content[: len(content) // 2], "empty": b"", "garbage": b"\xff" * 100}
    if damage in broken:
        checkpoint.write_bytes(broken[damage])
    else:
        folder = damage.removeprefix("no ")
        (results / "study" / folder / f"{checkpoint.stem}.parquet").unlink()
    ((_, start),) = resumed(half_done, pool, undisturbed).of("started")
    assert start.startswith("passive__")


def test_a_damaged_passive_checkpoint_is_not_used(pool, half_done, undisturbed):
    half_done[1].unlink()
    (passive,) = half_done[1].parent.glob("passive*")
    passive.write_bytes(passive.read_bytes()[:-1])
    starts = [start for _, start in resumed(half_done, pool, undisturbed).of("started")]
    assert starts == [None, passive.stem]


def test_checkpoints_of_runs_that_are_not_asked_for_now_are_kept(pool, half_done):
    study = api.sweep(settings(pool, seeds=[1]), results=half_done[0])
    assert half_done[1].exists()
    status = study.runs.set_index("seed")["status"].to_dict()
    assert status == {0: "unfinished", 1: "finished"}
