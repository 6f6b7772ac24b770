"""Changes that wait: a run's files in order, those of several runs side by side."""

import threading
from collections.abc import Callable, Collection

import pytest
from typing_extensions import override

from alray.errors import StoreError
from alray.storage import write_batch
from alray.storage.local import LocalStorage
from alray.storage.write_batch import Batch
from alray.studies.sweep.store import SweepStore
from tests.helpers.rows import read_back

ROWS = [{"run_id": "a", "round": 0}]


class Watched(LocalStorage):
    """Takes down what happens instead of doing it."""

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
    waiting = Batch(storage)
    for run in ("a.b", "a.c"):
        waiting.write(f"queries/{run}.parquet", b"")
        waiting.write(f"rounds/{run}.parquet", b"")
        waiting.remove([f"checkpoints/{run}.safetensors"])
    assert storage.done == []
    waiting.make()
    for run in ("a.b", "a.c"):
        assert [name for name in storage.done if f"/{run}." in name] == [
            f"+queries/{run}.parquet",
            f"+rounds/{run}.parquet",
            f"-checkpoints/{run}.safetensors",
        ]
    waiting.make()
    assert len(storage.done) == 6


def test_runs_are_written_side_by_side():
    """Each waits for the other two before it is done."""
    barrier = threading.Barrier(3, timeout=20.0)
    storage = Watched(lambda _: barrier.wait())
    waiting = Batch(storage)
    for run in "abc":
        waiting.write(f"rounds/x.{run}.parquet", b"")
    waiting.make()
    assert sorted(storage.done) == [f"+rounds/x.{run}.parquet" for run in "abc"]


@pytest.mark.parametrize("failing", ["a", "b", "c"])
def test_what_cannot_be_written_keeps_its_own_later_files_back_and_no_others(failing):
    def fail(name: str) -> None:
        if name == f"queries/{failing}.parquet":
            raise StoreError(f"cannot write {name}")

    storage = Watched(fail)
    waiting = Batch(storage)
    for run in "abc":
        waiting.write(f"queries/{run}.parquet", b"")
        waiting.write(f"rounds/{run}.parquet", b"")
    with pytest.raises(StoreError, match=rf"cannot write queries/{failing}"):
        waiting.make()
    assert {name[-9] for name in storage.done} == set("abc") - {failing}
    assert len(storage.done) == 4


def test_what_has_become_much_is_written_at_once(monkeypatch):
    monkeypatch.setattr(write_batch, "MOST_BYTES", 25)
    storage = Watched()
    waiting = Batch(storage)
    for number in range(5):
        waiting.write(f"checkpoints/{number}.safetensors", bytes(10))
    assert sorted(storage.done) == [f"+checkpoints/{number}.safetensors" for number in range(3)]
    waiting.make()
    assert len(storage.done) == 5


def write_and_fail(store: SweepStore) -> None:
    with store.batch():
        store.write_checkpoint("b", b"state")
        store.remove_checkpoint("a")
        # What would take its place is not written yet either.
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
