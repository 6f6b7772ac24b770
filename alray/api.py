"""The same as the command line, from Python: `alray.sweep` and `alray.load`."""

import datetime as dt
import platform
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from alray._version import __version__
from alray.driver import Driver, Observer, is_finished
from alray.errors import Interrupted, SpecError, StoreError
from alray.executor import Executor, InlineExecutor
from alray.plan import Plan, make_plan
from alray.pools.content import Warn, ignore
from alray.pools.reading import read_pool
from alray.records import NO_QUERIES, NO_ROUNDS
from alray.spec import SCHEMA, StudySpec, validate
from alray.split import prepare
from alray.store import Store

DEFAULT_RESULTS = "results"
"""Folder that studies go to, below the present one."""

ADDABLE = ("seeds", "strategies", "vary", "name")
"""Settings of which a later command under the same name may ask for others."""


@dataclass(frozen=True)
class Study:
    """A study on disk.

    Attributes:
        path: Its folder.
        settings: Its resolved settings.
        rounds: A row per run and round.
        queries: A row per queried object.
        runs: A row per run.
        summary: A row per arm.
    """

    path: Path
    settings: StudySpec
    rounds: pd.DataFrame
    queries: pd.DataFrame
    runs: pd.DataFrame
    summary: pd.DataFrame


def sweep(
    study: StudySpec | Mapping[str, Any] | str | Path | None = None,
    *,
    results: str | Path = DEFAULT_RESULTS,
    fresh: bool = False,
    observer: Observer | None = None,
    command: str = "alray.sweep(...)",
    warn: Warn = ignore,
) -> Study:
    """Run a study, or the part of it that is not finished yet, and return its results.

    Args:
        study: Settings, plain values for them, or the path of a YAML file; the default study where None.
        results: Folder in which the study's own folder lies.
        fresh: Throw away what lies there under the same name.
        observer: Told what happens.
        command: Kept in the manifest.
        warn: Told, a line each, what was left out of the pool as asked.

    Raises:
        AlrayError: Something in the settings, the pool, the folder or the cluster prevents it.
    """
    plan = plan_study(as_study(study), warn)
    folder = Path(results) / str(plan.study.name)
    with Store(folder) as store:
        claim(store, plan, fresh=fresh)
        manifest = _manifest(store, plan, command)
        store.write_manifest(manifest)
        store.write_study(plan.study.model_dump(mode="json"))
        driver = Driver(plan, store, observer or Observer())
        try:
            driver.drive(lambda: start_executor(plan))
        except Interrupted:
            # What is finished can be read meanwhile.
            driver.summarise()
            raise
        driver.summarise()
        store.write_manifest({**manifest, "ended": manifest["ended"] or _now()})
    return load(folder)


def load(path: str | Path) -> Study:
    """Read a study.

    Raises:
        StoreError: There is none at this path.
    """
    store = Store(Path(path))
    if not store.exists():
        raise StoreError(f"{path} holds no study: it has no study.yaml")
    runs = store.read_runs()
    return Study(
        Path(path),
        validate(StudySpec, store.read_study(), f"{path}/study.yaml"),
        store.read_rounds(NO_ROUNDS),
        store.read_queries(NO_QUERIES),
        runs,
        store.read_summary(),
    )


def as_study(study: StudySpec | Mapping[str, Any] | str | Path | None) -> StudySpec:
    """Return settings from what `sweep` takes."""
    if isinstance(study, StudySpec):
        return study
    if isinstance(study, (str, Path)):
        return validate(StudySpec, read_yaml(Path(study)), str(study))
    return validate(StudySpec, study or {}, "the study")


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a settings file.

    Raises:
        SpecError: It does not exist or does not hold settings.
    """
    try:
        values = yaml.safe_load(path.read_text())
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecError(f"{path} is not YAML: {error}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise SpecError(f"{path}: expected settings (key: value), found {type(values).__name__}")
    return values


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


def claim(store: Store, plan: Plan, *, fresh: bool) -> None:
    """Make sure that what lies in the folder is this study.

    Raises:
        StoreError: It is another one; shows the differences.
    """
    # Other settings are welcome where nothing has been computed yet, e.g. after a refused start.
    if fresh or not store.has_progress():
        store.clear()
    if not store.exists():
        return
    manifest = store.read_manifest()
    there, here = (
        _fixed(settings) for settings in (store.read_study(), plan.study.model_dump(mode="json"))
    )
    changes = [
        f"  {key}: {there.get(key)!r} there, {here.get(key)!r} now"
        for key in sorted(there.keys() | here.keys())
        if there.get(key) != here.get(key)
    ]
    if manifest.get("pool_fingerprint") != plan.pool.fingerprint:
        changes.append("  the pool's content is not the same")
    if manifest.get("schema", SCHEMA) != SCHEMA:
        changes.append(f"  results schema: {manifest['schema']} there, {SCHEMA} now")
    if changes:
        raise StoreError(
            f"{store.root} holds a study with other settings:\n"
            + "\n".join(changes)
            + "\ngive this one another --name, or throw that one away with --fresh"
        )


def _fixed(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that all runs of a folder share, by dotted name."""
    kept = {key: value for key, value in settings.items() if key not in (*ADDABLE, "execution")}
    execution = settings.get("execution", {})
    # What a run is played on changes its last digits; how many at a time does not.
    kept["execution"] = {
        "cpus_per_run": execution.get("cpus_per_run"),
        "on a GPU": bool(execution.get("gpus_per_run")),
    }
    # The pool's content is compared by its fingerprint, so that it may move.
    kept["pool"] = {key: value for key, value in kept.get("pool", {}).items() if key != "source"}
    return _flatten(kept)


def _flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _manifest(store: Store, plan: Plan, command: str) -> dict[str, Any]:
    """Return where the study comes from: the earlier manifest if nothing is left to play, else this command.

    A study that goes on keeps the time of its beginning and has no end yet.
    """
    earlier = store.read_manifest()
    if earlier.get("ended") and all(is_finished(store, run) for run in plan.runs):
        return earlier
    return {
        "schema": SCHEMA,
        "alray": __version__,
        "git_commit": _git_commit(),
        "command": command,
        "begun": earlier.get("begun") or _now(),
        "ended": None,
        "pool": plan.pool.name,
        "pool_fingerprint": plan.pool.fingerprint,
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in ("torch", "ray", "numpy", "pyarrow")},
        "machine": {"system": platform.platform(), "processor": _processor()},
    }


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _git_commit() -> str | None:
    """Return the commit of alray's own checkout, if it runs from one."""
    root = Path(__file__).parent.parent
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    found = subprocess.run(  # a fixed command
        [git, "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None
