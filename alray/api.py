"""The same as the command line, from Python: `alray.sweep` and `alray.correlate`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alray.analysis.correlation.summary import as_original, summarise
from alray.errors import Interrupted, StudyFailed
from alray.pools.reading import Warn, ignore, read_pool
from alray.pools.split import prepare
from alray.reporting.correlation.report import Records, render_study
from alray.seeding import generator
from alray.settings import files
from alray.settings.correlation import CorrelationSpec
from alray.settings.sweep import SweepSpec
from alray.storage.location import Location, location_of
from alray.studies import manifest
from alray.studies.correlation.driver import CorrelationDriver
from alray.studies.correlation.executor import InlineTasks, TaskExecutor
from alray.studies.correlation.observer import CorrelationObserver
from alray.studies.correlation.plan import CorrelationPlan, make_correlation_plan
from alray.studies.correlation.results import KIND, Correlation, load_correlation
from alray.studies.correlation.store import CorrelationStore
from alray.studies.sweep.driver import Driver
from alray.studies.sweep.executor import Executor
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.plan import Plan, make_plan
from alray.studies.sweep.results import Sweep, load
from alray.studies.sweep.resume import is_finished
from alray.studies.sweep.store import Store
from alray.studies.sweep.worker import InlineExecutor

DEFAULT_RESULTS = "results"
"""Folder that studies go to, below the present one."""

SWEEP_ADDABLE = ("seeds", "strategies", "vary", "full_data", "name")
"""Settings of which a later command under the same name may ask for others."""


def sweep(
    study: SweepSpec | Mapping[str, Any] | str | Path | None = None,
    *,
    results: str | Path | Location = DEFAULT_RESULTS,
    fresh: bool = False,
    observer: Observer | None = None,
    command: str = "alray.sweep(...)",
    warn: Warn = ignore,
) -> Sweep:
    """Run a study, or the part of it that is not finished yet, and return its results.

    Args:
        study: Settings, plain values for them, or the path of a YAML file; the default study where None.
        results: Folder in which the study's own folder lies: local, or a URI such as `s3://bucket/results`.
        fresh: Throw away what lies there under the same name.
        observer: Told what happens.
        command: Kept in the manifest.
        warn: Told, a line each, what was left out of the pool as asked, and of whom the folder was taken over.

    Raises:
        AlrayError: Something in the settings, the pool, the folder or the cluster prevents it.
    """
    place = location_of(results)
    plan = plan_study(as_study(study), warn)
    folder = place / str(plan.study.name)
    with Store(folder, warn) as store:
        claim(store, plan, fresh=fresh)
        complete = all(is_finished(store, run) for run in plan.runs)
        if not complete:
            manifest.warn_if_source_changed(store, warn)
        provenance = manifest.manifest(
            store, plan.pool, kind=manifest.SWEEP, command=command, complete=complete
        )
        store.write_manifest(provenance)
        store.write_study(plan.study.model_dump(mode="json"))
        driver = Driver(plan, store, metered(plan.study, observer or Observer()))
        try:
            driver.drive(lambda: start_executor(plan))
        except Interrupted:
            # What is finished can be read meanwhile.
            driver.summarise()
            raise
        driver.summarise()
        store.write_manifest({**provenance, "ended": provenance["ended"] or manifest.now()})
    return load(folder)


def as_study(study: SweepSpec | Mapping[str, Any] | str | Path | None) -> SweepSpec:
    """Return settings from what `sweep` takes."""
    return files.as_settings(SweepSpec, study)


def plan_study(study: SweepSpec, warn: Warn = ignore) -> Plan:
    """Read the pool, split it, and check everything that can be checked before a run starts."""
    pool = read_pool(study.pool, warn)
    prepared = prepare(pool, study.pool, study.split, study.seed)
    return make_plan(study, pool, prepared)


def start_executor(plan: Plan) -> Executor:
    """Return the executor that the study asks for; Ray is imported only if it is Ray."""
    execution = plan.study.execution
    if execution.executor == "inline":
        return InlineExecutor(plan.prepared, execution)
    from alray.ray_executor import RayExecutor  # noqa: PLC0415 -- seconds that the inline executor need not pay

    return RayExecutor(plan.prepared, execution)


def metered(study: SweepSpec, observer: Observer) -> Observer:
    """Return the observer, behind one that exports metrics where the study asks for them."""
    execution = study.execution
    if not execution.metrics or execution.executor == "inline":
        return observer
    from alray.ray_executor.metrics import MeteredObserver  # noqa: PLC0415 -- as above

    return MeteredObserver(observer)


def claim(store: Store, plan: Plan, *, fresh: bool) -> None:
    """Make sure that what lies in the folder is this study.

    Raises:
        StoreError: It is another one; shows the differences.
    """
    manifest.claim(
        store, plan.study, plan.pool, kind=manifest.SWEEP, addable=SWEEP_ADDABLE, fresh=fresh
    )


CORRELATION_ADDABLE = ("bases", "fine_tune_seeds", "scores", "grouping", "outcome", "name")
"""Settings of which a later command under the same name may ask for others."""


def correlate(
    study: CorrelationSpec | Mapping[str, Any] | str | Path | None = None,
    *,
    results: str | Path | Location = DEFAULT_RESULTS,
    fresh: bool = False,
    observer: CorrelationObserver | None = None,
    command: str = "alray.correlate(...)",
    warn: Warn = ignore,
) -> Correlation:
    """Run a correlation study, or the part of it that is not finished yet, and return its results.

    Args:
        study: Settings, plain values for them, or the path of a YAML file; the default study where None.
        results: Folder in which the study's own folder lies: local, or a URI such as `s3://bucket/results`.
        fresh: Throw away what lies there under the same name.
        observer: Told what happens.
        command: Kept in the manifest.
        warn: Told, a line each, what was left out of the pool as asked, and of whom the folder was taken over.

    Raises:
        AlrayError: Something in the settings, the pool, the folder or the cluster prevents it.
    """
    place = location_of(results)
    plan = plan_correlation(as_correlation(study), warn)
    folder = place / str(plan.spec.name)
    with CorrelationStore(folder, warn) as store:
        manifest.claim(
            store, plan.spec, plan.pool, kind=KIND, addable=CORRELATION_ADDABLE, fresh=fresh
        )
        driver = CorrelationDriver(
            plan, store, metered_correlation(plan.spec, observer or CorrelationObserver())
        )
        settings = plan.spec.model_dump(mode="json")
        if not driver.complete:
            manifest.warn_if_source_changed(store, warn)
        told = driver.complete and store.has_report() and store.read_study() == settings
        provenance = manifest.manifest(store, plan.pool, kind=KIND, command=command, complete=told)
        provenance["counts"] = {
            "objects": len(plan.pool),
            "classes": len(plan.pool.classes),
            "train": len(plan.prepared.train),
            "test": len(plan.prepared.test),
        }
        store.write_manifest(provenance)
        store.write_study(settings)
        driver.drive(lambda: start_tasks(plan))
        store.write_failures(driver.failures)
        if not told:
            provenance["ended"] = manifest.now()
            _conclude(plan, store, driver, provenance)
            store.write_manifest(provenance)
    return load_correlation(folder)


def as_correlation(
    study: CorrelationSpec | Mapping[str, Any] | str | Path | None,
) -> CorrelationSpec:
    """Return settings from what `correlate` takes."""
    return files.as_settings(CorrelationSpec, study)


def plan_correlation(spec: CorrelationSpec, warn: Warn = ignore) -> CorrelationPlan:
    """Read the pool, split it, and check everything that can be checked before a task starts."""
    pool = read_pool(spec.pool, warn)
    return make_correlation_plan(spec, pool, prepare(pool, spec.pool, spec.split, spec.seed))


def start_tasks(plan: CorrelationPlan) -> TaskExecutor:
    """Return the executor that the study asks for; Ray is imported only if it is Ray."""
    if plan.spec.execution.executor == "inline":
        return InlineTasks(plan.prepared, plan.spec)
    from alray.ray_executor import RayTasks  # noqa: PLC0415 -- seconds that the inline executor need not pay

    return RayTasks(plan.prepared, plan.spec)


def metered_correlation(
    spec: CorrelationSpec, observer: CorrelationObserver
) -> CorrelationObserver:
    """Return the observer, behind one that exports metrics where the study asks for them."""
    execution = spec.execution
    if not execution.metrics or execution.executor == "inline":
        return observer
    from alray.ray_executor.metrics import MeteredCorrelationObserver  # noqa: PLC0415 -- as above

    return MeteredCorrelationObserver(observer)


def _conclude(
    plan: CorrelationPlan,
    store: CorrelationStore,
    driver: CorrelationDriver,
    provenance: Mapping[str, Any],
) -> None:
    """Write what the complete bases say: as data, as figures and as a page.

    Raises:
        StudyFailed: Not one of them is complete.
    """
    complete = driver.complete_bases()
    if not complete:
        name, (error, _) = next(iter(driver.failures.items()))
        raise StudyFailed(
            f"no base has all its fine-tunes: {len(driver.failures)} tasks failed, the first ({name}) with {error}; "
            f"all are in {store.root}/failures.parquet"
        )
    spec = plan.spec
    groups = store.read_groups(spec.bases)
    outcomes = store.read_outcomes([name for base in complete for name in driver.task_names(base)])
    if spec.compat == "original":
        outcomes = as_original(outcomes)
    bases = store.read_bases()
    groups, bases = (frame[frame["base"].isin(complete)] for frame in (groups, bases))
    found = summarise(groups, outcomes, bases, generator(spec.seed, 0, "bootstrap"))
    store.write_summary(found.summary)
    store.write_quantiles(found.quantiles)
    store.write_checks(found.checks)
    failures = {name: error for name, (error, _) in driver.failures.items()}
    records = Records(bases, groups, outcomes, failures)
    made, _ = render_study(spec, provenance, records, found, spec.outcome)
    store.write_files(made)
