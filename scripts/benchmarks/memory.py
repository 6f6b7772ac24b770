"""What memory processes hold, as Linux tells it."""

from collections.abc import Iterator
from pathlib import Path

MEGABYTE = 1e6
PROCESSES = Path("/proc")


def proportional(process: int | str = "self") -> dict[str, float]:
    """Return the megabytes of smaps_rollup; `Pss` divides shared pages by the processes that map them."""
    rollup = PROCESSES / str(process) / "smaps_rollup"
    lines = rollup.read_text(encoding="utf-8").splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) * 1024 / MEGABYTE for line in lines}


def resident(process: int | str = "self") -> dict[str, float]:
    """Return the megabytes in memory now (`VmRSS`) and at most so far (`VmHWM`)."""
    lines = (PROCESSES / str(process) / "status").read_text(encoding="utf-8").splitlines()
    words = {line.split(":")[0]: line.split()[1:] for line in lines}
    return {key: int(words[key][0]) * 1024 / MEGABYTE for key in ("VmRSS", "VmHWM")}


def forget_peak() -> None:
    """Let this process's `VmHWM` begin anew from what it holds now."""
    (PROCESSES / "self" / "clear_refs").write_text("5", encoding="utf-8")


def descendants(root: int) -> Iterator[int]:
    """Yield the processes below this one."""
    parents: dict[int, int] = {}
    for folder in PROCESSES.glob("[0-9]*"):
        try:
            # The command's name stands in brackets and may hold anything; the parent is the second word after it.
            after = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        parents[int(folder.name)] = int(after[1])
    for process in parents:
        above = process
        while above in parents and above != root:
            above = parents[above]
        if above == root and process != root:
            yield process


def command(process: int) -> str:
    """Return a process's command line, empty where it has ended."""
    try:
        raw = (PROCESSES / str(process) / "cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace")
