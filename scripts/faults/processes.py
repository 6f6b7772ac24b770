"""The processes of a node of `cluster/local/nodes`, as the machine sees them."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness.processes import command_line as command
from faults.journal import Process
from faults.witness import birth

PROCESSES = Path("/proc")


def inhabitants(first: int) -> Iterator[int]:
    """Yield the processes of the namespace of a node's first one."""
    space = _space(first)
    for folder in PROCESSES.glob("[0-9]*"):
        if space is not None and _space(int(folder.name)) == space:
            yield int(folder.name)


def named(first: int, beginning: str) -> list[int]:
    """Return a node's processes whose command begins so, in order."""
    return sorted(one for one in inhabitants(first) if command(one).startswith(beginning))


def running(first: int, program: str) -> list[int]:
    """Return a node's processes that run a program of this name, in order."""
    return sorted(
        one for one in inhabitants(first) if command(one).partition(" ")[0].endswith(f"/{program}")
    )


def identity(host: str, process: int) -> Process | None:
    """Return by what a process signs in the journal, None where it has ended."""
    try:
        status = (PROCESSES / str(process) / "status").read_text(encoding="utf-8")
        born = birth(process)
    except OSError:
        return None
    (numbers,) = [line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")]
    return host, int(numbers[-1]), born


def send(process: int, number: int = signal.SIGKILL) -> None:
    """Send a signal, by default that of `kill -9`, to a process that may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _space(process: int) -> int | None:
    try:
        return (PROCESSES / str(process) / "ns" / "pid").stat().st_ino
    except OSError:  # it has ended meanwhile
        return None
