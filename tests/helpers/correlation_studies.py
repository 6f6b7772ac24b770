"""Small correlation studies for the tests of what runs them."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from typing_extensions import override

from alray.analysis.correlation.summary import CorrelationSummary, summarise
from alray.networks.tensors import PoolTensors
from alray.pools.pool import PreparedPool
from alray.settings.correlation import CorrelationSpec
from alray.studies.correlation.base_model import train_base
from alray.studies.correlation.driver import group_rows
from alray.studies.correlation.observer import CorrelationObserver
from alray.studies.correlation.plan import CorrelationPlan, make_correlation_plan
from alray.studies.correlation.tasks import Task, perform
from alray.studies.correlation.worker import Performed, TaskWorker
from alray.studies.inline import InlineExecutor
from alray.studies.retries import HERE
from tests.helpers.builders import raw_pool

FRAMES = ("bases", "groups", "outcomes", "summary", "quantiles", "checks")


def assert_same_study(expected: Any, actual: Any) -> None:
    """Two studies are equal, to the bit."""
    for name in FRAMES:
        pd.testing.assert_frame_equal(
            getattr(expected, name), getattr(actual, name), check_exact=True
        )


def correlation_settings(pool: Path, **changes: Any) -> dict[str, Any]:
    """Return a correlation study of seconds over a pool of 200 objects, with changes; `execution` is merged."""
    execution = {"executor": "inline", **changes.pop("execution", {})}
    return {
        "name": "study",
        "pool": {"source": str(pool)},
        "model": {"width": 8},
        "training": {"passive_epochs": 2},
        "scores": ["loss"],
        "initial": 20,
        "sample": 120,
        "group_size": 6,
        "bases": 2,
        "fine_tune_seeds": 2,
        "grouping": ["score", "random"],
        "epochs": [1, 2],
        "execution": execution,
        **changes,
    }


def correlation_plan(pool: PreparedPool, **changes: Any) -> CorrelationPlan:
    """Return the plan of such a study over a pool in memory."""
    settings = {**correlation_settings(Path("memory")), **changes}
    raw = raw_pool(pool.labels, modalities=pool.modalities)
    return make_correlation_plan(CorrelationSpec.model_validate(settings), raw, pool)


def inline_tasks(plan: CorrelationPlan, kind: type[InlineExecutor[Task, Performed]]) -> Any:
    """Return an executor of this kind, with a worker for the plan's tasks."""
    pool = plan.prepared
    return kind(lambda: TaskWorker(pool, pool.checksum(), plan.spec, HERE))


class Listener(CorrelationObserver):
    """Takes down what it is told, as (kind, detail)."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []

    @override
    def begin(self, plan, fine_tunes_done):
        self.events.append(("begin", fine_tunes_done))

    @override
    def base_ready(self, number, accuracy):
        self.events.append(("base", number))

    @override
    def started(self, job, host):
        self.events.append(("started", job.name))

    @override
    def performed(self, task, seconds, host):
        self.events.append(("performed", task.name))

    @override
    def failed(self, name, error):
        self.events.append(("failed", (name, error)))

    @override
    def lost(self, job, failure, resumes_after):
        self.events.append(("lost", job.name))

    @override
    def notice(self, text):
        self.events.append(("notice", text))

    @override
    def end(self):
        self.events.append(("end", None))

    def of(self, kind: str) -> list[Any]:
        """Return the details of one kind of event."""
        return [detail for name, detail in self.events if name == kind]


def in_memory(
    plan: CorrelationPlan,
    rescore: Callable[[int, Mapping[str, Any]], Mapping[str, Any]] = lambda _, scores: scores,
    **resampling: int,
) -> CorrelationSummary:
    """Perform a whole study without files and return what it shows; `rescore` may put other scores in a base's place."""
    spec, pool = plan.spec, PoolTensors(plan.prepared)
    groups, outcomes, bases = [], [], []
    for number in range(spec.bases):
        base = train_base(spec, pool, number)
        base = dataclasses.replace(base, scores=dict(rescore(number, base.scores)))
        content = base.to_bytes()
        groupings = plan.groupings(number, base.sample, base.scores)
        groups.append(group_rows(plan, number, base, groupings))
        bases.append({"base": number, "labels": spec.initial, **dataclasses.asdict(base.metrics)})
        for task in plan.tasks(number, groupings):
            rows = perform(spec, pool, task, content)
            assert isinstance(rows, list)
            outcomes += rows
    found = pd.DataFrame(bases).drop(columns="ece")
    rng = np.random.default_rng(0)
    return summarise(pd.concat(groups), pd.DataFrame(outcomes), found, rng, **resampling)
