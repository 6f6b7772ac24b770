"""Where a study comes from and whether a folder holds it: manifests, settings files, the claim on a folder."""

import datetime as dt
import functools
import platform
import shutil
import subprocess
from collections.abc import Callable, Collection, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from alray._version import __version__
from alray.errors import SpecError, StoreError
from alray.folder import Folder
from alray.node_facts import alray_versions
from alray.pool import Pool
from alray.settings import AnySettings, Settings, validate
from alray.spec import SCHEMA
from alray.storage.location import without_secrets

SWEEP, CORRELATION = "sweep", "correlation"

READERS = {SWEEP: "alray.load", CORRELATION: "alray.load_correlation"}
"""Kind of study: the function that reads it."""


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


def as_settings(
    kind: type[AnySettings], study: AnySettings | Mapping[str, Any] | str | Path | None
) -> AnySettings:
    """Return settings from what Python callers may give: settings, plain values, a YAML file, or None for the default.

    Raises:
        SpecError: They are not valid.
    """
    if isinstance(study, kind):
        return study
    if isinstance(study, (str, Path)):
        return validate(kind, read_yaml(Path(study)), str(study))
    return validate(kind, study or {}, "the study")  # type: ignore[arg-type]  # no other settings are left


def require_kind(folder: Folder, kind: str) -> None:
    """Refuse a folder that holds no study, or one of another kind.

    Raises:
        StoreError: Names what is there, and how to read it.
    """
    if not folder.exists():
        raise StoreError(f"{folder.root} holds no study: it has no study.yaml")
    found = folder.read_manifest().get("kind", SWEEP)
    if found != kind:
        raise StoreError(f"{folder.root} holds a {found} study: read it with {READERS[found]}")


def claim(
    folder: Folder,
    settings: Settings,
    pool: Pool,
    *,
    kind: str,
    addable: Collection[str],
    fresh: bool,
) -> None:
    """Make sure that what lies in the folder is this study.

    Args:
        folder: Locked for writing.
        settings: The study's.
        pool: Its pool.
        kind: sweep or correlation.
        addable: Settings of which a later command under the same name may ask for others.
        fresh: Throw away what lies there.

    Raises:
        StoreError: It is another one; shows the differences.
    """
    manifest = folder.read_manifest()
    there_kind = manifest.get("kind", SWEEP)
    if folder.exists() and there_kind != kind:
        raise StoreError(f"{folder.root} holds a {there_kind} study; choose another --name")
    # Other settings are welcome where nothing has been computed yet, e.g. after a refused start.
    if fresh or not folder.has_progress():
        folder.clear()
    if not folder.exists():
        return
    there, here = (
        _fixed(values, addable)
        for values in (folder.read_study(), settings.model_dump(mode="json"))
    )
    changes = [
        f"  {key}: {there.get(key)!r} there, {here.get(key)!r} now"
        for key in sorted(there.keys() | here.keys())
        if there.get(key) != here.get(key)
    ]
    if manifest.get("pool_fingerprint") != pool.fingerprint:
        changes.append("  the pool's content is not the same")
    if manifest.get("schema", SCHEMA) != SCHEMA:
        changes.append(f"  results schema: {manifest['schema']} there, {SCHEMA} now")
    if changes:
        raise StoreError(
            f"{folder.root} holds a study with other settings:\n"
            + "\n".join(changes)
            + "\ngive this one another --name, or throw that one away with --fresh"
        )


def _fixed(settings: Mapping[str, Any], addable: Collection[str]) -> dict[str, Any]:
    """Return the settings that all runs of a folder share, by dotted name."""
    kept = {key: value for key, value in settings.items() if key not in (*addable, "execution")}
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


def manifest(
    folder: Folder, pool: Pool, *, kind: str, command: str, complete: bool
) -> dict[str, Any]:
    """Return where the study comes from: the earlier manifest if it is complete, else this command.

    A study that goes on keeps the time of its beginning and has no end yet.
    """
    earlier = folder.read_manifest()
    if earlier.get("ended") and complete:
        return earlier
    return {
        "schema": SCHEMA,
        "kind": kind,
        "alray": __version__,
        "source": _source(),
        "git_commit": _git_commit(),
        "command": without_secrets(command),
        "begun": earlier.get("begun") or now(),
        "ended": None,
        "pool": pool.name,
        "pool_fingerprint": pool.fingerprint,
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in ("torch", "ray", "numpy", "pyarrow")},
        "machine": {"system": platform.platform(), "processor": _processor()},
    }


def tell_of_other_source(folder: Folder, warn: Callable[[str], None]) -> None:
    """Warn that a study goes on with another alray than it was begun with."""
    earlier = folder.read_manifest()
    then, here = earlier.get("source"), _source()
    if folder.has_progress() and then is not None and then != here:
        warn(
            f"{folder.root} was begun with another alray ({earlier['alray']}, source {then}; here {__version__}, source {here}): what "
            "is finished stays, and what is added may not be quite comparable; --fresh starts over"
        )


@functools.cache
def _source() -> str:
    """Return the fingerprint of alray as this process found it."""
    return alray_versions()["alray's source"]


def now() -> str:
    """Return the time as manifests hold it."""
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
