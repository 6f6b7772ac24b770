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
from alray.studies.correlation.tasks import perform
from tests.helpers.builders import raw_pool
from tests.helpers.studies import PRODUCTS, Recording

FRAMES = ("bases", "groups", "outcomes", "summary", "quantiles", "checks")


def assert_same_study(expected: Any, actual: Any) -> None:
    """Two studies are equal, to the bit."""
    for name in FRAMES:
        pd.testing.assert_frame_equal(
            getattr(expected, name), getattr(actual, name), check_exact=True
        )


def correlation_settings(pool: Path, **changes: Any) -> dict[str, Any]:
    """Return a correlation study of seconds over a pool of 200 objects, with changes; `execution` is merged."""
    execution = {"executor": "inline", "products": PRODUCTS, **changes.pop("execution", {})}
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
        "replay": "none",
        "execution": execution,
        **changes,
    }


def quick_settings(pool: Path, **changes: Any) -> dict[str, Any]:
    """Return such a study with one dose and a network that is quick, for the tests of what becomes of its tasks."""
    model = {"name": "tests.helpers.own_modules:OwnNetwork"}
    return correlation_settings(pool, **{"model": model, "epochs": [1], **changes})


def correlation_plan(pool: PreparedPool, **changes: Any) -> CorrelationPlan:
    """Return the plan of such a study over a pool in memory."""
    settings = {**correlation_settings(Path("memory")), **changes}
    raw = raw_pool(pool.labels, modalities=pool.modalities)
    return make_correlation_plan(CorrelationSpec.model_validate(settings), raw, pool)


class Listener(Recording, CorrelationObserver):
    """Records a correlation study; a moment is the number of tasks that have been performed."""

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
        self.come_to(len(self.of("performed")))

    @override
    def failed(self, name, error):
        self.events.append(("failed", (name, error)))


def in_memory(
    plan: CorrelationPlan,
    rescore: Callable[[int, Mapping[str, Any]], Mapping[str, Any]] = lambda _, scores: scores,
    **resampling: int,
) -> CorrelationSummary:
    """Perform a whole study without files and return what it shows; `rescore` may change a base's scores."""
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
