"""Collected changes: a run's files in order, those of several runs in parallel."""

import threading
from collections.abc import Callable, Collection

import pytest
from typing_extensions import override

from alray.errors import StoreError
from alray.storage.local import LocalStorage
from alray.storage.write_batch import WriteBatch
from alray.studies.sweep.store import SweepStore
from tests.helpers.rows import read_back

ROWS = [{"run_id": "a", "round": 0}]


class Watched(LocalStorage):
    """Records each change instead of making it."""

    def __init__(self, before: Callable[[str], object] = lambda _: None) -> None:
        self.done: list[str] = []
        self._before = before

    @override
    def write(self, name: str, content: bytes) -> None:
        self._before(name)
        self.done.append(f"+{name}")

    @override
    def remove(self, names: Collection[str]) -> None:
        self.done += [f"-{name}" for name in names]


def test_a_runs_files_keep_their_order():
    storage = Watched()
    batch = WriteBatch(storage)
    for run in ("a.b", "a.c"):
        batch.write(f"queries/{run}.parquet", b"")
        batch.write(f"rounds/{run}.parquet", b"")
        batch.remove([f"checkpoints/{run}.safetensors"])
    assert storage.done == []
    batch.flush()
    for run in ("a.b", "a.c"):
        assert [name for name in storage.done if f"/{run}." in name] == [
            f"+queries/{run}.parquet",
            f"+rounds/{run}.parquet",
            f"-checkpoints/{run}.safetensors",
        ]
    batch.flush()
    assert len(storage.done) == 6


def test_runs_are_written_in_parallel():
    """Each waits for the other two before it is done."""
    barrier = threading.Barrier(3, timeout=20.0)
    storage = Watched(lambda _: barrier.wait())
    batch = WriteBatch(storage)
    for run in "abc":
        batch.write(f"rounds/x.{run}.parquet", b"")
    batch.flush()
    assert sorted(storage.done) == [f"+rounds/x.{run}.parquet" for run in "abc"]


@pytest.mark.parametrize("failing", ["a", "b", "c"])
def test_a_failed_write_stops_the_later_changes_of_its_run_and_no_others(failing):
    def fail(name: str) -> None:
        if name == f"queries/{failing}.parquet":
            raise StoreError(f"cannot write {name}")

    storage = Watched(fail)
    batch = WriteBatch(storage)
    for run in "abc":
        batch.write(f"queries/{run}.parquet", b"")
        batch.write(f"rounds/{run}.parquet", b"")
    with pytest.raises(StoreError, match=rf"cannot write queries/{failing}"):
        batch.flush()
    assert {name[-9] for name in storage.done} == set("abc") - {failing}
    assert len(storage.done) == 4


def test_large_batches_are_written_at_once():
    storage = Watched()
    batch = WriteBatch(storage, max_bytes=25)
    for number in range(5):
        batch.write(f"checkpoints/{number}.safetensors", bytes(10))
    assert sorted(storage.done) == [f"+checkpoints/{number}.safetensors" for number in range(3)]
    batch.flush()
    assert len(storage.done) == 5


def write_and_fail(store: SweepStore) -> None:
    with store.batch():
        store.write_checkpoint("b", b"state")
        store.remove_checkpoint("a")
        # The checkpoint that replaces it is not written yet either.
        assert store.read_checkpoint("a") == b"state"
        raise RuntimeError("a bug")


def test_a_store_writes_at_the_end_also_where_something_goes_wrong(tmp_path):
    with SweepStore(tmp_path / "study") as store:
        with store.batch():
            store.write_run("a", ROWS, ROWS)
            store.write_checkpoint("a", b"state")
            assert store.read_run("a") is None
        assert read_back(store, "a") == (ROWS, ROWS)
        assert store.read_checkpoint("a") == b"state"
        with pytest.raises(RuntimeError, match="a bug"):
            write_and_fail(store)
        assert store.checkpoints() == {"b"}
        store.write_checkpoint("c", b"state")
        assert store.checkpoints() == {"b", "c"}
