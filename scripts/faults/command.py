"""The command that people type, on the first node; what it writes is read along and kept."""

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from faults import processes
from faults.cluster import SCRIPT, Cluster

KILLED = 137
"""What a shell says of a command that was ended by `kill -9`."""


class Command:
    """A command that was typed.

    Args:
        cluster: Where.
        words: The command.
        log: Beginning of the names of the two files that take what it writes.
    """

    def __init__(self, cluster: Cluster, words: Sequence[str], log: Path) -> None:
        self._cluster = cluster
        self._errors = log.with_suffix(".err")
        self._mark = " ".join(words[1:])
        with log.with_suffix(".out").open("wb") as output, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [SCRIPT, "exec", "0", "--", *words],
                env=cluster.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            )

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def said(self) -> list[str]:
        """Return the whole lines of its standard error up to now, but not the shell's word on how it ended."""
        text = self._errors.read_text(encoding="utf-8", errors="replace")
        lines = text[: text.rfind("\n") + 1].splitlines()
        return [line for line in lines if line.strip() and not line.startswith(f"{SCRIPT}: line ")]

    def interrupt(self) -> None:
        """Do as Ctrl-C does."""
        for process in self._cluster.drivers(self._mark):
            processes.send(process, signal.SIGINT)

    def kill(self) -> None:
        """Do as `kill -9` does."""
        for process in self._cluster.drivers(self._mark):
            processes.send(process, signal.SIGKILL)
