"""The same as the command line, from Python: `alray.sweep` and `alray.correlate`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alray.analysis.correlation.summary import summarise
from alray.errors import Interrupted
from alray.pools.reading import read_pool
from alray.pools.split import prepare
from alray.reporting.notebook import ShownCorrelation, ShownSweep
from alray.seeding import generator
from alray.settings.common import ExecutionSpec
from alray.settings.correlation import CorrelationSpec
from alray.settings.files import as_settings
from alray.settings.sweep import SweepSpec
from alray.storage.location import Location, location_of
from alray.studies import manifest
from alray.studies.correlation.driver import CorrelationDriver
from alray.studies.correlation.observer import CorrelationObserver
from alray.studies.correlation.plan import CorrelationPlan, make_correlation_plan
from alray.studies.correlation.protocol import complete_records
from alray.studies.correlation.results import read_correlation
from alray.studies.correlation.store import CorrelationStore
from alray.studies.correlation.tasks import Task
from alray.studies.correlation.worker import Performed, TaskWorker
from alray.studies.executor import Executor
from alray.studies.inline import InlineExecutor
from alray.studies.notebook_progress import PROGRESS, in_notebook
from alray.studies.retries import HERE
from alray.studies.sweep.driver import SweepDriver
from alray.studies.sweep.jobs import Job, Progress
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.plan import Plan, make_plan
from alray.studies.sweep.store import SweepStore
from alray.studies.sweep.worker import RunWorker

DEFAULT_RESULTS = "results"
"""Folder that studies go to, below the present one."""


def sweep(
    study: SweepSpec | Mapping[str, Any] | str | Path | None = None,
    *,
    results: str | Path | Location = DEFAULT_RESULTS,
    fresh: bool = False,
    observer: Observer | None = None,
    command: str = "alray.sweep(...)",
) -> ShownSweep:
    """Run a sweep, or the part of it that is not finished yet, and return its results.

    Warnings (who wrote the folder before, classes that were dropped as asked) go to the logger `alray`.

    Args:
        study: Settings, plain values for them, or the path of a YAML file; the default study where None.
        results: Folder in which the study's own folder lies: local, or a URI such as `s3://bucket/results`.
        fresh: Throw away what lies there under the same name.
        observer: Learns what happens. None: a notebook shows progress, and other programs show nothing.
        command: Kept in the manifest.

    Raises:
        AlrayError: Something in the settings, the pool, the folder or the cluster prevents it.
    """
    plan = plan_sweep(study)
    with SweepStore(location_of(results) / str(plan.study.name)) as store:
        manifest.claim(
            store,
            plan.study,
            plan.pool,
            kind=manifest.SWEEP,
            fresh=fresh,
            of_this_pool=lambda: store.holds_any(run.run_id for run in plan.runs),
        )
        observers = observers_of(plan.study.execution, observer, manifest.SWEEP)
        driver = SweepDriver(plan, store, observers)
        if not driver.complete:
            manifest.warn_if_source_changed(store)
        origin = manifest.origin(
            store, plan.pool, kind=manifest.SWEEP, command=command, complete=driver.complete
        )
        store.write_manifest(origin)
        store.write_study(plan.study.model_dump(mode="json"))
        try:
            driver.drive(lambda: start_executor(plan))
        except Interrupted:
            # What is finished can be read meanwhile.
            driver.conclude()
            raise
        rounds, runs, summary = driver.conclude()
        store.write_manifest({**origin, "ended": origin["ended"] or manifest.now()})
        return ShownSweep(store.root, plan.study, rounds, store.read_queries(), runs, summary)


def plan_sweep(study: SweepSpec | Mapping[str, Any] | str | Path | None = None) -> Plan:
    """Read and split the pool, and check all that can be checked before a run starts; `study` is as in `sweep`."""
    spec = as_settings(SweepSpec, study)
    pool = read_pool(spec.pool)
    return make_plan(spec, pool, prepare(pool, spec.pool, spec.split, spec.seed))


def start_executor(plan: Plan) -> Executor[Job, Progress]:
    """Return the executor that the sweep asks for; Ray is imported only if it is Ray."""
    pool, execution = plan.prepared, plan.study.execution
    if execution.executor == "inline":
        return InlineExecutor(lambda: RunWorker(pool, pool.checksum(), execution, HERE))
    from alray.ray_executor import ActorExecutor  # noqa: PLC0415 -- seconds that the inline executor need not pay

    return ActorExecutor(pool, execution)


def correlate(
    study: CorrelationSpec | Mapping[str, Any] | str | Path | None = None,
    *,
    results: str | Path | Location = DEFAULT_RESULTS,
    fresh: bool = False,
    observer: CorrelationObserver | None = None,
    command: str = "alray.correlate(...)",
) -> ShownCorrelation:
    """Run a correlation study, or the part of it that is not finished yet, and return its results.

    Arguments, warnings and errors are those of `sweep`.
    """
    plan = plan_correlation(study)
    spec = plan.spec
    with CorrelationStore(location_of(results) / str(spec.name)) as store:
        manifest.claim(
            store,
            spec,
            plan.pool,
            kind=manifest.CORRELATION,
            fresh=fresh,
            of_this_pool=lambda: store.holds_objects_of(plan.pool),
        )
        observers = observers_of(spec.execution, observer, manifest.CORRELATION)
        driver = CorrelationDriver(plan, store, observers)
        if not driver.complete:
            manifest.warn_if_source_changed(store)
        settings = spec.model_dump(mode="json")
        concluded = driver.complete and store.is_concluded() and store.read_study() == settings
        origin = manifest.origin(
            store, plan.pool, kind=manifest.CORRELATION, command=command, complete=concluded
        )
        store.write_manifest({**origin, "counts": plan.counts})
        store.write_study(settings)
        driver.drive(lambda: start_tasks(plan))
        store.write_failures(driver.failures)
        driver.require_a_complete_base()
        records = store.read_records(spec.bases)
        if not concluded:
            bases, groups, outcomes = complete_records(spec, *records)
            rng = generator(spec.seed, 0, "bootstrap")
            store.write_found(summarise(groups, outcomes, bases, rng))
            store.write_manifest({**origin, "counts": plan.counts, "ended": manifest.now()})
        return ShownCorrelation(**vars(read_correlation(store, records)))


def plan_correlation(
    study: CorrelationSpec | Mapping[str, Any] | str | Path | None = None,
) -> CorrelationPlan:
    """Read and split the pool, and check all that can be checked before a task starts; `study` is as in `sweep`."""
    spec = as_settings(CorrelationSpec, study)
    pool = read_pool(spec.pool)
    return make_correlation_plan(spec, pool, prepare(pool, spec.pool, spec.split, spec.seed))


def start_tasks(plan: CorrelationPlan) -> Executor[Task, Performed]:
    """Return the executor that the study asks for; Ray is imported only if it is Ray."""
    pool, spec = plan.prepared, plan.spec
    if spec.execution.executor == "inline":
        return InlineExecutor(lambda: TaskWorker(pool, pool.checksum(), spec, HERE))
    from alray.ray_executor import TaskExecutor  # noqa: PLC0415 -- seconds that the inline executor need not pay

    return TaskExecutor(pool, spec)


def observers_of(execution: ExecutionSpec, observer: Any, kind: str) -> list[Any]:
    """Return who learns what happens: the caller's observer, and Ray metrics where they are asked for.

    A notebook shows progress where the caller has no observer of its own.
    """
    observers = [] if observer is None else [observer]
    if observer is None and in_notebook():
        observers = [PROGRESS[kind]()]
    if not execution.metrics or execution.executor == "inline":
        return observers
    from alray.ray_executor.metrics import COUNTERS  # noqa: PLC0415 -- as above

    return [*observers, COUNTERS[kind]()]
