"""Where a study comes from and whether a folder holds it: its manifest, and the claim on a folder."""

import datetime as dt
import logging
import platform
from collections.abc import Callable, Collection, Mapping
from typing import Any

from alray._version import __version__
from alray.errors import StoreError
from alray.pools.pool import Pool
from alray.settings.base import Settings, flatten
from alray.settings.run import SCHEMA
from alray.storage.location import without_secrets
from alray.studies.folder import Folder
from alray.studies.machine import PACKAGES, git_commit, installed_version, own_source, processor

SWEEP, CORRELATION = "sweep", "correlation"

READERS = {SWEEP: "alray.load", CORRELATION: "alray.load_correlation"}
"""Kind of study: the function that reads one."""

ADDABLE = {
    SWEEP: ("seeds", "strategies", "vary", "full_data", "name"),
    CORRELATION: ("bases", "fine_tune_seeds", "scores", "grouping", "outcome", "name"),
}
"""Kind of study: settings of which a later command under the same name may ask for others."""

_logger = logging.getLogger(__name__)


def require_kind(folder: Folder, kind: str) -> None:
    """Refuse a folder that holds no study, or one of another kind.

    Raises:
        StoreError: Names what is there, and how to read it.
    """
    if not folder.exists():
        raise StoreError(f"{folder.root} holds no study: it has no study.yaml")
    found = kind_of(folder, read(folder))
    if found != kind:
        raise StoreError(f"{folder.root} holds a {found} study: read it with {READERS[found]}")


def read(folder: Folder, *, warn: bool = True) -> dict[str, Any]:
    """Return a folder's manifest; empty where there is none or, with a warning, where it is damaged.

    Everything else that a study needs lies in its other files.

    Raises:
        StoreError: It cannot be read at all.
    """
    try:
        return folder.read_manifest()
    except StoreError as error:
        reason = error.__cause__
        if not isinstance(reason, ValueError):
            raise
    if warn:
        _logger.warning(
            "%s/manifest.json is damaged (%s): where the study came from is not known any longer; its other files are "
            "read",
            folder.root,
            reason,
        )
    return {}


def kind_of(folder: Folder, manifest: Mapping[str, Any]) -> str:
    """Return a study's kind: its manifest's, else that of its settings."""
    if "kind" in manifest or not folder.exists():
        return str(manifest.get("kind", SWEEP))
    return CORRELATION if "fine_tune_seeds" in folder.read_study() else SWEEP


def claim(
    folder: Folder,
    settings: Settings,
    pool: Pool,
    *,
    kind: str,
    fresh: bool,
    of_this_pool: Callable[[], bool] = lambda: False,
) -> None:
    """Make sure that what lies in a folder, locked for writing, is this study; `fresh` throws away what lies there.

    Where the manifest is lost, `of_this_pool` says whether the folder's other files are of this pool.

    Raises:
        StoreError: It is another one; shows the differences.
    """
    manifest = read(folder)
    there_kind = kind_of(folder, manifest)
    if folder.exists() and there_kind != kind:
        raise StoreError(f"{folder.root} holds a {there_kind} study; choose another --name")
    # Other settings are welcome where nothing has been computed yet, e.g. after a refused start.
    if fresh or not folder.has_progress():
        folder.clear()
    if not folder.exists():
        return
    there, here = (
        _fixed(values, ADDABLE[kind])
        for values in (folder.read_study(), settings.model_dump(mode="json"))
    )
    changes = [
        f"  {key}: {there.get(key)!r} there, {here.get(key)!r} now"
        for key in sorted(there.keys() | here.keys())
        if there.get(key) != here.get(key)
    ]
    changes += _pool_changes(manifest, pool, of_this_pool)
    if manifest.get("schema", SCHEMA) != SCHEMA:
        changes.append(f"  results schema: {manifest['schema']} there, {SCHEMA} now")
    if changes:
        raise StoreError(
            f"{folder.root} holds a study with other settings:\n"
            + "\n".join(changes)
            + "\ngive this one another --name, or throw that one away with --fresh"
        )


def _pool_changes(
    manifest: Mapping[str, Any], pool: Pool, of_this_pool: Callable[[], bool]
) -> list[str]:
    if "pool_fingerprint" in manifest:
        same = manifest["pool_fingerprint"] == pool.fingerprint
        return [] if same else ["  the pool's content is not the same"]
    lost = "  its pool is not known: manifest.json is lost, and nothing else there is of this pool"
    return [] if of_this_pool() else [lost]


def _fixed(settings: Mapping[str, Any], addable: Collection[str]) -> dict[str, Any]:
    """Return the settings that all runs of a folder share, by dotted name."""
    kept = {key: value for key, value in settings.items() if key not in (*addable, "execution")}
    execution = settings.get("execution", {})
    # The device and the number of threads change the last digits; the number of runs at a time does not.
    kept["execution"] = {
        "cpus_per_run": execution.get("cpus_per_run"),
        "on a GPU": bool(execution.get("gpus_per_run")),
    }
    # The pool's content is compared by its fingerprint, so that it may move.
    kept["pool"] = {key: value for key, value in kept.get("pool", {}).items() if key != "source"}
    return flatten(kept)


def origin(
    folder: Folder, pool: Pool, *, kind: str, command: str, complete: bool
) -> dict[str, Any]:
    """Return where the study comes from: the earlier manifest if it is complete, else this command.

    A study that goes on keeps the time of its beginning and has no end yet.
    """
    earlier = read(folder, warn=False)
    if earlier.get("ended") and complete:
        return earlier
    return {
        "schema": SCHEMA,
        "kind": kind,
        "alray": __version__,
        "source": own_source(),
        "git_commit": git_commit(),
        "command": without_secrets(command),
        "begun": earlier.get("begun") or now(),
        "ended": None,
        "pool": pool.name,
        "pool_fingerprint": pool.fingerprint,
        "python": platform.python_version(),
        "versions": {name: installed_version(name) for name in PACKAGES},
        "machine": {"system": platform.platform(), "processor": processor()},
    }


def warn_if_source_changed(folder: Folder) -> None:
    """Warn that a study goes on with another alray than it was begun with."""
    earlier = read(folder, warn=False)
    then, here = earlier.get("source"), own_source()
    if folder.has_progress() and then is not None and then != here:
        _logger.warning(
            "%s was begun with another alray (%s, source %s; here %s, source %s): what is finished stays, and what is "
            "added may not be quite comparable; --fresh starts over",
            folder.root,
            earlier["alray"],
            then,
            __version__,
            here,
        )


def now() -> str:
    """Return the time as manifests hold it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
