"""Stores through packages of the fsspec family."""

import contextlib
import datetime as dt
import itertools
import sys

import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from alray import api
from alray.errors import StoreError
from alray.settings.location import location_of
from alray.storage.fsspec_store import FsspecStore
from alray.storage.object_store import RemoteStorage
from alray.studies.sweep.store import SweepStore
from tests.helpers.object_store import QUICK
from tests.helpers.studies import assert_same_records, settings, write_pool


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(RemoteStorage, "times", QUICK)
    monkeypatch.setattr(RemoteStorage, "pauses", ())
    monkeypatch.setattr(MemoryFileSystem, "store", {})
    monkeypatch.setattr(MemoryFileSystem, "pseudo_dirs", [""])


def test_a_sweep_into_memory_is_equal_to_a_local_one(tmp_path):
    spec = settings(write_pool(tmp_path / "pool.parquet"), rounds=2)
    local = api.sweep(spec, results=tmp_path)
    study = api.sweep(spec, results="memory://results")
    assert str(study.path) == "memory://results/study"
    assert_same_records(local, study)
    assert not any(".lock/" in name for name in MemoryFileSystem.store)
    assert (
        api.sweep(spec, results="memory://results", fresh=True).rounds.shape == study.rounds.shape
    )


@pytest.fixture
def begun(tmp_path):
    """Return the plan of a study of another pool under the name of one in memory, whose files are there."""
    one, other = (write_pool(tmp_path / f"{seed}.parquet", seed=seed) for seed in (0, 1))
    api.sweep(settings(one, rounds=2), results="memory://results")
    return api.plan_sweep(settings(other, rounds=2, seeds=[1]))


def break_off(monkeypatch, left):
    """Let a removal end without these files and folders, and with everything else that it is asked for."""
    remove = RemoteStorage.remove

    def broken_off(storage, names):
        remaining = {name for name in names if name.partition("/")[0] in left}
        remove(storage, set(names) - remaining)
        if remaining:
            raise KeyboardInterrupt

    monkeypatch.setattr(RemoteStorage, "remove", broken_off)


def test_whatever_a_throwing_away_leaves_is_no_part_of_a_study_of_another_pool(begun, monkeypatch):
    """Requests of one removal end in any order."""
    store = SweepStore(location_of("memory://results/study"))
    there = dict(MemoryFileSystem.store)
    tops = {name.removeprefix("/results/study/").partition("/")[0] for name in there}
    assert {"rounds", "queries", "checkpoints", "study.yaml", "manifest.json"} < tops
    for size in range(len(tops) + 1):
        for left in itertools.combinations(sorted(tops), size):
            monkeypatch.setattr(MemoryFileSystem, "store", dict(there))
            with monkeypatch.context() as patch:
                break_off(patch, left)
                with contextlib.suppress(KeyboardInterrupt):
                    store.clear()
            assert store.exists() or not store.has_progress(), left
            try:
                assert api.runs_on_record(begun, "memory://results") is None, left
            except StoreError as error:
                assert "the pool's content is not the same" in str(error)  # noqa: PT017 -- or there is none


def test_after_a_throwing_away_that_broke_off_two_pools_are_never_mixed(begun, monkeypatch):
    with monkeypatch.context() as patch:
        break_off(patch, {"rounds", "queries", "runs.parquet"})
        with pytest.raises(KeyboardInterrupt):
            api.sweep(begun.study, results="memory://results", fresh=True)
    with pytest.raises(StoreError, match="the pool's content is not the same"):
        api.sweep(begun.study, results="memory://results")
    found = api.sweep(begun.study, results="memory://results", fresh=True)
    assert list(found.runs["seed"]) == [1]


def test_a_second_writer_is_refused():
    location = location_of("memory://results/study")
    with (
        SweepStore(location) as store,
        pytest.raises(StoreError, match="written by another alray"),
    ):
        SweepStore(location).__enter__()
    with SweepStore(location):
        assert not store.has_progress()


@pytest.mark.parametrize(
    ("uri", "missing", "message"),
    [
        ("s3a://bucket/a", ["s3fs"], "needs a package that is not installed: .*s3fs"),
        (
            "sftp://host/a",
            ["paramiko", "fsspec.implementations.sftp"],
            "needs a package that is not installed: .*paramiko",
        ),
        ("memory://results/study", ["fsspec.core"], "pip install fsspec"),
        ("s4://bucket/study", [], "no kind of store 's4'; did you mean 's3'"),
    ],
)
def test_a_kind_of_store_or_package_that_is_missing_is_named(uri, missing, message, monkeypatch):
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(StoreError, match=message):
        SweepStore(location_of(uri)).exists()


def test_without_an_atomic_put_files_are_renamed(tmp_path, monkeypatch):
    steps = []

    def noted(step: str) -> None:
        act = getattr(LocalFileSystem, step)

        def note(self: LocalFileSystem, first: str, *more: object) -> None:
            steps.append((step, first))
            act(self, first, *more)

        monkeypatch.setattr(LocalFileSystem, step, note)

    noted("pipe_file")
    noted("mv")
    store = FsspecStore(LocalFileSystem(), str(tmp_path), atomic=False)
    store.put("rounds/a.parquet", b"new")
    temporary = str(tmp_path / "rounds" / ".a.parquet.tmp")
    assert steps == [("pipe_file", temporary), ("mv", temporary)]
    assert store.get("rounds/a.parquet") == b"new"
    assert store.names("rounds") == ["rounds/a.parquet"]
    age = dt.datetime.now(dt.UTC) - store.times("rounds")["rounds/a.parquet"]
    assert age < dt.timedelta(minutes=1)
    store.delete("rounds/a.parquet")
    store.delete("rounds/a.parquet")
    assert store.names("rounds") == []
