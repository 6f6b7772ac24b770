"""Stores through packages of the fsspec family."""

import datetime as dt
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
