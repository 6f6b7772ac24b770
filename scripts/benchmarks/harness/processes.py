"""Processes and their memory, according to Linux."""

from collections.abc import Iterator
from pathlib import Path

from alray.ray_executor.actor import RunActor

PROCESSES = Path("/proc")
MEGABYTE = 1e6

WORKER = f"ray::{RunActor.__name__}"
"""How the command line of a process that runs alray's runs begins."""


def stat_fields(process: int | str) -> list[str]:
    """Return the fields of a process's `stat` from its state on: the second is the parent, the twentieth the start."""
    text = (PROCESSES / str(process) / "stat").read_text(encoding="utf-8", errors="replace")
    # The command's name stands in brackets before them and may hold anything.
    return text.rpartition(")")[2].split()


def command_line(process: int) -> str:
    """Return a process's command line, empty where it has ended."""
    try:
        raw = (PROCESSES / str(process) / "cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace")


def descendants(root: int) -> Iterator[int]:
    """Yield the processes that this one has started, and those that they have started."""
    parents: dict[int, int] = {}
    for folder in PROCESSES.glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(stat_fields(folder.name)[1])
        except OSError:  # it has ended meanwhile
            continue
    for process in parents:
        above = process
        while above in parents and above != root:
            above = parents[above]
        if above == root and process != root:
            yield process


def proportional(process: int | str = "self") -> dict[str, float]:
    """Return the megabytes of smaps_rollup; `Pss` divides shared pages by the processes that map them."""
    rollup = PROCESSES / str(process) / "smaps_rollup"
    lines = rollup.read_text(encoding="utf-8").splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) * 1024 / MEGABYTE for line in lines}


def resident(process: int | str = "self") -> dict[str, float]:
    """Return the megabytes in memory now (`VmRSS`), at most so far (`VmHWM`), and of all addresses (`VmSize`)."""
    lines = (PROCESSES / str(process) / "status").read_text(encoding="utf-8").splitlines()
    words = {line.split(":")[0]: line.split()[1:] for line in lines}
    return {key: int(words[key][0]) * 1024 / MEGABYTE for key in ("VmRSS", "VmHWM", "VmSize")}


def reset_peak() -> None:
    """Let this process's `VmHWM` begin anew from its memory now."""
    (PROCESSES / "self" / "clear_refs").write_text("5", encoding="utf-8")
