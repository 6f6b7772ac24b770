"""Progress where no terminal is: a plain line per event, and a sign of life when nothing else was said."""

import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
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
    rounds_left,
)
from alray.studies.retries import Failure
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.schedule import Assignment, RunStatus

SILENCE_SECONDS = 30.0


class LineDisplay(Observer):
    """Writes lines to the console."""

    def __init__(self, console: Console, starting: str) -> None:
        self._console = console
        self._starting = starting
        self._begin = self._last = time.monotonic()
        self._runs = self._finished = 0
        self._rounds = self._rounds_done = 0
        self._accuracy: dict[str, Mapping[str, Any]] = {}
        self._places = Placement()

    @override
    def begin(self, plan: Plan, statuses: Mapping[str, RunStatus]) -> None:
        self._begin = time.monotonic()
        for line in headline(plan):
            self._say(line)
        self._runs = len(statuses)
        self._finished = sum(status.status == "finished" for status in statuses.values())
        self._rounds = rounds_left(statuses.values())
        if self._finished:
            self._say(f"{count(self._finished, 'run')} finished before")
        if self._finished < self._runs:
            self._say(self._starting)

    @override
    def started(self, assignment: Assignment) -> None:
        self._places.started(assignment)

    @override
    def progressed(self, name: str, status: RunStatus | None, record: Mapping[str, Any]) -> None:
        self._accuracy[name] = record
        self._rounds_done += status is not None

    @override
    def ended(self, name: str, status: RunStatus | None) -> None:
        self._places.ended(name)
        record = self._accuracy.pop(name, {})
        if status is None:
            self._say(f"passive phase done, accuracy {share(record.get('accuracy'))}")
            return
        self._finished += 1
        host = self._places.of(status.host)
        self._say(
            f"[{self._finished}/{self._runs}] {status.run.arm}, seed {status.run.seed}: accuracy "
            f"{share(record.get('accuracy'))} at {record.get('labels', 0):,} labels, {duration(status.seconds)}"
            + (f", {host}" if host else "")
        )

    @override
    def failed(self, status: RunStatus) -> None:
        self._places.ended(status.run_id)
        self._say(failure(status))

    @override
    def lost(self, assignment: Assignment, failure: Failure, kept: int | None) -> None:
        self._places.ended(assignment.name)
        self._say(loss(assignment, failure, kept))

    @override
    def moved(self, assignment: Assignment, failure: Failure) -> None:
        self._places.ended(assignment.name)
        self._say(move(failure.host, failure.reason, assignment.title))

    @override
    def notice(self, text: str) -> None:
        self._say(text)

    @override
    def tick(self) -> None:
        if time.monotonic() - self._last < SILENCE_SECONDS:
            return
        took = time.monotonic() - self._begin
        left = ""
        if self._rounds_done:
            remaining = took / self._rounds_done * (self._rounds - self._rounds_done)
            left = f", about {duration(remaining)} left"
        if playing := self._places.counts():
            left += f"; playing: {playing}"
        self._say(f"{self._rounds_done:,}/{self._rounds:,} rounds in {duration(took)}{left}")

    def _say(self, text: str) -> None:
        self._last = time.monotonic()
        self._console.print(Text(text), soft_wrap=True)
