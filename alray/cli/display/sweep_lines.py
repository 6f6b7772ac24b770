"""Progress where there is no terminal: a plain line per event, and one from time to time where nothing happens."""

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
    failed_run,
    headline,
    loss,
    move,
    rounds_left,
)
from alray.studies.retries import Failure
from alray.studies.sweep.jobs import Job
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.progress import RunProgress

QUIET_SECONDS = 30.0
"""After so long without a line, one says how far the study is."""


class LineDisplay(Observer):
    """Writes lines to the console."""

    def __init__(self, console: Console, starting: str) -> None:
        self._console = console
        self._starting = starting
        self._begin = self._last = time.monotonic()
        self._runs = self._finished = 0
        self._rounds = self._rounds_done = 0
        self._accuracy: dict[str, Mapping[str, Any]] = {}
        self._placement = Placement()

    @override
    def begin(self, plan: Plan, runs: Mapping[str, RunProgress]) -> None:
        self._begin = time.monotonic()
        for line in headline(plan):
            self._say(line)
        self._runs = len(runs)
        self._finished = sum(run.finished for run in runs.values())
        self._rounds = rounds_left(runs.values())
        if self._finished:
            self._say(f"{count(self._finished, 'run')} finished before")
        if self._finished < self._runs:
            self._say(self._starting)

    @override
    def started(self, job: Job, host: str) -> None:
        self._placement.started(job, host)

    @override
    def progressed(self, name: str, run: RunProgress | None, record: Mapping[str, Any]) -> None:
        self._accuracy[name] = record
        self._rounds_done += run is not None

    @override
    def ended(self, name: str, run: RunProgress | None) -> None:
        self._placement.ended(name)
        record = self._accuracy.pop(name, {})
        if run is None:
            self._say(f"passive phase done, accuracy {share(record.get('accuracy'))}")
            return
        self._finished += 1
        host = self._placement.shown(run.host)
        self._say(
            f"[{self._finished}/{self._runs}] {run.run.arm}, seed {run.run.seed}: accuracy "
            f"{share(record.get('accuracy'))} at {record.get('labels', 0):,} labels, {duration(run.seconds)}"
            + (f", {host}" if host else "")
        )

    @override
    def failed(self, run: RunProgress) -> None:
        self._placement.ended(run.status.run_id)
        self._say(failed_run(run))

    @override
    def lost(self, job: Job, failure: Failure, resumes_after: int | None) -> None:
        self._placement.ended(job.name)
        self._say(loss(job, failure, resumes_after))

    @override
    def moved(self, job: Job, failure: Failure) -> None:
        self._placement.ended(job.name)
        self._say(move(job, failure))

    @override
    def notice(self, text: str) -> None:
        self._say(text)

    @override
    def tick(self) -> None:
        if time.monotonic() - self._last < QUIET_SECONDS:
            return
        took = time.monotonic() - self._begin
        left = ""
        if self._rounds_done:
            remaining = took / self._rounds_done * (self._rounds - self._rounds_done)
            left = f", about {duration(remaining)} left"
        if running := self._placement.counts():
            left += f"; running: {running}"
        self._say(f"{self._rounds_done:,}/{self._rounds:,} rounds in {duration(took)}{left}")

    def _say(self, text: str) -> None:
        self._last = time.monotonic()
        self._console.print(Text(text), soft_wrap=True)
