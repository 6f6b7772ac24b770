"""The same as the command line, from Python: `alray.sweep` and `alray.correlate`."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from alray.custom.code import CustomCode, custom_model
from alray.custom.finding import find_code
from alray.custom.packages import with_packages
from alray.errors import Interrupted
from alray.pools.preparing import prepare
from alray.pools.reading import read_pool
from alray.reporting.notebook import ShownCorrelation, ShownSweep
from alray.seeding import generator
from alray.settings.common import ExecutionSpec
from alray.settings.correlation import CorrelationSpec
from alray.settings.location import Location, location_of
from alray.settings.sweep import SweepSpec
from alray.studies import manifest
from alray.studies.arguments import study_settings
from alray.studies.correlation.complete import complete_records
from alray.studies.correlation.driver import CorrelationDriver
from alray.studies.correlation.observer import CorrelationObserver
from alray.studies.correlation.plan import CorrelationPlan, make_correlation_plan
from alray.studies.correlation.results import read_correlation
from alray.studies.correlation.store import CorrelationStore
from alray.studies.correlation.tasks import Task
from alray.studies.correlation.worker import Performed, TaskWorker, make_task_worker
from alray.studies.devices import take_device
from alray.studies.executor import Executor
from alray.studies.going_on import resolve
from alray.studies.inline import InlineExecutor
from alray.studies.made_elsewhere import warn_if_made_elsewhere
from alray.studies.notebook_progress import PROGRESS, in_notebook
from alray.studies.product_choice import settle_products
from alray.studies.retries import HERE
from alray.studies.sweep.driver import SweepDriver
from alray.studies.sweep.extension import explain, find_extensions, holds_some
from alray.studies.sweep.group_executor import executor_here
from alray.studies.sweep.jobs import Job, Progress
from alray.studies.sweep.manifest_entries import manifest_entries
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.planning import plan_of
from alray.studies.sweep.screen_choice import screen_entry, settle_precision
from alray.studies.sweep.store import SweepStore
from alray.studies.sweep.trial import custom_names
from alray.trackers.choosing import tracker_of
from alray.trackers.sweep import KEPT_FILES, tracked_sweep

_logger = logging.getLogger(__name__)

SweepStudy = SweepSpec | Mapping[str, Any] | str | Path | None
CorrelationStudy = CorrelationSpec | Mapping[str, Any] | str | Path | None

DEFAULT_RESULTS = "results"
"""Folder that studies go to, below the present one."""


def sweep(
    study: SweepStudy = None,
    *,
    results: str | Path | Location = DEFAULT_RESULTS,
    fresh: bool = False,
    observer: Observer | None = None,
    command: str = "alray.sweep(...)",
    **settings: Any,
) -> ShownSweep:
    """Run a sweep, or the part of it that is not finished yet, and return its results.

    Warnings go to the logger `alray`. Settings can be given by keyword, strategies, networks and paths as objects:
    `alray.sweep(pool="posts.parquet", strategies=["random", Mine(k=3)], seeds=8)`.

    Args:
        study: Settings, plain values for them, the path of a YAML file, or that of a pool (.parquet); the default study
            where None.
        results: Folder in which the study's own folder lies: local, or a URI such as `s3://bucket/results`.
        fresh: Throw away what lies there under the same name.
        observer: Learns what happens. None: a notebook shows progress, and other programs show nothing.
        command: Kept in the manifest.
        settings: Settings by name, over those of `study`: `pool` is a path, the name of a built-in pool, or settings;
            `strategies` a list of texts, objects and classes; `model` a class, a factory, or settings.

    Raises:
        AlrayError: Something in the settings, the pool, the folder or the cluster prevents it.
    """
    plan = plan_sweep(study, results=None if fresh else results, **settings)
    if fresh:
        require_workers(plan.study.execution)
    with SweepStore(location_of(results) / str(plan.study.name)) as store:
        tracked = tracked_sweep(plan, store)
        claim = _sweep_claim(plan, store)
        manifest.claim(store, claim, fresh=fresh)
        if not manifest.names_code(store, plan.code):
            plan = plan.without_code()
        plan = settle_precision(store, plan)
        # Before any run takes over a shorter one: the study has its new number of rounds from here on.
        store.write_study(plan.study.model_dump(mode="json"))
        observers = observers_of(plan.study.execution, observer, manifest.SWEEP)
        observers += [] if tracked is None else [tracked]
        driver = SweepDriver(plan, store, observers)
        if not driver.complete:
            warn_if_made_elsewhere(store)
        settled = settle_products(store, plan.study, plan.prepared)
        products = settled.execution.products.model_dump() | screen_entry(plan)
        origin = manifest_entries(plan) | manifest.origin(
            store, claim, command=command, complete=driver.complete, products=products
        )
        store.write_manifest(origin)
        try:
            driver.drive(lambda: start_executor(replace(plan, study=settled)))
        except Interrupted:
            driver.conclude()  # what is finished can be read meanwhile
            raise
        rounds, runs, summary = driver.conclude()
        store.write_manifest({**origin, **driver.pace, "ended": origin["ended"] or manifest.now()})
        if tracked is not None:
            tracked.finish(rounds, store.read_files(KEPT_FILES))
        ids = runs["run_id"]
        queries, answers = store.read_queries(ids), store.read_answers(ids)
        return ShownSweep(store.root, plan.study, rounds, queries, runs, summary, answers)


def plan_sweep(
    study: SweepStudy = None, *, results: str | Path | Location | None = None, **settings: Any
) -> Plan:
    """Read and split the pool, and check all that can be checked before a run starts; arguments are as in `sweep`.

    What lies in `results` goes on under the defaults that it was begun with.
    """
    spec = resolve(study_settings(SweepSpec, study, settings), SweepStore, results)
    code = with_packages(find_code(custom_names(spec)), spec)
    _require_sendable(code, spec.execution)
    return plan_of(spec, code)


def _sweep_claim(plan: Plan, store: SweepStore) -> manifest.Claim:
    of_this_pool = partial(holds_some, store, plan.runs)
    return manifest.Claim(plan.study, plan.pool, manifest.SWEEP, plan.code, of_this_pool)


def _correlation_claim(plan: CorrelationPlan, store: CorrelationStore) -> manifest.Claim:
    of_this_pool = partial(store.holds_objects_of, plan.pool)
    return manifest.Claim(plan.spec, plan.pool, manifest.CORRELATION, plan.code, of_this_pool)


def _require_sendable(code: CustomCode, execution: ExecutionSpec) -> None:
    """Refuse what a script or notebook defines and Ray cannot send to workers."""
    if code.values and execution.executor == "ray":
        from alray.ray_executor.sending import require_sendable  # noqa: PLC0415 -- as below

        require_sendable(code.values)


def runs_on_record(
    plan: Plan, results: str | Path | Location = DEFAULT_RESULTS, *, fresh: bool = False
) -> int | None:
    """Return how many runs of a plan are finished, None where `sweep` would begin anew; nothing is written.

    Raises:
        AlrayError: The folder or the cluster prevents the study, as `sweep` with the same arguments would find.
    """
    store = SweepStore(location_of(results) / str(plan.study.name))
    store.require_writable()
    if plan.study.execution.tracker is not None:
        tracker_of(plan.study.execution.tracker, store.root)
    if not manifest.goes_on(store, _sweep_claim(plan, store), fresh=fresh):
        require_workers(plan.study.execution)
        return None
    if not manifest.names_code(store, plan.code):
        plan = plan.without_code()
    rounds = store.counts()
    for line in explain(find_extensions(store, plan.runs, rounds)):
        _logger.info(line)
    finished = sum(rounds.get(run.run_id) == run.rounds + 1 for run in plan.runs)
    if finished < len(plan.runs):
        warn_if_made_elsewhere(store)
        require_workers(plan.study.execution)
    return finished


def start_executor(plan: Plan) -> Executor[Job, Progress]:
    """Return the executor that the sweep asks for; Ray is imported only if it is Ray."""
    pool, execution = plan.shared, plan.study.execution
    if execution.executor == "inline":
        return executor_here(pool, execution)
    from alray.ray_executor.actors import ActorExecutor  # noqa: PLC0415 -- seconds that inline need not pay

    return ActorExecutor(pool, execution, plan.code)


def correlate(
    study: CorrelationStudy = None,
    *,
    results: str | Path | Location = DEFAULT_RESULTS,
    fresh: bool = False,
    observer: CorrelationObserver | None = None,
    command: str = "alray.correlate(...)",
    **settings: Any,
) -> ShownCorrelation:
    """Run a correlation study, or the part of it that is not finished yet, and return its results.

    Arguments, warnings and errors are those of `sweep`: `alray.correlate(pool="posts.parquet", scores=["margin"])`.
    """
    plan = plan_correlation(study, results=None if fresh else results, **settings)
    spec = plan.spec
    if fresh:
        require_workers(spec.execution)
    with CorrelationStore(location_of(results) / str(spec.name)) as store:
        claim = _correlation_claim(plan, store)
        manifest.claim(store, claim, fresh=fresh)
        manifest.names_code(store, plan.code)
        observers = observers_of(spec.execution, observer, manifest.CORRELATION)
        driver = CorrelationDriver(plan, store, observers)
        if not driver.complete:
            warn_if_made_elsewhere(store)
        values = spec.model_dump(mode="json")
        ended = driver.complete and manifest.has_ended(store) and store.is_concluded(values)
        settled = settle_products(store, spec, plan.prepared)
        products = settled.execution.products.model_dump()
        origin = manifest.origin(store, claim, command=command, complete=ended, products=products)
        store.write_manifest({**origin, "counts": plan.counts})
        store.write_study(values)
        driver.drive(lambda: start_tasks(replace(plan, spec=settled)))
        store.write_failures(driver.failures)
        driver.require_a_complete_base()
        records = store.read_records(spec.bases)
        if not ended:
            from alray.analysis.correlation.summary import summarise  # noqa: PLC0415 -- SciPy, half a second

            bases, groups, outcomes = complete_records(spec, *records)
            rng = generator(spec.seed, 0, "bootstrap")
            found = summarise(groups, outcomes, bases, rng)
            store.write_found(found.judged(spec.matters))
            store.write_manifest({**origin, "counts": plan.counts, "ended": manifest.now()})
        return ShownCorrelation(**vars(read_correlation(store, records)))


def plan_correlation(
    study: CorrelationStudy = None,
    *,
    results: str | Path | Location | None = None,
    **settings: Any,
) -> CorrelationPlan:
    """Read and split the pool, and check all that can be checked before a task starts; as `plan_sweep`."""
    spec = resolve(study_settings(CorrelationSpec, study, settings), CorrelationStore, results)
    code = find_code(filter(None, [custom_model(spec.model.name)]))
    _require_sendable(code, spec.execution)
    pool = read_pool(spec.pool, spec.split.column)
    return make_correlation_plan(spec, pool, prepare(pool, spec.pool, spec.split, spec.seed), code)


def tasks_on_record(
    plan: CorrelationPlan, results: str | Path | Location = DEFAULT_RESULTS, *, fresh: bool = False
) -> int | None:
    """Return how many tasks of a plan are done, None where `correlate` would begin anew; as `runs_on_record`."""
    spec, names = plan.spec, plan.task_names()
    store = CorrelationStore(location_of(results) / str(spec.name))
    store.require_writable()
    found = manifest.goes_on(store, _correlation_claim(plan, store), fresh=fresh)
    done = len(store.done() & names) if found else None
    if done != len(names):
        warn_if_made_elsewhere(store)
        require_workers(spec.execution)
    return done


def start_tasks(plan: CorrelationPlan) -> Executor[Task, Performed]:
    """Return the executor that the study asks for; Ray is imported only if it is Ray."""
    pool, spec = plan.prepared, plan.spec
    if spec.execution.executor == "inline":
        return InlineExecutor(lambda: TaskWorker(pool, pool.checksum(), spec, HERE))
    from alray.ray_executor.tasks import TaskExecutor  # noqa: PLC0415 -- seconds that inline need not pay

    return TaskExecutor(pool, spec.execution, partial(make_task_worker, spec, plan.code))


def require_workers(execution: ExecutionSpec) -> None:
    """Refuse a cluster that does not answer, or a GPU that this process lacks, by an AlrayError."""
    if execution.executor == "inline":
        take_device(execution)
        return
    from alray.ray_executor.address import cluster_address, require_answer  # noqa: PLC0415 -- as above

    require_answer(cluster_address(execution))


def observers_of(execution: ExecutionSpec, observer: Any, kind: str) -> list[Any]:
    """Return who learns what happens: the caller's observer, a notebook otherwise, and Ray metrics if wanted."""
    observers = [] if observer is None else [observer]
    if observer is None and in_notebook():
        observers = [PROGRESS[kind]()]
    if not execution.metrics or execution.executor == "inline":
        return observers
    from alray.ray_executor.metrics import COUNTERS  # noqa: PLC0415 -- as above

    return [*observers, COUNTERS[kind]()]
