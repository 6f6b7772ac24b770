"""A study that is running: the commands started so far, and its progress as seen from outside."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alray.studies.sweep.plan import Plan
from alray.studies.sweep.results import Sweep
from benchmarks.harness.programs import ROOT
from chaos_study.cluster import Cluster, Command
from chaos_study.disk import Disk
from chaos_study.journal import Journal, Run
from chaos_study.processes import Process, identity
from chaos_study.study import NAME, Files

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Setup:
    """Everything that all studies share; their results go to the disk, all other files to the folder `work`."""

    cluster: Cluster
    disk: Disk
    journal: Journal
    work: Path
    plan: Plan
    undisturbed: Sweep


class RunningStudy:
    """A study on the cluster; the folder `work` holds its settings, and takes the output of commands."""

    def __init__(self, setup: Setup, work: Path) -> None:
        self.cluster, self.disk, self.journal = setup.cluster, setup.disk, setup.journal
        self.begin = time.monotonic()
        self.results = setup.disk.path / work.name
        self.folder = self.results / NAME
        self.files = Files(self.folder, setup.plan)
        self._work = work
        self._commands: list[Command] = []

    @property
    def command(self) -> Command:
        """The command started last."""
        return self._commands[-1]

    def start_command(self) -> None:
        """Start the command, always the same."""
        alray = str(ROOT / ".venv" / "bin" / "alray")
        words = [alray, "sweep", str(self._work / "study.yaml"), "--results", str(self.results)]
        words += ["--address", self.cluster.address, "--no-report"]
        log = self._work / f"command-{len(self._commands) + 1}"
        self._commands.append(Command(self.cluster, words, log))

    def error_lines(self) -> list[str]:
        """Return the lines of all commands' standard error."""
        return [line for command in self._commands for line in command.error_lines()]

    def runs_on(self, node: int) -> dict[Run, Process]:
        """Return the unfinished runs of a node, and the process of each."""
        there = {identity(f"node{node}", one) for one in self.cluster.workers(node)}
        last = {entry.run: entry.process for entry in self.journal.since(self.begin)}
        return {
            run: process
            for run, process in last.items()
            if process in there and not self.files.finished(run)
        }

    def first_round(self, since: float, strangers_to: frozenset[Process]) -> float | None:
        """Return when a process that is none of these first began a round after a moment, if one did."""
        entries = self.journal.since(since)
        times = [entry.time for entry in entries if entry.process not in strangers_to]
        return min(times, default=None)

    def processes(self) -> frozenset[Process]:
        """Return all processes that have begun a round up to now."""
        return frozenset(entry.process for entry in self.journal.since(self.begin))

    def wait_until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Wait until this holds or the command has ended; return whether it does in the end."""
        deadline = time.monotonic() + seconds
        while not (found := holds()) and time.monotonic() < deadline:
            if self.command.exit_code is not None:
                return holds()
            time.sleep(POLL_SECONDS)
        return found

    def await_end(self, seconds: float) -> int | None:
        """Wait until the command has ended, and return its exit code, None where it has not."""
        self.wait_until(lambda: False, seconds)
        return self.command.exit_code
