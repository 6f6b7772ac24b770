"""Progress of a correlation study: a bar on a terminal, plain lines elsewhere."""

import time

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import TaskID
from rich.text import Text
from typing_extensions import override

from alray.analysis.wording import share
from alray.cli.display.phrases import count, duration, loss, move, progress_bar
from alray.studies.correlation.observer import CorrelationObserver
from alray.studies.correlation.plan import CorrelationPlan
from alray.studies.correlation.tasks import FineTune, Task
from alray.studies.retries import Failure

QUIET_SECONDS = 30.0
"""After so long without a line, one says how far the study is."""


def correlation_headline(plan: CorrelationPlan) -> list[str]:
    """Return four lines that say what the study is."""
    spec, pool, parts = plan.spec, plan.pool, plan.prepared
    modalities = " + ".join(
        f"{modality.name} {modality.dimension}" for modality in pool.modalities
    )
    doses = ", ".join(map(str, spec.epochs))
    return [
        f"{spec.name}: {count(len(pool), 'object')}, {count(len(pool.classes), 'class', 'classes')}, {modalities}",
        f"train {len(parts.train):,}, test {min(len(parts.test), spec.test):,}; {count(spec.bases, 'base model')} on "
        f"{spec.initial:,} labels each",
        f"{spec.sample:,} objects scored, {count(plan.groups, 'group')} of {spec.group_size:,} in "
        f"{count(len(plan.grouping_names()), 'arrangement')}, {count(spec.fine_tune_seeds, 'seed')}",
        f"{count(plan.fine_tunes, 'fine-tune')}, evaluated after {doses} epochs, replay {spec.replay}",
    ]


def _arrangement(task: FineTune) -> str:
    kind = {"score": "by", "within_class": "within class by"}.get(task.grouping)
    return f"{kind} {task.sorted_by}" if kind else task.grouping.replace("_", " ")


class _Counted(CorrelationObserver):
    """Counts, and prints lines; how progress looks in between is a subclass's matter."""

    def __init__(self, console: Console, starting: str) -> None:
        self._console = console
        self._starting = starting
        self._total = self._done = self._before = 0
        self._bases = self._bases_ready = 0
        self._now = ""
        self._hosts: set[str] = set()
        self._begin = time.monotonic()

    @override
    def begin(self, plan: CorrelationPlan, fine_tunes_done: int) -> None:
        for line in correlation_headline(plan):
            self._say(line)
        self._begin = time.monotonic()
        self._total, self._bases = plan.fine_tunes, plan.spec.bases
        self._done = self._before = fine_tunes_done
        if fine_tunes_done:
            self._say(f"{count(fine_tunes_done, 'fine-tune')} done before")

    @override
    def base_ready(self, number: int, accuracy: float) -> None:
        self._bases_ready += 1
        self._say(f"base {number}: accuracy {share(accuracy)}")

    @override
    def performed(self, task: Task, seconds: float, host: str) -> None:
        if isinstance(task, FineTune):
            self._done += len(task)
            self._hosts.add(host)
            where = f", {host}" if len(self._hosts) > 1 else ""
            self._now = f"base {task.base}, {_arrangement(task)}, seed {task.seed}{where}"

    @override
    def failed(self, name: str, error: str) -> None:
        self._say(f"failed: {name}: {error}", "red")

    @override
    def lost(self, job: Task, failure: Failure, resumes_after: int | None) -> None:
        self._say(loss(job, failure, resumes_after), "yellow")

    @override
    def moved(self, job: Task, failure: Failure) -> None:
        self._say(move(job, failure), "yellow")

    @override
    def notice(self, text: str) -> None:
        self._say(text, "yellow")

    @override
    def end(self) -> None:
        if self._done > self._before:
            took = duration(time.monotonic() - self._begin)
            self._say(f"{self._state()} in {took}")

    def _state(self) -> str:
        return f"{self._done:,}/{count(self._total, 'fine-tune')}"

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style), soft_wrap=True)


class CorrelationLive(_Counted):
    """Draws on the console until the study ends."""

    def __init__(self, console: Console, starting: str) -> None:
        super().__init__(console, starting)
        self._bar = progress_bar(console)
        self._task: TaskID | None = None
        self._live: Live | None = None

    @override
    def begin(self, plan: CorrelationPlan, fine_tunes_done: int) -> None:
        super().begin(plan, fine_tunes_done)
        if self._done == self._total:
            return
        self._task = self._bar.add_task(self._state(), total=self._total, completed=self._done)
        self._live = Live(
            get_renderable=self._draw, console=self._console, refresh_per_second=4, transient=True
        )
        self._live.start()

    @override
    def end(self) -> None:
        if self._live is not None:
            self._live.stop()
        super().end()

    def _draw(self) -> RenderableType:
        if self._task is not None:
            self._bar.update(self._task, description=self._state(), completed=self._done)
        doing = self._now
        if not doing:
            doing = "fitting the base models" if self._bases_ready < self._bases else "fine-tuning"
            doing = f"{self._starting}, {doing}"
        return Group(self._bar, Text(f"  {doing}", style="dim"))


class CorrelationLines(_Counted):
    """Writes a line for each base and, from time to time where nothing happens, one on how far it is."""

    def __init__(self, console: Console, starting: str) -> None:
        super().__init__(console, starting)
        self._last = time.monotonic()

    @override
    def begin(self, plan: CorrelationPlan, fine_tunes_done: int) -> None:
        super().begin(plan, fine_tunes_done)
        if self._done < self._total:
            self._say(self._starting)

    @override
    def tick(self) -> None:
        if time.monotonic() - self._last < QUIET_SECONDS:
            return
        took = time.monotonic() - self._begin
        left = ""
        if self._done > self._before:
            remaining = took / (self._done - self._before) * (self._total - self._done)
            left = f", about {duration(remaining)} left"
        self._say(f"{self._state()} in {duration(took)}{left}")

    @override
    def _say(self, text: str, style: str = "") -> None:
        self._last = time.monotonic()
        super()._say(text, style)
