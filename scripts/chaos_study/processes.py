"""The processes of a node of `cluster/local/nodes`, as the machine sees them."""

import contextlib
import os
import signal
from collections.abc import Iterator

from benchmarks.harness.processes import PROCESSES, command_line, stat_fields

Process = tuple[str, int, int]
"""Host, number of the process there, and when it began, in ticks: numbers are used again on a new node."""


def processes_of(first: int) -> Iterator[int]:
    """Yield the processes of the namespace of a node's first one."""
    namespace = _namespace(first)
    for folder in PROCESSES.glob("[0-9]*"):
        if namespace is not None and _namespace(int(folder.name)) == namespace:
            yield int(folder.name)


def commands(first: int) -> dict[int, str]:
    """Return the command lines of a node's processes, by their numbers in order."""
    return {one: command_line(one) for one in sorted(processes_of(first))}


def birth(process: int | str = "self") -> int:
    """Return when a process began, in ticks of the machine."""
    return int(stat_fields(process)[19])


def identity(host: str, process: int) -> Process | None:
    """Return how a process is known in the journal, None where it has ended."""
    try:
        status = (PROCESSES / str(process) / "status").read_text(encoding="utf-8")
        began = birth(process)
    except OSError:
        return None
    (numbers,) = [line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")]
    return host, int(numbers[-1]), began


def send(process: int, number: int = signal.SIGKILL) -> None:
    """Send a signal, by default that of `kill -9`, to a process that may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _namespace(process: int) -> int | None:
    try:
        return (PROCESSES / str(process) / "ns" / "pid").stat().st_ino
    except OSError:  # it has ended meanwhile
        return None
