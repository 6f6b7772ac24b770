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
    failure,
    headline,
    loss,
    move,
    progress_bar,
    rounds_left,
)
from alray.studies.retries import Failure
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.schedule import Assignment, RunStatus


class LiveDisplay(Observer):
    """Draws on the console until the study ends."""

    def __init__(self, console: Console, starting: str) -> None:
        self._console = console
        self._starting = starting
        self._bar = progress_bar(console)
        self._task: TaskID | None = None
        self._live: Live | None = None
        self._running: dict[str, tuple[Assignment, Mapping[str, Any]]] = {}
        self._places = Placement()
        self._runs = 0
        self._finished = 0
        self._begin = 0.0

    @override
    def begin(self, plan: Plan, statuses: Mapping[str, RunStatus]) -> None:
        self._begin = time.monotonic()
        for line in headline(plan):
            self._console.print(line, highlight=False)
        self._runs = len(statuses)
        self._finished = sum(status.status == "finished" for status in statuses.values())
        if self._finished:
            self._console.print(f"{count(self._finished, 'run')} finished before", highlight=False)
        if self._finished == self._runs:
            return
        self._task = self._bar.add_task(self._state(), total=rounds_left(statuses.values()))
        self._live = Live(
            get_renderable=self._draw, console=self._console, refresh_per_second=4, transient=True
        )
        self._live.start()

    @override
    def started(self, assignment: Assignment) -> None:
        self._running[assignment.name] = (assignment, {})
        self._places.started(assignment)

    @override
    def progressed(self, name: str, status: RunStatus | None, record: Mapping[str, Any]) -> None:
        if name in self._running:
            self._running[name] = (self._running[name][0], record)
        if status is not None and self._task is not None:
            self._bar.advance(self._task)

    @override
    def ended(self, name: str, status: RunStatus | None) -> None:
        self._running.pop(name, None)
        self._finished += status is not None

    @override
    def failed(self, status: RunStatus) -> None:
        self._running.pop(status.run_id, None)
        self._say(failure(status), "red")

    @override
    def lost(self, assignment: Assignment, failure: Failure, kept: int | None) -> None:
        self._running.pop(assignment.name, None)
        self._say(loss(assignment, failure, kept), "yellow")

    @override
    def moved(self, assignment: Assignment, failure: Failure) -> None:
        self._running.pop(assignment.name, None)
        self._say(move(failure.host, failure.reason, assignment.title), "yellow")

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
        for assignment, record in self._running.values():
            table.add_row(*_line(assignment, record), self._places.of(assignment.host))
        return Group(self._bar, table)


def _line(assignment: Assignment, record: Mapping[str, Any]) -> tuple[str, str, str, str]:
    run = assignment.run
    passive = assignment.start_from is None
    name = "passive phase" if passive else run.arm
    if not record:
        return f"  {name}", f"seed {run.seed}", "", ""
    return (
        f"  {name}",
        f"seed {run.seed}",
        f"round {record['round']}/{assignment.until}",
        f"accuracy {share(record['accuracy'])}",
    )
