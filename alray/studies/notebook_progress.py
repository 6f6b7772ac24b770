"""Progress of a study in a notebook: a bar that is drawn again, and a line for each failure below it."""

import math
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from markupsafe import escape
from typing_extensions import override

from alray.analysis.wording import count, share
from alray.studies.choosing.observer import ChoosingObserver
from alray.studies.choosing.part_worker import PartDone
from alray.studies.choosing.work import Choosing
from alray.studies.correlation.observer import CorrelationObserver
from alray.studies.correlation.plan import CorrelationPlan
from alray.studies.correlation.tasks import FineTune, Task
from alray.studies.events import Failure
from alray.studies.manifest import CORRELATION, SWEEP
from alray.studies.observer import StudyObserver
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.status import RunStatus

REDRAW_SECONDS = 0.5


def in_notebook() -> bool:
    """Whether this program is a notebook's kernel."""
    if "IPython" not in sys.modules:
        return False
    shell = import_module("IPython").get_ipython()
    return shell is not None and hasattr(shell, "kernel")


class NotebookProgress(StudyObserver[Any]):
    """What both kinds of study show."""

    unit: str
    """What the bar counts."""

    def __init__(self) -> None:
        self._title = self._last = ""
        self._lines: list[str] = []
        self._total = self._done = 0
        self._begun = self._drawn = time.monotonic()
        self._handle: Any = None

    def _open(self, title: str, total: int, done: int) -> None:
        self._title, self._total, self._done = title, total, done
        self._begun = time.monotonic()
        if done < total:
            display = import_module("IPython.display")
            self._handle = display.display(display.HTML(self.html()), display_id=True)

    @override
    def lost(self, job: Any, failure: Failure, resumes_after: int | None) -> None:
        again = "is given up" if resumes_after is None else "starts again"
        self._lines.append(f"worker died ({failure.reason.rstrip('.')}); {job.title} {again}")

    @override
    def moved(self, job: Any, failure: Failure) -> None:
        self._lines.append(f"{failure.reason}; {job.title} is tried on another node")

    @override
    def notice(self, text: str) -> None:
        self._lines.append(text)

    @override
    def tick(self) -> None:
        if time.monotonic() - self._drawn >= REDRAW_SECONDS:
            self._draw()

    @override
    def end(self) -> None:
        self._draw()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        if self._handle is not None:
            self._handle.update(import_module("IPython.display").HTML(self.html()))

    def html(self) -> str:
        """Return the bar and the lines below it; all content is escaped."""
        seconds = round(time.monotonic() - self._begun)
        state = f"{self._done:,}/{count(self._total, self.unit)}, {seconds} s"
        bar = f'<progress value="{self._done}" max="{self._total}"></progress>'
        lines = [f"{self._title}: {state}. {self._last}".rstrip(), *self._lines]
        return bar + "".join(f"<div>{escape(line)}</div>" for line in lines)


class SweepProgress(NotebookProgress, Observer):
    """Counts rounds."""

    unit = "round"

    @override
    def begin(self, plan: Plan, runs: Mapping[str, RunStatus]) -> None:
        left = [run for run in runs.values() if not run.finished]
        total = sum(run.run.rounds - run.rounds_done for run in left)
        self._open(f"{plan.study.name}, {count(len(left), 'run')}", total, 0)

    @override
    def progressed(self, name: str, run: RunStatus | None, record: Mapping[str, Any]) -> None:
        self._done += run is not None
        if run is not None and not math.isnan(record["accuracy"]):
            accuracy = share(record["accuracy"])
            self._last = f"{run.run.arm}, seed {run.run.seed}: accuracy {accuracy} at {record['labels']:,} labels"

    @override
    def failed(self, run: RunStatus) -> None:
        self._lines.append(f"failed: {run.run.arm}, seed {run.run.seed}: {run.error}")


class CorrelationProgress(NotebookProgress, CorrelationObserver):
    """Counts fine-tunes."""

    unit = "fine-tune"

    @override
    def begin(self, plan: CorrelationPlan, fine_tunes_done: int) -> None:
        self._open(str(plan.spec.name), plan.fine_tunes, fine_tunes_done)

    @override
    def base_ready(self, number: int, accuracy: float) -> None:
        self._last = f"base {number}: accuracy {share(accuracy)}"

    @override
    def performed(self, task: Task, seconds: float, host: str) -> None:
        if isinstance(task, FineTune):
            self._done += len(task)

    @override
    def failed(self, name: str, error: str) -> None:
        self._lines.append(f"failed: {name}: {error}")


class ChoosingProgress(NotebookProgress, ChoosingObserver):
    """Counts rows."""

    unit = "row"

    @override
    def begin(self, work: Choosing) -> None:
        self._open(f"{work.strategy} chooses {work.number:,}", work.pool.files.rows, 0)

    @override
    def read(self, done: PartDone) -> None:
        self._done += done.part.rows
        rate = self._done / max(time.monotonic() - self._begun, 1e-9)
        self._last = f"{rate:,.0f} rows/s"


PROGRESS: Mapping[str, type[NotebookProgress]] = {
    SWEEP: SweepProgress,
    CORRELATION: CorrelationProgress,
}
"""Kind of study: what shows its progress in a notebook."""
