"""The same as the command line, from Python: `alray.sweep` and `alray.load`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from alray import provenance
from alray.driver import Driver, Observer, is_finished
from alray.errors import Interrupted
from alray.executor import Executor, InlineExecutor
from alray.plan import Plan, make_plan
from alray.pools.content import Warn, ignore
from alray.pools.reading import read_pool
from alray.records import NO_QUERIES, NO_ROUNDS
from alray.settings import validate
from alray.spec import StudySpec
from alray.split import prepare
from alray.storage.location import Location, StudyPlace, place_of, study_place
from alray.store import Store

DEFAULT_RESULTS = "results"
"""Folder that studies go to, below the present one."""

ADDABLE = ("seeds", "strategies", "vary", "full_data", "name")
"""Settings of which a later command under the same name may ask for others."""


@dataclass(frozen=True)
class Study:
    """A study on disk.

    Attributes:
        path: Its folder: a path or, in an object store, a location, which has `/`, name, parent and the URI as text.
        settings: Its resolved settings.
        rounds: A row per run and round.
        queries: A row per queried object.
        runs: A row per run.
        summary: A row per arm.
    """

    path: StudyPlace
    settings: StudySpec
    rounds: pd.DataFrame
    queries: pd.DataFrame
    runs: pd.DataFrame
    summary: pd.DataFrame


def sweep(
    study: StudySpec | Mapping[str, Any] | str | Path | None = None,
    *,
    results: str | Path | Location = DEFAULT_RESULTS,
    fresh: bool = False,
    observer: Observer | None = None,
    command: str = "alray.sweep(...)",
    warn: Warn = ignore,
) -> Study:
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
    place = place_of(results)
    plan = plan_study(as_study(study), warn)
    folder = place / str(plan.study.name)
    with Store(folder, warn) as store:
        claim(store, plan, fresh=fresh)
        complete = all(is_finished(store, run) for run in plan.runs)
        if not complete:
            provenance.tell_of_other_source(store, warn)
        manifest = provenance.manifest(
            store, plan.pool, kind=provenance.SWEEP, command=command, complete=complete
        )
        store.write_manifest(manifest)
        store.write_study(plan.study.model_dump(mode="json"))
        driver = Driver(plan, store, metered(plan.study, observer or Observer()))
        try:
            driver.drive(lambda: start_executor(plan))
        except Interrupted:
            # What is finished can be read meanwhile.
            driver.summarise()
            raise
        driver.summarise()
        store.write_manifest({**manifest, "ended": manifest["ended"] or provenance.now()})
    return load(folder)


def load(path: str | Path | Location) -> Study:
    """Read a study from its folder: local, or a URI.

    Raises:
        StoreError: There is none at this path.
    """
    place = place_of(path)
    store = Store(place)
    provenance.require_kind(store, provenance.SWEEP)
    runs = store.read_runs()
    return Study(
        study_place(place),
        validate(StudySpec, store.read_study(), f"{place}/study.yaml"),
        store.read_rounds(NO_ROUNDS),
        store.read_queries(NO_QUERIES),
        runs,
        store.read_summary(),
    )


def as_study(study: StudySpec | Mapping[str, Any] | str | Path | None) -> StudySpec:
    """Return settings from what `sweep` takes."""
    return provenance.as_settings(StudySpec, study)


def plan_study(study: StudySpec, warn: Warn = ignore) -> Plan:
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


def metered(study: StudySpec, observer: Observer) -> Observer:
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
    provenance.claim(
        store, plan.study, plan.pool, kind=provenance.SWEEP, addable=ADDABLE, fresh=fresh
    )
