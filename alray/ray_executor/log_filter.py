"""Keeps the lines that Ray's C++ side writes by itself off the terminal, but for those that end a program."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

LEVEL = "RAY_BACKEND_LOG_LEVEL"


@contextlib.contextmanager
def filtered_stderr() -> Iterator[None]:
    """Let what Ray starts in this process within the block write only what ends the process.

    Ray reads the level once, in `ray.init`, and announces it there on the standard error; until then it warns of every
    try to connect, and raises when it gives up. Such lines are filtered by a process of its own, so that everything
    else arrives even if this process crashes meanwhile. A level that the user has set is left alone.
    """
    if LEVEL in os.environ:
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with subprocess.Popen(
        ["grep", "-v", "--line-buffered", "-e", LEVEL, "-e", r"gcs_client\.cc"],
        stdin=subprocess.PIPE,
        stdout=kept,
    ) as sieve:
        assert sieve.stdin is not None
        os.dup2(sieve.stdin.fileno(), 2)
        os.environ[LEVEL] = "fatal"
        try:
            yield
        finally:
            del os.environ[LEVEL]
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
