"""What a study exports as Ray metrics: observers that count, and pass everything on to the one that they stand before."""

import functools
import importlib.util
from collections.abc import Mapping
from typing import Any

from ray.util.metrics import Counter
from typing_extensions import override

from alray.errors import ClusterError
from alray.studies.correlation.observer import CorrelationObserver
from alray.studies.correlation.plan import CorrelationPlan
from alray.studies.correlation.tasks import Task
from alray.studies.retries import Failure
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.schedule import Assignment, RunStatus

NEEDED = ("aiohttp", "prometheus_client")
"""Without these Ray starts no agent on a node, and nobody could read the metrics."""

METRICS = {
    "alray_rounds": ("Rounds done, passive phases included", ("study", "arm")),
    "alray_objects_scored": ("Objects scored to choose by", ("study", "arm")),
    "alray_runs_finished": ("Runs finished", ("study",)),
    "alray_runs_failed": ("Runs failed for good", ("study",)),
    "alray_tasks_done": ("Tasks of a correlation study that have ended well", ("study",)),
    "alray_tasks_failed": ("Tasks of a correlation study that have failed for good", ("study",)),
    "alray_workers_lost": ("Workers that have died", ("study",)),
}
"""Name, as Ray knows it: what it counts, and its tags. Prometheus sees `ray_NAME_total`."""


def require_agent() -> None:
    """Refuse to export metrics where nobody could read them.

    Raises:
        ClusterError: Ray was installed without its dashboard, and so without the agent.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ClusterError(
            f"--metrics needs Ray's agent, and {' and '.join(missing)} are not installed: pip install 'ray[default]'"
        )


@functools.cache
def counter(name: str) -> Counter:
    """Return one of `METRICS`; made when first counted, for Ray runs by then."""
    text, tags = METRICS[name]
    return Counter(name, description=text, tag_keys=tags)


def count(name: str, amount: float = 1.0, **tags: str) -> None:
    """Add to a metric; Ray refuses to add nothing."""
    if amount > 0:
        counter(name).inc(amount, tags)


class MeteredObserver(Observer):
    """Counts what a sweep does."""

    def __init__(self, inner: Observer) -> None:
        require_agent()
        self._inner = inner
        self._study = ""

    @override
    def begin(self, plan: Plan, statuses: Mapping[str, RunStatus]) -> None:
        self._study = str(plan.study.name)
        self._inner.begin(plan, statuses)

    @override
    def started(self, assignment: Assignment) -> None:
        self._inner.started(assignment)

    @override
    def progressed(self, name: str, status: RunStatus | None, record: Mapping[str, Any]) -> None:
        arm = "passive phase" if status is None else status.run.arm
        count("alray_rounds", study=self._study, arm=arm)
        count("alray_objects_scored", float(record["scored"]), study=self._study, arm=arm)
        self._inner.progressed(name, status, record)

    @override
    def ended(self, name: str, status: RunStatus | None) -> None:
        if status is not None:
            count("alray_runs_finished", study=self._study)
        self._inner.ended(name, status)

    @override
    def failed(self, status: RunStatus) -> None:
        count("alray_runs_failed", study=self._study)
        self._inner.failed(status)

    @override
    def lost(self, assignment: Assignment, failure: Failure, kept: int | None) -> None:
        count("alray_workers_lost", study=self._study)
        self._inner.lost(assignment, failure, kept)

    @override
    def moved(self, assignment: Assignment, failure: Failure) -> None:
        self._inner.moved(assignment, failure)

    @override
    def notice(self, text: str) -> None:
        self._inner.notice(text)

    @override
    def tick(self) -> None:
        self._inner.tick()

    @override
    def end(self) -> None:
        self._inner.end()


class MeteredCorrelationObserver(CorrelationObserver):
    """Counts what a correlation study does."""

    def __init__(self, inner: CorrelationObserver) -> None:
        require_agent()
        self._inner = inner
        self._study = ""

    @override
    def begin(self, plan: CorrelationPlan, fine_tunes_done: int) -> None:
        self._study = str(plan.spec.name)
        self._inner.begin(plan, fine_tunes_done)

    @override
    def base_ready(self, number: int, accuracy: float) -> None:
        self._inner.base_ready(number, accuracy)

    @override
    def started(self, task: Task) -> None:
        self._inner.started(task)

    @override
    def performed(self, task: Task, seconds: float, host: str) -> None:
        count("alray_tasks_done", study=self._study)
        self._inner.performed(task, seconds, host)

    @override
    def failed(self, name: str, error: str) -> None:
        count("alray_tasks_failed", study=self._study)
        self._inner.failed(name, error)

    @override
    def lost(self, name: str, failure: Failure, *, again: bool) -> None:
        count("alray_workers_lost", study=self._study)
        self._inner.lost(name, failure, again=again)

    @override
    def moved(self, name: str, failure: Failure) -> None:
        self._inner.moved(name, failure)

    @override
    def notice(self, text: str) -> None:
        self._inner.notice(text)

    @override
    def tick(self) -> None:
        self._inner.tick()

    @override
    def end(self) -> None:
        self._inner.end()
