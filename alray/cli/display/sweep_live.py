"""Progress on a terminal: a bar with the time left, a line per run in progress, failures at once."""

import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import TaskID
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from alray.analysis.wording import share
from alray.cli.display.phrases import (
    Placement,
    count,
    duration,
    failed_run,
    headline,
    loss,
    move,
    progress_bar,
    rounds_left,
)
from alray.studies.retries import Failure
from alray.studies.sweep.jobs import Job
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.progress import RunProgress


class LiveDisplay(Observer):
    """Draws on the console until the study ends."""

    def __init__(self, console: Console, starting: str) -> None:
        self._console = console
        self._starting = starting
        self._bar = progress_bar(console)
        self._task: TaskID | None = None
        self._live: Live | None = None
        self._running: dict[str, tuple[Job, Mapping[str, Any]]] = {}
        self._placement = Placement()
        self._runs = 0
        self._finished = 0
        self._begin = 0.0

    @override
    def begin(self, plan: Plan, runs: Mapping[str, RunProgress]) -> None:
        self._begin = time.monotonic()
        for line in headline(plan):
            self._console.print(line, highlight=False)
        self._runs = len(runs)
        self._finished = sum(run.finished for run in runs.values())
        if self._finished:
            self._console.print(f"{count(self._finished, 'run')} finished before", highlight=False)
        if self._finished == self._runs:
            return
        self._task = self._bar.add_task(self._state(), total=rounds_left(runs.values()))
        self._live = Live(
            get_renderable=self._draw, console=self._console, refresh_per_second=4, transient=True
        )
        self._live.start()

    @override
    def started(self, job: Job, host: str) -> None:
        self._running[job.name] = (job, {})
        self._placement.started(job, host)

    @override
    def progressed(self, name: str, run: RunProgress | None, record: Mapping[str, Any]) -> None:
        if name in self._running:
            self._running[name] = (self._running[name][0], record)
        if run is not None and self._task is not None:
            self._bar.advance(self._task)

    @override
    def ended(self, name: str, run: RunProgress | None) -> None:
        self._running.pop(name, None)
        self._finished += run is not None

    @override
    def failed(self, run: RunProgress) -> None:
        self._running.pop(run.status.run_id, None)
        self._say(failed_run(run), "red")

    @override
    def lost(self, job: Job, failure: Failure, resumes_after: int | None) -> None:
        self._running.pop(job.name, None)
        self._say(loss(job, failure, resumes_after), "yellow")

    @override
    def moved(self, job: Job, failure: Failure) -> None:
        self._running.pop(job.name, None)
        self._say(move(job, failure), "yellow")

    @override
    def notice(self, text: str) -> None:
        self._say(text, "yellow")

    @override
    def end(self) -> None:
        if self._live is not None:
            self._live.stop()
            took = duration(time.monotonic() - self._begin)
            self._console.print(f"{self._state()} in {took}", highlight=False)

    def _state(self) -> str:
        return f"{self._finished}/{count(self._runs, 'run')}"

    def _say(self, text: str, style: str) -> None:
        self._console.print(Text(text, style=style))

    def _draw(self) -> RenderableType:
        if self._task is not None:
            self._bar.update(self._task, description=self._state())
        if not self._running:
            return Group(self._bar, Text(f"  {self._starting}", style="dim"))
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(no_wrap=True, ratio=1)
        for _ in range(4):
            table.add_column(no_wrap=True, justify="right")
        for job, record in self._running.values():
            table.add_row(*_line(job, record), self._placement.of(job.name))
        return Group(self._bar, table)


def _line(job: Job, record: Mapping[str, Any]) -> tuple[str, str, str, str]:
    run = job.run
    passive = job.start_from is None
    name = "passive phase" if passive else run.arm
    if not record:
        return f"  {name}", f"seed {run.seed}", "", ""
    return (
        f"  {name}",
        f"seed {run.seed}",
        f"round {record['round']}/{job.until}",
        f"accuracy {share(record['accuracy'])}",
    )
