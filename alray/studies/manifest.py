"""Where a study comes from and whether a folder holds it: its manifest, and the claim on a folder."""

import datetime as dt
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from alray.custom.code import NO_CODE, CustomCode
from alray.errors import StoreError
from alray.pools.pool import Pool
from alray.settings.base import Settings, flatten
from alray.settings.former import resolved_record
from alray.settings.run import SCHEMA
from alray.studies.folder import Folder
from alray.studies.provenance import made_by, made_on
from alray.studies.recorded_choices import PRECISION, PRODUCTS, choice_changes

SWEEP, CORRELATION, CAMPAIGN = "sweep", "correlation", "campaign"

CODE = "code"
"""The manifest's entry for the user's code: its files by name, and whether run ids depend on them."""

TRAIN_CLASSES = "train_classes"
"""The manifest's entry for each class's objects in the train part."""

TRAIN_OBJECTS = "train_objects"
"""The manifest's entry for the objects of the smallest train part, of a study without rounds."""

WORKERS = "workers"
"""The manifest's entry for how many runs there were at a time, of a sweep that has ended."""

READERS = {
    SWEEP: "alray.load",
    CORRELATION: "alray.load_correlation",
    CAMPAIGN: "alray.Campaign",
}
"""Kind of study: the function that reads one."""

ADDABLE = {
    SWEEP: ("seeds", "strategies", "vary", "full_data", "name"),
    CORRELATION: ("bases", "fine_tune_seeds", "scores", "grouping", "outcome", "matters", "name"),
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
        raise StoreError(f"{folder.root} holds {named_kind(found)}: read it with {READERS[found]}")


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


def has_ended(folder: Folder) -> bool:
    """Whether the last command that had something to do here came to its end, which is what it writes last."""
    return bool(read(folder, warn=False).get("ended"))


def kind_of(folder: Folder, manifest: Mapping[str, Any]) -> str:
    """Return a study's kind: its manifest's, else that of its settings."""
    if "kind" in manifest or not folder.exists():
        return str(manifest.get("kind", SWEEP))
    settings = folder.read_study()
    if "audit" in settings:
        return CAMPAIGN
    return CORRELATION if "fine_tune_seeds" in settings else SWEEP


def named_kind(kind: str) -> str:
    """Return what a folder of this kind holds, with its article."""
    return "a campaign of labelling" if kind == CAMPAIGN else f"a {kind} study"


@dataclass(frozen=True)
class Claim:
    """The study that asks for a folder.

    Attributes:
        kind: SWEEP or CORRELATION.
        code: What the user supplies of it.
        of_this_pool: Says, where manifest or settings are lost, if other files are of this pool (runs: of this study).
    """

    settings: Settings
    pool: Pool
    kind: str
    code: CustomCode = NO_CODE
    of_this_pool: Callable[[], bool] = lambda: False


def claim(folder: Folder, study: Claim, *, fresh: bool) -> None:
    """Make sure that what lies in a folder, locked for writing, is this study; `fresh` throws away what lies there.

    Raises:
        StoreError: It is another one; shows the differences.
    """
    # Other settings are welcome where nothing has been computed yet, e.g. after a refused start.
    if not goes_on(folder, study, fresh=fresh):
        folder.clear()


def goes_on(folder: Folder, study: Claim, *, fresh: bool) -> bool:
    """Return whether a folder holds a part of this study; nothing is written.

    Raises:
        StoreError: It holds another one; shows the differences.
    """
    manifest = read(folder)
    there_kind = kind_of(folder, manifest)
    has_settings = folder.exists()
    if has_settings and there_kind != study.kind:
        raise StoreError(f"{folder.root} holds {named_kind(there_kind)}; choose another --name")
    if fresh or not folder.has_progress():
        return False
    if not has_settings:
        _require_own_names(folder, study)
    changes = _changes(folder, manifest, study) if has_settings else []
    changed = changed_files(manifest, study.code)
    if changed and not changes:
        raise StoreError(
            f"{', '.join(changed)} has changed since {folder.root} was begun: its results are of the code as it was, "
            "and one arm would mix both; undo the change, run it under another --name, or throw that one away with "
            "--fresh (a new strategy in a file of its own can be added to a study)"
        )
    changes += [f"  {file} has changed" for file in changed]
    if changes:
        raise StoreError(
            f"{folder.root} holds a study with other settings:\n"
            + "\n".join(changes)
            + "\ngive this one another --name, or throw that one away with --fresh"
        )
    return True


def _require_own_names(folder: Folder, study: Claim) -> None:
    """Refuse records whose settings are lost, unless there are runs that are this study's by their names."""
    # The names of a correlation study's files do not say what its bases were fitted with.
    if study.kind == SWEEP and study.of_this_pool():
        return
    raise StoreError(
        f"{folder.root} holds records of a study, but no study.yaml, and none of them shows by its name that it is "
        "this study's; put that file back, give this study another --name, or throw the records away with --fresh"
    )


def _changes(folder: Folder, manifest: Mapping[str, Any], study: Claim) -> list[str]:
    """Return what differs between the study in a folder and this one, a line each."""
    recorded = resolved_record(type(study.settings), folder.read_study())
    now_set = study.settings.model_dump(mode="json")
    there, here = (_fixed(values, ADDABLE[study.kind]) for values in (recorded, now_set))
    changes = []
    if study.kind == SWEEP and there.get("rounds", here["rounds"]) != here["rounds"]:
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
    changes += choice_changes(manifest, flatten(recorded), flatten(now_set))
    changes += _pool_changes(manifest, study)
    if manifest.get("schema", SCHEMA) != SCHEMA:
        changes.append(f"  results schema: {manifest['schema']} there, {SCHEMA} now")
    return changes


def _pool_changes(manifest: Mapping[str, Any], study: Claim) -> list[str]:
    if "pool_fingerprint" not in manifest:
        lost = "  its pool is not known: manifest.json is lost, and nothing else there is of this pool"
        return [] if study.of_this_pool() else [lost]
    if manifest["pool_fingerprint"] == study.pool.fingerprint:
        return []
    there, here = manifest.get("pool"), study.pool.name
    names = f" (pool {there!r} there, {here!r} now)" if there != here else ""
    return [f"  the pool's content is not the same{names}"]


def _fixed(settings: Mapping[str, Any], addable: Collection[str]) -> dict[str, Any]:
    """Return the settings that all runs of a folder share, by dotted name, without those of `choice_changes`."""
    kept = {key: value for key, value in settings.items() if key not in (*addable, "execution")}
    execution = settings.get("execution", {})
    # The number of threads changes a run as another seed does, and so do the device and, on a GPU, how many runs are
    # trained at once, which follows from a run's share; how many run at a time does not.
    kept["execution"] = {
        "cpus_per_run": execution.get("cpus_per_run"),
        "gpus_per_run": execution.get("gpus_per_run") or 0,
        "gpu_precision": execution.get("gpu_precision", "float32"),
    }
    # The pool's content is compared by its fingerprint, so that it may move; where it lies changes no record.
    elsewhere = ("source", "storage")
    kept["pool"] = {
        key: value for key, value in kept.get("pool", {}).items() if key not in elsewhere
    }
    # A crowd's table is compared by the hash of its rows, as the pool is, and may move too.
    apart = (PRECISION, "crowd.table")
    return {key: value for key, value in flatten(kept).items() if key not in apart}


def changed_files(manifest: Mapping[str, Any], code: CustomCode) -> list[str]:
    """Return the files of the user's code that are not as a manifest has them; a new name may bring more files."""
    there: dict[str, dict[str, str]] = manifest.get(CODE, {}).get("names", {})
    known = {file: each for files in there.values() for file, each in files.items()}
    changed = {file for file, each in code.all_files.items() if known.get(file, each) != each}
    for name in there.keys() & code.files.keys():
        changed |= there[name].keys() ^ code.files[name].keys()
    return sorted(changed)


def names_code(folder: Folder, code: CustomCode) -> bool:
    """Whether the runs of a claimed folder have the user's code in their names: those of an older alray do not.

    Warns where code is named of which the folder does not hold what it was.
    """
    manifest = read(folder, warn=False)
    # Where it is lost, the claim has found runs by their names.
    if not manifest or not folder.has_progress():
        return True
    recorded = manifest.get(CODE)
    if recorded is not None:
        return bool(recorded["in_run_ids"])
    named = str(folder.read_study())
    if any(name in named for name in code.files):
        _logger.warning(
            "%s was begun by an alray that did not record custom code: whether it has changed since cannot be seen; "
            "from now on it is recorded",
            folder.root,
        )
    return False


def _code(earlier: Mapping[str, Any], code: CustomCode) -> dict[str, Any]:
    """Return what the manifest holds of the user's code; only one without an entry is of runs named without it."""
    before = earlier.get(CODE, {"in_run_ids": not earlier, "names": {}})
    names = {name: dict(files) for name, files in code.files.items()}
    return {"in_run_ids": before["in_run_ids"], "names": {**before["names"], **names}}


def origin(
    folder: Folder, study: Claim, *, command: str, complete: bool, products: Mapping[str, Any]
) -> dict[str, Any]:
    """Return where the study comes from: the earlier manifest if it is complete, else this command.

    A study that goes on keeps the time of its beginning and has no end yet.
    """
    earlier = read(folder, warn=False)
    if earlier.get("ended") and complete:
        return earlier
    return {
        "schema": SCHEMA,
        "kind": study.kind,
        **made_by(command),
        "begun": earlier.get("begun") or now(),
        "ended": None,
        "pool": study.pool.name,
        "pool_fingerprint": study.pool.fingerprint,
        CODE: _code(earlier, study.code),
        PRODUCTS: dict(products),
        **made_on(study.code.versions),
    }


def now() -> str:
    """Return the time as manifests hold it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
