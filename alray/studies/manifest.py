"""Where a study comes from and whether a folder holds it: its manifest, and the claim on a folder."""

import datetime as dt
import logging
import platform
from collections.abc import Collection, Mapping
from typing import Any

from alray._version import __version__
from alray.errors import StoreError
from alray.pools.pool import Pool
from alray.settings.base import Settings, flatten
from alray.settings.run import SCHEMA
from alray.settings.secrets import without_secrets
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
    found = folder.read_manifest().get("kind", SWEEP)
    if found != kind:
        raise StoreError(f"{folder.root} holds a {found} study: read it with {READERS[found]}")


def claim(folder: Folder, settings: Settings, pool: Pool, *, kind: str, fresh: bool) -> None:
    """Make sure that what lies in a folder, locked for writing, is this study; `fresh` throws away what lies there.

    Raises:
        StoreError: It is another one; shows the differences.
    """
    # Other settings are welcome where nothing has been computed yet, e.g. after a refused start.
    if not goes_on(folder, settings, pool, kind=kind, fresh=fresh):
        folder.clear()


def goes_on(folder: Folder, settings: Settings, pool: Pool, *, kind: str, fresh: bool) -> bool:
    """Return whether a folder holds a part of this study; nothing is written.

    Raises:
        StoreError: It holds another one; shows the differences.
    """
    there_kind = folder.read_manifest().get("kind", SWEEP)
    if folder.exists() and there_kind != kind:
        raise StoreError(f"{folder.root} holds a {there_kind} study; choose another --name")
    if fresh or not folder.has_progress():
        return False
    if not folder.exists():
        return True
    changes = _changes(folder, settings, pool, kind)
    if changes:
        raise StoreError(
            f"{folder.root} holds a study with other settings:\n"
            + "\n".join(changes)
            + "\ngive this one another --name, or throw that one away with --fresh"
        )
    return True


def _changes(folder: Folder, settings: Settings, pool: Pool, kind: str) -> list[str]:
    """Return what differs between the study in a folder and this one, a line each."""
    there, here = (
        _fixed(values, ADDABLE[kind])
        for values in (folder.read_study(), settings.model_dump(mode="json"))
    )
    changes = []
    if kind == SWEEP and there.get("rounds", here["rounds"]) != here["rounds"]:
        if there["rounds"] < here["rounds"]:
            # Longer runs go on from shorter ones.
            here["rounds"] = there["rounds"]
        else:
            changes.append("  rounds can be added to a study, but not taken away")
    changes += [
        f"  {key}: {there.get(key)!r} there, {here.get(key)!r} now"
        for key in sorted(there.keys() | here.keys())
        if there.get(key) != here.get(key)
    ]
    manifest = folder.read_manifest()
    if manifest.get("pool_fingerprint") != pool.fingerprint:
        name = manifest.get("pool")
        names = f" (pool {name!r} there, {pool.name!r} now)" if name != pool.name else ""
        changes.append(f"  the pool's content is not the same{names}")
    if manifest.get("schema", SCHEMA) != SCHEMA:
        changes.append(f"  results schema: {manifest['schema']} there, {SCHEMA} now")
    return changes


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
    earlier = folder.read_manifest()
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
    earlier = folder.read_manifest()
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
