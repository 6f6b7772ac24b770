"""`alray.correlate` from Python: does a score predict how useful an object is?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from alray import provenance
from alray.api import DEFAULT_RESULTS
from alray.correlation import as_original, summarise
from alray.correlation_driver import CorrelationDriver, CorrelationObserver
from alray.correlation_executor import InlineTasks, TaskExecutor
from alray.correlation_plan import CorrelationPlan, make_correlation_plan
from alray.correlation_report import Records, render_study
from alray.correlation_spec import CorrelationSpec
from alray.correlation_store import CorrelationStore
from alray.errors import StudyFailed
from alray.pools.content import Warn, ignore
from alray.pools.reading import read_pool
from alray.seeding import generator
from alray.settings import validate
from alray.split import prepare
from alray.storage.location import Location, StudyPlace, place_of, study_place

KIND = provenance.CORRELATION
ADDABLE = ("bases", "fine_tune_seeds", "scores", "grouping", "outcome", "name")
"""Settings of which a later command under the same name may ask for others."""


@dataclass(frozen=True)
class Correlation:
    """A correlation study on disk.

    Attributes:
        path: Its folder: a path or, in an object store, a location, which has `/`, name, parent and the URI as text.
        settings: Its resolved settings.
        bases: A row per base model.
        groups: A row per base, grouping and object.
        outcomes: A row per fine-tune and dose.
        summary: A row per score, grouping, outcome and dose.
        quantiles: Usefulness by score tenth.
        checks: The instrument's checks of itself.
        failures: A row per task that failed for good; empty where all went well.
    """

    path: StudyPlace
    settings: CorrelationSpec
    bases: pd.DataFrame
    groups: pd.DataFrame
    outcomes: pd.DataFrame
    summary: pd.DataFrame
    quantiles: pd.DataFrame
    checks: pd.DataFrame
    failures: pd.DataFrame


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
    place = place_of(results)
    plan = plan_correlation(as_correlation(study), warn)
    folder = place / str(plan.spec.name)
    with CorrelationStore(folder, warn) as store:
        provenance.claim(store, plan.spec, plan.pool, kind=KIND, addable=ADDABLE, fresh=fresh)
        driver = CorrelationDriver(
            plan, store, metered(plan.spec, observer or CorrelationObserver())
        )
        settings = plan.spec.model_dump(mode="json")
        if not driver.complete:
            provenance.tell_of_other_source(store, warn)
        told = driver.complete and store.has_report() and store.read_study() == settings
        manifest = provenance.manifest(store, plan.pool, kind=KIND, command=command, complete=told)
        manifest["counts"] = {
            "objects": len(plan.pool),
            "classes": len(plan.pool.classes),
            "train": len(plan.prepared.train),
            "test": len(plan.prepared.test),
        }
        store.write_manifest(manifest)
        store.write_study(settings)
        driver.drive(lambda: start_tasks(plan))
        store.write_failures(driver.failures)
        if not told:
            manifest["ended"] = provenance.now()
            _conclude(plan, store, driver, manifest)
            store.write_manifest(manifest)
    return load_correlation(folder)


def load_correlation(path: str | Path | Location) -> Correlation:
    """Read a correlation study from its folder: local, or a URI.

    Raises:
        StoreError: There is none at this path.
    """
    place = place_of(path)
    store = CorrelationStore(place)
    provenance.require_kind(store, KIND)
    spec = validate(CorrelationSpec, store.read_study(), f"{place}/study.yaml")
    return Correlation(
        study_place(place),
        spec,
        store.read_bases(),
        store.read_groups(spec.bases),
        store.read_outcomes(),
        store.read_summary(),
        store.read_quantiles(),
        store.read_checks(),
        store.read_failures(),
    )


def as_correlation(
    study: CorrelationSpec | Mapping[str, Any] | str | Path | None,
) -> CorrelationSpec:
    """Return settings from what `correlate` takes."""
    return provenance.as_settings(CorrelationSpec, study)


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


def metered(spec: CorrelationSpec, observer: CorrelationObserver) -> CorrelationObserver:
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
    manifest: Mapping[str, Any],
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
    files, _ = render_study(spec, manifest, records, found, spec.outcome)
    store.write_files(files)
