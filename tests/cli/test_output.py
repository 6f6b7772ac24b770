"""Commands whose standard output or error cannot be written, or not any longer."""

import errno
import io
import os
import sys
from pathlib import Path

import pytest

from alray.cli import main
from alray.cli.output import LastingStream

SWEEP = (
    "sweep", "--executor", "inline", "--initial", "60", "--query", "5", "--rounds", "1", "--strategies", "random",
    "--seeds", "1", "--set", "training.passive_epochs=1",
)  # fmt: skip


def full():
    return Path("/dev/full").open("w", buffering=1, encoding="utf-8")


def unread():
    """Return a stream into a pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w", buffering=1, encoding="utf-8")


def memory():
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8")


BROKEN = {"full disk": full, "no reader": unread, "closed": lambda: None}


def run(monkeypatch, *words, stdout=memory, stderr=memory):
    """Run a command with these streams; return its exit code and what it has written to its standard error."""
    out, err = stdout(), stderr()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    try:
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words], prog_name="alray")
    finally:
        monkeypatch.undo()
    written = err.buffer.getvalue().decode() if stderr is memory else ""
    for stream in filter(None, (out, err)):
        stream.close()
    return end.value.code, written


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("broken", BROKEN)
def test_a_study_runs_to_its_end_without_a_display(pool, tmp_path, monkeypatch, stream, broken):
    streams = {stream: BROKEN[broken]}
    words = (*SWEEP, "--pool", pool, "--results", tmp_path)
    report = broken == "full disk"  # it takes a second each
    code, _ = run(monkeypatch, *words, *([] if report else ["--no-report"]), **streams)
    assert code == 0
    assert (tmp_path / "pool" / "summary.parquet").exists()
    assert (tmp_path / "pool" / "report.html").exists() == report


@pytest.mark.parametrize(
    ("broken", "code", "message"),
    [("full disk", 2, "error: standard output cannot be written: No space left on device\n"), ("no reader", 1, "")],
)  # fmt: skip
def test_output_that_is_all_that_a_command_gives_is_missed(
    pool, monkeypatch, broken, code, message
):
    found = run(monkeypatch, "pool", "describe", pool, stdout=BROKEN[broken])
    assert found == (code, message)


def test_what_others_write_to_a_lost_stream_is_dropped_too():
    """Ray's C++ side, and Python when it ends, write to the file descriptor."""
    with unread() as stream:
        lasting = LastingStream(stream)
        with pytest.raises(BrokenPipeError):
            os.write(stream.fileno(), b"x")
        assert lasting.write("a line\n") == len("a line\n")
        assert lasting.error is not None
        assert lasting.error.errno == errno.EPIPE
        assert os.write(stream.fileno(), b"x") == 1
