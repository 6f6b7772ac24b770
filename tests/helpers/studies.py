"""Small studies for the tests of what runs them: a pool on disk, settings, and records to compare."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from typing_extensions import override

from alray import api
from alray.settings.location import StudyPath
from alray.studies.correlation.plan import CorrelationPlan
from alray.studies.correlation.worker import TaskWorker
from alray.studies.events import Failure, Notice
from alray.studies.inline import InlineExecutor, Worker
from alray.studies.retries import HERE
from alray.studies.sweep.jobs import Job
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.records import TIMING_COLUMNS
from alray.studies.sweep.results import Sweep
from alray.studies.sweep.status import RunStatus
from alray.studies.sweep.worker import RunWorker
from tests.helpers.paths import local
from tests.helpers.pools_fixtures import write_table

ROUNDS = 4

PRODUCTS = {"scoring": "blas", "training": "onednn"}
"""One of each, so that a worker that does not follow the settings rounds otherwise."""


def write_pool(path: Path, *, objects: int = 200, seed: int = 0, **more: Any) -> Path:
    """Write a pool of three classes and two modalities; every fifth object lacks the one, every fifth the other."""
    rng = np.random.default_rng(seed)
    labels = np.arange(objects) % 3
    columns: dict[str, Any] = {
        "id": [f"object-{number}" for number in range(objects)],
        "label": [f"class-{label}" for label in labels],
    }
    for position, (name, size) in enumerate({"image": 10, "text": 6}.items()):
        values = rng.normal(size=(3, size))[labels] + rng.normal(size=(objects, size))
        absent = np.arange(objects) % 5 == position
        columns[name] = pa.array(
            [None if gone else row for gone, row in zip(absent, values, strict=True)],
            pa.list_(pa.float32(), size),
        )
    write_table(pa.table({**columns, **more}), path)
    return path


def settings(pool: Path, **changes: Any) -> dict[str, Any]:
    """Return a study of one quick run over this pool, with changes; `execution` is merged."""
    execution = {
        "executor": "inline",
        "checkpoint_seconds": 0,
        "products": PRODUCTS,
        **changes.pop("execution", {}),
    }
    return {
        "name": "study",
        "pool": {"source": str(pool)},
        "model": {"width": 8},
        "training": {"passive_epochs": 2},
        "strategies": ["margin"],
        "seeds": 1,
        "initial": 20,
        "query": 5,
        "rounds": ROUNDS,
        "execution": execution,
        **changes,
    }


def comparable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return records without the columns that may differ between executions, in a fixed order."""
    kept = frame.drop(columns=[name for name in TIMING_COLUMNS if name in frame])
    order = [name for name in ("run_id", "round", "rank") if name in kept]
    return kept.sort_values(order, ignore_index=True, kind="stable")


def assert_same_records(expected: Sweep, actual: Sweep) -> None:
    """Compare rounds, queries and answers to the bit."""
    for name in ("rounds", "queries", "answers"):
        pd.testing.assert_frame_equal(
            comparable(getattr(expected, name)),
            comparable(getattr(actual, name)),
            check_exact=True,
        )


def files(folder: StudyPath) -> set[str]:
    """Return the files below a folder, hidden ones but the lock included."""
    root = local(folder)
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    return found - {".lock"}


class Recording:
    """Records what an observer of any study learns, as (kind, detail); acts when the study has come to a moment."""

    def __init__(self, moment: Any = None, act: Callable[[], object] = lambda: None) -> None:
        self.events: list[tuple[str, Any]] = []
        self._moment, self._act = moment, act

    def come_to(self, moment: Any) -> None:
        if moment == self._moment:
            self._act()

    def lost(self, job: Any, failure: Failure, resumes_after: int | None) -> None:
        self.events.append(("lost", (job.name, failure.host)))

    def moved(self, job: Any, failure: Failure) -> None:
        self.events.append(("moved", (job.name, failure.host)))

    def notice(self, text: str) -> None:
        self.events.append(("notice", text))

    def end(self) -> None:
        self.events.append(("end", None))

    def of(self, kind: str) -> list[Any]:
        """Return the details of one kind of event."""
        return [detail for each, detail in self.events if each == kind]


class Recorder(Recording, Observer):
    """Records a sweep; a moment is ("passive", 0) or ("run", a round)."""

    @override
    def begin(self, plan: Plan, runs: Mapping[str, RunStatus]) -> None:
        self.events.append(("begin", {name: run.rounds_done for name, run in runs.items()}))

    @override
    def started(self, job: Job, host: str) -> None:
        self.events.append(("started", (job.name, job.start_from)))

    @override
    def progressed(self, name: str, run: RunStatus | None, record: Mapping[str, Any]) -> None:
        self.events.append(("progressed", (name, record["round"])))
        self.come_to(("passive" if run is None else "run", record["round"]))

    @override
    def ended(self, name: str, run: RunStatus | None) -> None:
        self.events.append(("ended", name))

    @override
    def failed(self, run: RunStatus) -> None:
        self.events.append(("failed", run.run_id))


def inline(plan: Plan | CorrelationPlan, kind: Callable[..., Any] = InlineExecutor) -> Any:
    """Return an executor of this kind, with a worker for the plan's jobs."""
    if isinstance(plan, Plan):
        shared = plan.shared
        return kind(lambda: RunWorker(shared, shared.checksum(), plan.study.execution, HERE))
    pool = plan.prepared
    return kind(lambda: TaskWorker(pool, pool.checksum(), plan.spec, HERE))


class Disturbed(InlineExecutor[Any, Any]):
    """Loses its worker, with what it has not reported, and says so, where `happens` returns a failure of the job."""

    def __init__(
        self, make_worker: Callable[[], Worker[Any, Any]], happens: Callable[[Any], Failure | None]
    ) -> None:
        super().__init__(make_worker)
        self._make_worker = make_worker
        self._happens = happens

    @override
    def wait(self, seconds: float) -> Any:
        # The job in progress is what the test decides by.
        failure = None if self._job is None else self._happens(self._job[0])
        if failure is None:
            return super().wait(seconds)
        self._job, self._worker = None, self._make_worker()
        return [Notice("a worker is lost"), failure]


def start_with(monkeypatch: pytest.MonkeyPatch, kind: Callable[..., Any]) -> None:
    """Let studies start executors of this kind in this process."""
    for name in ("start_executor", "start_tasks"):
        monkeypatch.setattr(api, name, lambda plan: inline(plan, kind))


def disturb(monkeypatch: pytest.MonkeyPatch, happens: Callable[[Any], Failure | None]) -> None:
    """Let this happen to the jobs of studies that start from now on."""
    start_with(monkeypatch, partial(Disturbed, happens=happens))
