"""What a study exports as Ray metrics: observers that count."""

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
from alray.studies.events import Failure
from alray.studies.manifest import CORRELATION, SWEEP
from alray.studies.observer import StudyObserver
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.status import RunStatus

NEEDED = ("aiohttp", "prometheus_client")
"""Without these Ray starts no agent on a node, and the metrics could not be read."""

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
    """Refuse to export metrics where they could not be read.

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


class _StudyCounter(StudyObserver[Any]):
    """Counts what both kinds of study do."""

    def __init__(self) -> None:
        require_agent()
        self._study = ""

    @override
    def lost(self, job: Any, failure: Failure, resumes_after: int | None) -> None:
        count("alray_workers_lost", study=self._study)


class SweepCounter(_StudyCounter, Observer):
    """Counts what a sweep does."""

    @override
    def begin(self, plan: Plan, runs: Mapping[str, RunStatus]) -> None:
        self._study = str(plan.study.name)

    @override
    def progressed(self, name: str, run: RunStatus | None, record: Mapping[str, Any]) -> None:
        arm = "passive phase" if run is None else run.run.arm
        count("alray_rounds", study=self._study, arm=arm)
        count("alray_objects_scored", float(record["scored"]), study=self._study, arm=arm)

    @override
    def ended(self, name: str, run: RunStatus | None) -> None:
        if run is not None:
            count("alray_runs_finished", study=self._study)

    @override
    def failed(self, run: RunStatus) -> None:
        count("alray_runs_failed", study=self._study)


class CorrelationCounter(_StudyCounter, CorrelationObserver):
    """Counts what a correlation study does."""

    @override
    def begin(self, plan: CorrelationPlan, fine_tunes_done: int) -> None:
        self._study = str(plan.spec.name)

    @override
    def performed(self, task: Task, seconds: float, host: str) -> None:
        count("alray_tasks_done", study=self._study)

    @override
    def failed(self, name: str, error: str) -> None:
        count("alray_tasks_failed", study=self._study)


COUNTERS = {SWEEP: SweepCounter, CORRELATION: CorrelationCounter}
"""Kind of study: the observer that counts what it does."""
