"""Reading what a report is about: a sweep's folder, or a table of learning curves made elsewhere."""

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from alray.analysis.sweep.arms import RANDOM
from alray.analysis.sweep.references import unmatched_references
from alray.analysis.wording import count, is_or_are, listed
from alray.errors import AlrayError, StoreError
from alray.pools.reading import read_pool
from alray.pools.split import train_classes
from alray.reporting.curve_tables import read_curves
from alray.settings.base import unknown_name
from alray.settings.common import PoolSpec
from alray.settings.former import as_recorded
from alray.settings.location import Location, StudyPath, location_of
from alray.settings.sweep import SweepSpec, SweepSplitSpec
from alray.studies import manifest
from alray.studies.correlation.results import Correlation
from alray.studies.folder import ERRORS, Folder
from alray.studies.manifest import TRAIN_CLASSES
from alray.studies.retries import HERE
from alray.studies.sweep.records import STATUS_COLUMNS
from alray.studies.sweep.results import Sweep
from alray.studies.sweep.store import NO_QUERIES, SweepStore

TABLE = "table"
"""Kind of a source that is a table of curves."""

Reportable = str | Path | Location | Sweep | Correlation
"""A study's folder or a table of curves, or a study that has been read already."""

_DATA = (
    "rounds/",
    "queries/",
    "runs.parquet",
    "summary.parquet",
    ERRORS,
    "study.yaml",
    "manifest.json",
)


@dataclass(frozen=True, eq=False)
class Source:
    """Records of a study, with their origin.

    Attributes:
        path: Folder or file.
        rounds: A row per finished run and round.
        queries: A row per object queried by a finished run; empty where unknown.
        runs: A row per run.
        reference: The strategy, or the arm, that others are compared with.
        problems: Sentences on failed and missing runs.
        settings: Plain settings, empty where unknown.
        manifest: Empty where unknown.
        train_classes: Class: objects in the pool's train part, mean over seeds, or None where unknown.
        data: Names of its data below the folder.
        ended: Whether `runs` has a row for every run of the study.
    """

    path: StudyPath
    rounds: pd.DataFrame
    queries: pd.DataFrame
    runs: pd.DataFrame
    reference: str
    problems: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    train_classes: Mapping[str, int] | None = None
    data: tuple[str, ...] = ()
    ended: bool = True

    @property
    def name(self) -> str:
        """The study's name, or that of its file."""
        return str(self.settings.get("name") or self.path.stem)

    @property
    def has_no_rounds(self) -> bool:
        """Whether it is a sweep that queries nothing: its variants are compared, not its strategies."""
        return bool(self.settings) and self.settings.get("rounds") == 0

    @property
    def is_original(self) -> bool:
        """Whether it is a sweep under `compat: original`, whose intervals are shown besides."""
        return self.settings.get("compat") == "original"


@dataclass(frozen=True)
class Results:
    """What there is to report on.

    Attributes:
        path: Folder or file.
        kind: sweep, correlation or table.
        manifest: The study's, empty for a table.
        loaded: The study's records, where they have been read already.
    """

    path: StudyPath
    kind: str
    manifest: Mapping[str, Any] = field(default_factory=dict)
    loaded: Sweep | Correlation | None = None


def find_results(study: Reportable) -> Results:
    """Return what there is to report on: a study, loaded or not, or a table, which lies on this machine.

    Raises:
        StoreError: Nothing of these is there.
    """
    if isinstance(study, (Sweep, Correlation)):
        return dataclasses.replace(find_results(study.path), loaded=study)
    path = location_of(study)
    if isinstance(path, Path) and path.is_file():
        return Results(path, TABLE)
    folder = Folder(path)
    if not folder.exists():
        raise StoreError(_nothing_at(path))
    found = manifest.read(folder)
    kind = manifest.kind_of(folder, found)
    if kind == manifest.CAMPAIGN:
        raise StoreError(
            f"{path} holds {manifest.named_kind(kind)}; `alray label status` shows it"
        )
    return Results(path, kind, found)


def _nothing_at(path: StudyPath) -> str:
    """Return that a path holds no study, with what may have been meant."""
    if isinstance(path, Location):
        if path.name.endswith((".csv", ".parquet")):
            return (
                f"{path}: a table of learning curves is read from this machine; download it first"
            )
        return f"{path} holds no study: it has no study.yaml"
    if not path.exists():
        beside = sorted(other.name for other in path.parent.glob("[!.]*")) if path.name else []
        near = unknown_name("study or table", path.name, beside) if beside else "nothing is there"
        return f"{path} does not exist: {near}"
    studies = sorted(inner.parent.name for inner in path.glob("*/study.yaml"))
    hint = f"; below it are studies: {', '.join(studies)}" if studies else ""
    return f"{path} holds no study: it has no study.yaml{hint}"


def read_table(path: StudyPath, against: str | None) -> Source:
    """Read a table of curves.

    Raises:
        StoreError: It cannot be used; names file, column, row and value.
    """
    reference = against or RANDOM
    rounds, runs, notes = read_curves(str(path), reference)
    empty: pd.DataFrame = NO_QUERIES.to_pandas()
    return Source(path, rounds, empty, runs, reference, notes, data=(path.name,))


def read_sweep(results: Results, against: str | None) -> Source:
    """Return a sweep, finished or not: its records are read from the folder unless they have been already.

    Args:
        results: The folder, with its manifest.
        against: An arm or a strategy to compare with instead of random.

    Raises:
        StoreError: It cannot be read, no run has finished, or there is no such arm.
    """
    path, store, loaded = results.path, SweepStore(results.path), results.loaded
    settings = as_recorded(SweepSpec, store.read_study())
    written = store.has_runs()
    if isinstance(loaded, Sweep):
        runs = loaded.runs
    else:
        runs = store.read_runs() if written else _runs_of(store, settings)
    finished = runs.loc[runs["status"] == "finished", ["run_id", "full_data"]]
    problems = problems_of(runs, written=written)
    if "failed" in set(runs["status"]) and store.holds([ERRORS]):
        problems.append(f"Errors in full are in {ERRORS}.")
    if finished.empty:
        raise StoreError(f"{path}: no run has finished yet. {' '.join(problems)}".rstrip())
    if against is not None:
        _check_reference(runs, against)
    elif not settings["training"].get(
        "loss_prediction"
    ):  # else it trains the network of every arm
        problems += unmatched_references(runs)
    # A finished run without records, as in a damaged folder, is named when arms are compared.
    of_rounds = finished["run_id"]
    # Runs on full data have queried nothing: they have been given everything.
    of_queries = finished.loc[~finished["full_data"], "run_id"]
    if isinstance(loaded, Sweep):
        rounds, queries = _rows(loaded.rounds, of_rounds), _rows(loaded.queries, of_queries)
    else:
        rounds, queries = store.read_rounds(of_rounds), store.read_queries(of_queries)
    return Source(
        path=path,
        rounds=rounds,
        queries=queries,
        runs=runs,
        reference=against or RANDOM,
        problems=tuple(problems),
        settings=settings,
        manifest=results.manifest,
        train_classes=_train_classes(settings, results.manifest),
        data=store.holds(_DATA),
        ended=written,
    )


def _rows(frame: pd.DataFrame, run_ids: Collection[str]) -> pd.DataFrame:
    return frame[frame["run_id"].isin(run_ids)].reset_index(drop=True)


def _runs_of(store: SweepStore, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return a row per run from the records of rounds: runs.parquet is written when a study ends or is stopped."""
    records = store.read_rounds()
    last = records.sort_values("round").drop_duplicates("run_id", keep="last")
    rounds = np.where(last["full_data"], 0, int(settings.get("rounds", 0)))
    status = np.where(last["round"] >= rounds, "finished", "unfinished")
    known = last.assign(status=status, rounds_done=last["round"])
    return known.sort_values("run_id").reindex(columns=list(STATUS_COLUMNS))


def _check_reference(runs: pd.DataFrame, reference: str) -> None:
    """Refuse a reference that is neither an arm nor a strategy, and name the nearest one."""
    compared = runs[~runs["full_data"]]
    names = list(dict.fromkeys([*compared["arm"], *compared["strategy"]]))
    if reference not in names:
        raise StoreError(f"--against {reference}: {unknown_name('arm', reference, names)}")


def _train_classes(
    settings: Mapping[str, Any], manifest: Mapping[str, Any]
) -> Mapping[str, int] | None:
    """Return the classes of the train part from the manifest or, while the pool is still there, from the pool.

    Where each seed has its own split, these are means over the seeds; they differ only where groups are kept whole.
    """
    if TRAIN_CLASSES in manifest:
        return {str(name): int(number) for name, number in manifest[TRAIN_CLASSES].items()}
    try:
        split = SweepSplitSpec.model_validate(settings["split"])
        pool = read_pool(PoolSpec.model_validate(settings["pool"]), split.column)
        seeds = settings["seeds"] if split.per == "seed" else [0]
        found = train_classes(pool, split, int(settings["seed"]), seeds)
    except (AlrayError, ValidationError, KeyError):
        return None
    if pool.fingerprint != manifest.get("pool_fingerprint"):
        return None
    return found


def problems_of(runs: pd.DataFrame, *, written: bool) -> list[str]:
    """Return what is missing: runs that failed, with node and error, and runs that have not ended.

    Args:
        runs: A row per run.
        written: Whether the rows are those that the study's driver has written.
    """
    failed = runs[runs["status"] == "failed"]
    unfinished = runs[~runs["status"].isin(["finished", "failed"])]
    problems = []
    if len(failed):
        causes = _causes(failed)
        named = listed(
            [f"{run}{cause}" for run, cause in zip(_names(failed), causes, strict=True)]
        )
        number = f"{count(len(failed), 'run')} failed and {is_or_are(len(failed))}"
        problems.append(f"{number} left out: {named}.")
    if len(unfinished):
        done = [f"round {n}" if n >= 0 else "no round done" for n in unfinished["rounds_done"]]
        named = listed(
            [f"{run}: {each}" for run, each in zip(_names(unfinished), done, strict=True)]
        )
        number = f"{count(len(unfinished), 'run')} {is_or_are(len(unfinished))}"
        problems.append(f"{number} not finished and left out: {named}.")
    if not written:
        problems.append(
            "The study has not ended: runs that have not finished a round yet are not counted."
        )
    return problems


def _causes(failed: pd.DataFrame) -> list[str]:
    """Return node and error of each run; an error after several starts names its nodes already."""
    hosts = failed["host"].fillna("") if "host" in failed else [""] * len(failed)
    return [
        f" on {host}: {error}" if host not in ("", HERE) and host not in error else f": {error}"
        for host, error in zip(hosts, failed["error"], strict=True)
    ]


def _names(runs: pd.DataFrame) -> list[str]:
    return [f"{arm}, seed {seed}" for arm, seed in zip(runs["arm"], runs["seed"], strict=True)]
