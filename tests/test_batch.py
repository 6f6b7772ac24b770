"""Changes that wait: a run's files in order, those of several runs side by side."""

import threading
from collections.abc import Callable, Collection

import pyarrow as pa
import pytest
from typing_extensions import override

from alray.errors import StoreError
from alray.storage.batch import Batch
from alray.storage.local import LocalStorage
from alray.store import Store

ROWS = pa.table({"run_id": ["a"], "round": [0]})


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
    batch = Batch(storage)
    for run in ("a", "b"):
        batch.write(f"queries/{run}.parquet", b"")
        batch.write(f"rounds/{run}.parquet", b"")
        batch.remove([f"checkpoints/{run}.safetensors"])
    assert storage.done == []
    batch.make()
    for run in ("a", "b"):
        assert [name for name in storage.done if f"/{run}." in name] == [
            f"+queries/{run}.parquet",
            f"+rounds/{run}.parquet",
            f"-checkpoints/{run}.safetensors",
        ]
    batch.make()
    assert len(storage.done) == 6


def test_runs_are_written_side_by_side():
    """Each waits for the other two before it is done."""
    barrier = threading.Barrier(3, timeout=20.0)
    storage = Watched(lambda _: barrier.wait())
    batch = Batch(storage)
    for run in "abc":
        batch.write(f"rounds/{run}.parquet", b"")
    batch.make()
    assert sorted(storage.done) == [f"+rounds/{run}.parquet" for run in "abc"]


@pytest.mark.parametrize("failing", ["a", "b", "c"])
def test_what_cannot_be_written_keeps_its_own_later_files_back_and_no_others(failing):
    def fail(name: str) -> None:
        if name == f"queries/{failing}.parquet":
            raise StoreError(f"cannot write {name}")

    storage = Watched(fail)
    batch = Batch(storage)
    for run in "abc":
        batch.write(f"queries/{run}.parquet", b"")
        batch.write(f"rounds/{run}.parquet", b"")
    with pytest.raises(StoreError, match=rf"cannot write queries/{failing}"):
        batch.make()
    assert {name[-9] for name in storage.done} == set("abc") - {failing}
    assert len(storage.done) == 4


def write_and_fail(store: Store) -> None:
    with store.together():
        store.write_checkpoint("b", b"state")
        store.remove_checkpoint("a")
        raise RuntimeError("a bug")


def test_a_store_writes_at_the_end_also_where_something_goes_wrong(tmp_path):
    with Store(tmp_path / "study") as store:
        with store.together():
            store.write_run("a", ROWS, ROWS)
            store.write_checkpoint("a", b"state")
            assert store.read_run("a") is None
        assert store.read_run("a") == (ROWS, ROWS)
        assert store.read_checkpoint("a") == b"state"
        with pytest.raises(RuntimeError, match="a bug"):
            write_and_fail(store)
        assert store.checkpoints() == {"b"}
        store.write_checkpoint("c", b"state")
        assert store.checkpoints() == {"b", "c"}
