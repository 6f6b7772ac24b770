import errno
import fcntl
import os
import resource
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from alray.errors import StoreError
from alray.studies.sweep.records import ROUND_COLUMNS
from alray.studies.sweep.store import SweepStore
from tests.helpers.rows import ROWS, read_back


@pytest.fixture
def store(tmp_path):
    with SweepStore(tmp_path / "study") as store:
        yield store


def hidden(root: Path) -> list[str]:
    return [path.name for path in root.rglob(".*") if path.name != ".lock"]


def test_an_empty_folder_holds_no_study(store):
    assert not store.exists()
    assert not store.has_runs()
    assert not store.has_progress()
    assert store.read_manifest() == {}
    assert store.read_run("a") is None
    assert store.count_rounds("a") == 0
    assert store.read_rounds().columns.tolist() == list(ROUND_COLUMNS)


def test_rounds_of_runs_with_different_heads_make_one_frame(store):
    other = [{"run_id": "b", "round": 0, "sigma_image": 0.5}]
    store.write_run("a", ROWS, [])
    store.write_run("b", other, [])
    frame = store.read_rounds()
    assert frame["run_id"].tolist() == ["a", "a", "b"]
    assert frame["sigma_image"].isna().tolist() == [True, True, False]
    assert store.read_rounds(["b"])["run_id"].tolist() == ["b"]


def test_half_a_file_of_a_killed_writer_is_not_read_and_the_next_writer_removes_it(tmp_path):
    with SweepStore(tmp_path) as store:
        store.write_run("a", ROWS, [])
        (tmp_path / "rounds" / ".b.parquet.tmp").write_bytes(b"PAR1half")
        (tmp_path / ".runs.parquet.tmp").write_bytes(b"half")
        assert len(pd.read_parquet(tmp_path / "rounds")) == 2
        assert len(store.read_rounds()) == 2
    with SweepStore(tmp_path):
        assert hidden(tmp_path) == []


def test_queries_are_written_before_the_rounds_that_make_a_run_count_as_finished(
    store, monkeypatch
):
    written = []
    with monkeypatch.context() as patch:
        # What is below the store, an object store too, keeps the order of a run's files.
        patch.setattr(store, "_write", lambda name, content: written.append(name))
        store.write_run("a", ROWS, [])
    assert written == ["queries/a.parquet", "rounds/a.parquet"]
    store.write_run("a", ROWS, [])
    (store.root / "queries" / "a.parquet").unlink()
    assert store.count_rounds("a") == 0, "rounds without queries are no record"


def test_the_lock_ends_with_its_process_however_it_ends(tmp_path):
    script = (
        "import pathlib, sys; from alray.studies.sweep.store import SweepStore\n"
        "with SweepStore(pathlib.Path(sys.argv[1])): print('locked', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(StoreError, match="written by another alray"):
            SweepStore(tmp_path).__enter__()
        other.kill()
    with SweepStore(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write to .*choose another --results"):
        SweepStore(tmp_path / "file" / "study").__enter__()


def test_a_file_system_without_locks_is_refused(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(StoreError, match="No locks available"):
        SweepStore(tmp_path).__enter__()


def test_a_full_disk_leaves_the_old_file(store):
    """A file size limit makes real writes fail in the middle, as a full disk does."""
    store.write_run("a", ROWS, [])
    store.write_checkpoint("a", b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(StoreError, match=r"cannot write .*File too large.*stays valid"):
            store.write_checkpoint("a", bytes(1_000_000))
        with pytest.raises(StoreError, match=r"cannot write .*queries/a\.parquet.*stays valid"):
            store.write_run("a", ROWS, [])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert store.read_checkpoint("a") == b"old"
    assert read_back(store, "a") == (ROWS, [])
    assert hidden(store.root) == []


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "free disk space"),
        (errno.EROFS, "make it writable"),
        (errno.EIO, "check the disk"),
    ],
)
def test_an_error_comes_with_a_remedy(store, monkeypatch, number, remedy):
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(
        StoreError, match=rf"{os.strerror(number)}.*stays valid: {remedy} or choose"
    ):
        store.write_checkpoint("a", b"state")
    assert hidden(store.root) == []


def test_content_is_on_the_disk_before_the_name(store, monkeypatch):
    steps = []
    fsync, replace = os.fsync, Path.replace

    def flush(number):
        steps.append("flush")
        fsync(number)

    def rename(old, new):
        steps.append("rename")
        return replace(old, new)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(Path, "replace", rename)
    store.write_checkpoint("a", b"state")
    assert steps == ["flush", "rename"]


@pytest.mark.parametrize(
    ("name", "content", "read", "message"),
    [
        ("study.yaml", b"\xff{half", SweepStore.read_study, "cannot be read"),
        ("study.yaml", b"- 1\n", SweepStore.read_study, "holds no settings"),
        ("manifest.json", b"\xff{half", SweepStore.read_manifest, "cannot be read"),
        ("runs.parquet", b"\xff{half", SweepStore.read_runs, "cannot be read"),
        ("rounds/a.parquet", b"half", lambda store: store.count_rounds("a"), "cannot be read"),
        ("rounds/a.parquet", b"half", SweepStore.read_rounds, "cannot be read"),
        ("queries/a.parquet", b"half", lambda store: store.read_run("a"), "cannot be read"),
        ("summary.parquet", None, SweepStore.read_summary, "does not exist"),
        (
            "checkpoints/a.safetensors",
            None,
            lambda store: store.read_checkpoint("a"),
            "cannot be read",
        ),
    ],
)
def test_a_damaged_or_missing_file_is_named(store, name, content, read, message):
    store.write_run("a", ROWS, [])
    if content is not None:
        (store.root / name).write_bytes(content)
    with pytest.raises(StoreError) as caught:
        read(store)
    assert f"{store.root / name} {message}" in str(caught.value)
