"""Where a study is being played: the cluster, the disk, the commands typed so far, and what is known from outside."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from faults.cluster import ROOT, Cluster
from faults.command import Command
from faults.disk import Disk
from faults.journal import Journal, Process, Run, latest
from faults.processes import identity
from faults.study import NAME, Files

LOOK_SECONDS = 0.1


class Scene:
    """A study and everything around it.

    Args:
        cluster: The nodes.
        disk: Where results go.
        journal: What the workers take down.
        work: Folder with the settings; takes what commands write.
        plan: The study's plan.

    Attributes:
        begin: When it began.
        folder: The study's folder.
    """

    def __init__(
        self, cluster: Cluster, disk: Disk, journal: Journal, work: Path, plan: object
    ) -> None:
        self.cluster, self.disk, self.journal = cluster, disk, journal
        self.begin = time.monotonic()
        self.results = disk.place / work.name
        self.folder = self.results / NAME
        self.files = Files(self.folder, plan)
        self._work = work
        self._commands: list[Command] = []

    @property
    def command(self) -> Command:
        """The command typed last."""
        return self._commands[-1]

    def type(self) -> None:
        """Type the command, always the same."""
        alray = str(ROOT / ".venv" / "bin" / "alray")
        words = [alray, "sweep", str(self._work / "study.yaml"), "--results", str(self.results)]
        words += ["--address", self.cluster.address, "--no-report"]
        log = self._work / f"command-{len(self._commands) + 1}"
        self._commands.append(Command(self.cluster, words, log))

    def said(self) -> list[str]:
        """Return the lines of all commands' standard error."""
        return [line for command in self._commands for line in command.said()]

    def playing(self, node: int) -> dict[Run, Process]:
        """Return the unfinished runs that are played on a node, and by which process."""
        there = {identity(f"node{node}", one) for one in self.cluster.players(node)}
        return {
            run: entry.process
            for run, entry in latest(self.journal.since(self.begin)).items()
            if entry.process in there and not self.files.finished(run)
        }

    def plays_on(self, since: float, strangers_to: frozenset[Process]) -> float | None:
        """Return when a process that is none of these began a round, if one has since then."""
        entries = self.journal.since(since)
        times = [entry.time for entry in entries if entry.process not in strangers_to]
        return min(times, default=None)

    def processes(self) -> frozenset[Process]:
        """Return all processes that have played up to now."""
        return frozenset(entry.process for entry in self.journal.since(self.begin))

    def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Wait until this holds or the command has ended; return whether it does in the end."""
        deadline = time.monotonic() + seconds
        while not (found := holds()) and time.monotonic() < deadline:
            if self.command.exit_code is not None:
                return holds()
            time.sleep(LOOK_SECONDS)
        return found

    def await_end(self, seconds: float) -> int | None:
        """Wait until the command has ended, and return its exit code, None where it has not."""
        self.until(lambda: False, seconds)
        return self.command.exit_code

    def all_done(self, runs: Mapping[Run, object], went_on: Mapping[Run, float]) -> bool:
        """Whether each of these runs has been played on or is finished."""
        return all(run in went_on or self.files.finished(run) for run in runs)
