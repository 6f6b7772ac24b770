"""Progress while a study runs: a bar above what is running on a terminal, plain lines elsewhere."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text
from typing_extensions import override

from alray.analysis.wording import count
from alray.cli.display.phrases import duration
from alray.studies.events import Failure
from alray.studies.executor import NamedJob
from alray.studies.observer import StudyObserver

QUIET_SECONDS = 30.0
"""After so long without a plain line, one says how far the study is."""


class Display(StudyObserver[NamedJob], ABC):
    """What both kinds of study show; the text `starting` stands below the bar until the first job runs."""

    unit: str
    """What the bar counts."""

    def __init__(
        self, console: Console, starting: str, *, quiet_seconds: float = QUIET_SECONDS
    ) -> None:
        self._console = console
        self._starting = starting
        self._quiet_seconds = quiet_seconds
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(compact=True),
            console=console,
            expand=True,
        )
        self._live: Live | None = None
        self._begun = self._last_line = time.monotonic()
        self._total = self._done = self._done_before = 0
        self._hosts: set[str] = set()

    def _open(self, headline: Sequence[str], *, total: int, done: int, before: str) -> None:
        """Print what the study is, and show the bar if any of its `total` units of work is left.

        `before` says in words what was done before, "" for nothing.
        """
        self._begun = time.monotonic()
        self._total, self._done, self._done_before = total, done, done
        for line in [*headline, *([before] if before else [])]:
            self._say(line)
        if done == total:
            return
        if not self._console.is_terminal:
            self._say(self._starting)
            return
        self._bar.add_task(self._state(), total=total, completed=done)
        self._live = Live(
            get_renderable=self._draw, console=self._console, refresh_per_second=4, transient=True
        )
        self._live.start()

    @abstractmethod
    def _state(self) -> str:
        """Return how much is done of how much."""

    @abstractmethod
    def _current(self) -> RenderableType | None:
        """Return what the terminal shows below the bar, None before the first job."""

    def _running(self) -> str:
        """Return how many jobs run where, "" where that needs no words."""
        return ""

    @override
    def lost(self, job: NamedJob, failure: Failure, resumes_after: int | None) -> None:
        again = "is given up" if resumes_after is None else "starts again"
        if resumes_after is not None and resumes_after > 0:
            again += f" after round {resumes_after}"
        reason = failure.reason.rstrip(".")
        self._say(f"{_where(failure)}worker died ({reason}); {job.title} {again}", "yellow")

    @override
    def moved(self, job: NamedJob, failure: Failure) -> None:
        self._say(
            f"{_where(failure)}{failure.reason}; {job.title} is tried on another node", "yellow"
        )

    @override
    def notice(self, text: str) -> None:
        self._say(text, "yellow")

    @override
    def tick(self) -> None:
        quiet = time.monotonic() - self._last_line
        if self._live is not None or quiet < self._quiet_seconds:
            return
        took = time.monotonic() - self._begun
        left = ""
        if done := self._done - self._done_before:
            left = f", about {duration(took / done * (self._total - self._done))} left"
        if running := self._running():
            left += f"; running: {running}"
        self._say(f"{self._done:,}/{count(self._total, self.unit)} in {duration(took)}{left}")

    @override
    def end(self) -> None:
        if self._live is not None:
            self._live.stop()
        if self._done > self._done_before:
            self._say(f"{self._state()} in {duration(time.monotonic() - self._begun)}")

    def _on(self, host: str) -> str:
        """Return a host as the end of a line, once there is more than one."""
        return f", {host}" if host and len(self._hosts) > 1 else ""

    def _say(self, text: str, style: str = "") -> None:
        self._last_line = time.monotonic()
        self._console.print(Text(text, style=style), soft_wrap=True)

    def _draw(self) -> RenderableType:
        for task in self._bar.tasks:
            self._bar.update(task.id, description=self._state(), completed=self._done)
        return Group(self._bar, self._current() or Text(f"  {self._starting}", style="dim"))


def _where(failure: Failure) -> str:
    return f"{failure.host}: " if failure.host else ""
