"""The driver with the inline executor, on a real folder: whatever interrupts it, the records come out the same."""

import errno
import os
import signal
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typing_extensions import override

from alray import api
from alray.errors import Interrupted, StoreError
from alray.storage.local import LocalStorage
from alray.studies.events import Failure, Notice
from alray.studies.inline import InlineExecutor
from alray.studies.sweep.jobs import Job, Progress
from alray.studies.sweep.results import Sweep, load
from alray.studies.sweep.store import SweepStore
from tests.helpers import plugins
from tests.helpers.studies import (
    ROUNDS,
    Recorder,
    assert_same_records,
    files,
    inline,
    report_every_round,
    settings,
)


@pytest.fixture(autouse=True)
def _round_by_round(monkeypatch):
    """Report, and with `checkpoint_seconds: 0` checkpoint, after every round."""
    report_every_round(monkeypatch)


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
        assert row["status"] == "finished"
        assert row["seconds"] == pytest.approx(
            study.rounds[["query_s", "fit_s", "eval_s"]].to_numpy().sum()
        )


def test_a_killed_run_goes_on_from_its_checkpoint_and_not_from_the_start(
    pool, tmp_path, monkeypatch, undisturbed
):
    class Killer(Recorder):
        @override
        def progressed(self, name, run, record):
            super().progressed(name, run, record)
            if run is not None and record["round"] == 3:
                raise Killed

    with pytest.raises(Killed):
        api.sweep(settings(pool), results=tmp_path, observer=Killer())
    observer = Recorder()
    study = api.sweep(settings(pool), results=tmp_path, observer=observer)
    (name,) = study.runs["run_id"]
    assert observer.of("begin") == [{name: 2}]
    assert observer.of("started") == [(name, name)]
    assert observer.of("progressed") == [(name, 3), (name, 4)]
    assert_same_records(undisturbed, study)


class Fragile(InlineExecutor[Job, Progress]):
    """Loses its worker, with what it has not reported, at every `period`th call."""

    period = 3
    calls = 0

    @override
    def wait(self, seconds):
        self.calls += 1
        if self.calls % self.period:
            return super().wait(seconds)
        assert self._job is not None
        (job, _), self._job = self._job, None
        self._worker = self._make_worker()
        return [Failure(job.name, "killed")]


@pytest.mark.parametrize(("period", "checkpoint_seconds"), [(2, 0), (3, 0), (5, 1000)])
def test_lost_workers_change_nothing(
    pool, tmp_path, monkeypatch, undisturbed, period, checkpoint_seconds
):
    """Rows from after the last checkpoint, which the driver has in memory, are played again and not kept twice."""
    monkeypatch.setattr(Fragile, "period", period)
    monkeypatch.setattr(api, "start_executor", fragile)
    observer = Recorder()
    spec = settings(pool, execution={"attempts": 50, "checkpoint_seconds": checkpoint_seconds})
    study = api.sweep(spec, results=tmp_path, observer=observer)
    assert len(observer.of("lost")) >= 1
    assert_same_records(undisturbed, study)
    (row,) = study.runs.to_dict("records")
    assert row["attempts"] > 1
    assert row["rounds_done"] == ROUNDS


def fragile(plan: Any) -> Any:
    return inline(plan, Fragile)


def test_a_lost_passive_phase_starts_again(pool, tmp_path, monkeypatch, undisturbed):
    monkeypatch.setattr(Fragile, "period", 1)
    monkeypatch.setattr(api, "start_executor", fragile)
    observer = Recorder()
    study = api.sweep(
        settings(pool, execution={"attempts": 2}), results=tmp_path, observer=observer
    )
    assert len(observer.of("lost")) == 2
    (row,) = study.runs.to_dict("records")
    assert row["status"] == "failed"
    assert row["error"] == "its worker died 2 times: killed"
    monkeypatch.undo()
    assert_same_records(undisturbed, api.sweep(settings(pool), results=tmp_path))


def candidates(pool: Path, round_number: int) -> int:
    """Return the number of candidates with which a round begins."""
    plan = api.plan_sweep(settings(pool))
    return len(plan.prepared.train) - 20 - 5 * (round_number - 1)


def test_an_error_fails_its_run_alone_and_the_next_command_tries_again(pool, tmp_path):
    failing = f"tests.helpers.plugins:Misbehaving:act=raise:left={candidates(pool, 3)}"
    spec = settings(pool, strategies=["random", failing, "margin"])
    observer = Recorder()
    study = api.sweep(spec, results=tmp_path, observer=observer)
    runs = study.runs.set_index("strategy")
    assert runs["status"].to_dict() == {
        "random": "finished",
        failing: "failed",
        "margin": "finished",
    }
    row = runs.loc[failing]
    assert row["error"] == f"ValueError: no more than {candidates(pool, 3)}"
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
    spec = settings(
        pool, model={"name": "tests.helpers.plugins:broken_model"}, strategies=["random", "margin"]
    )
    study = api.sweep(spec, results=tmp_path)
    assert study.runs["status"].tolist() == ["failed", "failed"]
    assert set(study.runs["error"]) == {"RuntimeError: broken on purpose"}
    assert study.rounds.empty
    assert study.summary["failed"].tolist() == [1, 1]


def test_a_run_that_wrote_into_the_pool_leaves_nothing_behind(pool, tmp_path, monkeypatch):
    corrupting = f"tests.helpers.plugins:Misbehaving:act=corrupt:left={candidates(pool, 2)}"
    study = api.sweep(settings(pool, strategies=[corrupting]), results=tmp_path / "corrupt")
    (row,) = study.runs.to_dict("records")
    assert row["status"] == "failed"
    assert "pool's content has changed during the run" in row["error"]
    monkeypatch.setattr(plugins, "corrupt_pools", lambda: None)
    resumed = api.sweep(settings(pool, strategies=[corrupting]), results=tmp_path / "corrupt")
    clean = api.sweep(settings(pool, strategies=[corrupting]), results=tmp_path / "clean")
    assert_same_records(clean, resumed)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("at", [("passive", 0), ("margin", 2)], ids=["passive", "round"])
def test_a_signal_stops_between_rounds_with_everything_on_disk(
    pool, tmp_path, undisturbed, number, at
):
    class Signaller(Recorder):
        @override
        def progressed(self, name, run, record):
            super().progressed(name, run, record)
            if (name.partition("__")[0], record["round"]) == at:
                os.kill(os.getpid(), number)

    observer = Signaller()
    spec = settings(pool, execution={"checkpoint_seconds": 1000})
    with pytest.raises(Interrupted):
        api.sweep(spec, results=tmp_path, observer=observer)
    assert observer.events[-1] == ("end", None)
    assert observer.of("notice") == ["stopping after the rounds in progress"]
    (row,) = SweepStore(tmp_path / "study").read_runs().to_dict("records")
    assert row["status"] == "unfinished"
    after = Recorder()
    assert_same_records(undisturbed, api.sweep(spec, results=tmp_path, observer=after))
    assert [detail[1] for detail in after.of("progressed")] == list(
        range(0 if at[0] == "passive" else at[1] + 1, ROUNDS + 1)
    )


def test_a_full_disk_stops_the_study_and_loses_nothing(pool, tmp_path, monkeypatch, undisturbed):
    flush, writes = os.fsync, 0

    def full(number):
        nonlocal writes
        writes += 1
        if writes > 9:
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(number)

    monkeypatch.setattr(os, "fsync", full)
    observer = Recorder()
    with pytest.raises(StoreError, match=r"No space left on device.*run the same command again"):
        api.sweep(settings(pool), results=tmp_path, observer=observer)
    assert observer.events[-1] == ("end", None)
    monkeypatch.setattr(os, "fsync", flush)
    again = Recorder()
    assert_same_records(undisturbed, api.sweep(settings(pool), results=tmp_path, observer=again))
    assert len(again.of("progressed")) < ROUNDS


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


def test_a_finished_study_starts_no_executor(pool, tmp_path, monkeypatch):
    first = api.sweep(settings(pool), results=tmp_path)
    monkeypatch.delattr(api, "start_executor")
    second = api.sweep(settings(pool), results=tmp_path)
    pd.testing.assert_frame_equal(first.runs, second.runs)
    pd.testing.assert_frame_equal(first.rounds, second.rounds)


def test_arms_share_a_passive_phase_and_its_checkpoint_goes_when_all_have_finished(pool, tmp_path):
    observer = Recorder()
    study = api.sweep(
        settings(pool, strategies=["random", "margin"], seeds=2),
        results=tmp_path,
        observer=observer,
    )
    passives = [name for name, start in observer.of("started") if start is None]
    assert len(passives) == 2
    zero = study.rounds[study.rounds["round"] == 0].drop(columns=["run_id", "arm", "strategy"])
    for _, same_seed in zero.groupby("seed"):
        assert len(same_seed.drop_duplicates()) == 1
    assert not any(name.startswith("checkpoints/") for name in files(study.path))


@pytest.fixture
def half_done(pool, tmp_path):
    """Return the results folder of a study that was stopped after round 2, with its checkpoint's path."""

    class Stopper(Recorder):
        @override
        def progressed(self, name, run, record):
            if run is not None and record["round"] == 2:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        api.sweep(settings(pool), results=tmp_path, observer=Stopper())
    (checkpoint,) = (tmp_path / "study" / "checkpoints").glob("margin*")
    return tmp_path, checkpoint


def starts_after(half_done: tuple[Path, Path], pool: Path, undisturbed: Sweep) -> list[Any]:
    observer = Recorder()
    study = api.sweep(settings(pool), results=half_done[0], observer=observer)
    assert_same_records(undisturbed, study)
    assert files(study.path) == files(undisturbed.path)
    return [start for _, start in observer.of("started")]


def test_a_run_goes_on_without_its_passive_phases_checkpoint(pool, half_done, undisturbed):
    (passive,) = half_done[1].parent.glob("passive*")
    passive.unlink()
    assert starts_after(half_done, pool, undisturbed) == [half_done[1].stem]


@pytest.mark.parametrize("damage", ["cut", "empty", "garbage"])
def test_a_damaged_checkpoint_is_played_again(pool, half_done, undisturbed, damage):
    content = half_done[1].read_bytes()
    broken = {"cut": content[: len(content) // 2], "empty": b"", "garbage": b"\xff" * 100}
    half_done[1].write_bytes(broken[damage])
    (start,) = starts_after(half_done, pool, undisturbed)
    assert start.startswith("passive__")


def test_a_damaged_passive_checkpoint_is_played_again(pool, half_done, undisturbed):
    half_done[1].unlink()
    (passive,) = half_done[1].parent.glob("passive*")
    passive.write_bytes(passive.read_bytes()[:-1])
    assert starts_after(half_done, pool, undisturbed) == [None, passive.stem]


@pytest.mark.parametrize("folder", ["rounds", "queries"])
def test_a_checkpoint_without_its_records_is_not_used(pool, half_done, undisturbed, folder):
    (half_done[0] / "study" / folder / f"{half_done[1].stem}.parquet").unlink()
    (start,) = starts_after(half_done, pool, undisturbed)
    assert start.startswith("passive__")


def test_checkpoints_of_runs_that_are_not_asked_for_now_are_kept(pool, half_done):
    study = api.sweep(settings(pool, seeds=[1]), results=half_done[0])
    assert half_done[1].exists()
    status = study.runs.set_index("seed")["status"].to_dict()
    assert status == {0: "unfinished", 1: "finished"}


def test_a_study_without_rounds_is_its_passive_phase(pool, tmp_path):
    study = api.sweep(settings(pool, rounds=0), results=tmp_path)
    assert study.rounds["round"].tolist() == [0]
    assert study.runs["status"].tolist() == ["finished"]


def test_a_notice_reaches_the_observer(pool, tmp_path, monkeypatch):
    class Talking(InlineExecutor[Job, Progress]):
        @override
        def wait(self, seconds):
            return [Notice("nothing happens"), *super().wait(seconds)]

    monkeypatch.setattr(api, "start_executor", lambda plan: inline(plan, Talking))
    observer = Recorder()
    api.sweep(settings(pool, rounds=0), results=tmp_path, observer=observer)
    assert observer.of("notice") == ["nothing happens"] * 2
