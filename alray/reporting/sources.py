"""Reading what a report is about: a sweep's folder, or a table of learning curves made elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from alray.analysis.sweep.arms import RANDOM
from alray.analysis.wording import count
from alray.errors import AlrayError, StoreError
from alray.pools.builtin import pool_name
from alray.pools.reading import read_pool
from alray.pools.split import TRAIN, assign_parts
from alray.reporting.curve_tables import read_curves
from alray.reporting.problems import problems_of
from alray.seeding import generator
from alray.settings.base import unknown_name
from alray.settings.common import PoolSpec, SplitSpec
from alray.storage.location import Location, StudyPath
from alray.studies.folder import Folder
from alray.studies.manifest import SWEEP
from alray.studies.sweep.records import STATUS_COLUMNS
from alray.studies.sweep.store import NO_QUERIES, SweepStore

TABLE = "table"
"""Kind of a source that is a table of curves."""

_DATA = ("rounds/", "queries/", "runs.parquet", "summary.parquet", "study.yaml", "manifest.json")


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
        train_classes: Class: objects in the pool's train part, or None where unknown.
        data: Names of its data below the folder.
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

    @property
    def name(self) -> str:
        """The study's name, or that of its file."""
        return str(self.settings.get("name") or self.path.stem)


@dataclass(frozen=True)
class Results:
    """What there is to report on.

    Attributes:
        path: Folder or file.
        kind: sweep, correlation or table.
        manifest: The study's, empty for a table.
    """

    path: StudyPath
    kind: str
    manifest: Mapping[str, Any] = field(default_factory=dict)


def find_results(path: StudyPath) -> Results:
    """Return what lies at a path: a study, or a table, which lies on this machine.

    Raises:
        StoreError: Nothing of these is there.
    """
    if isinstance(path, Location):
        return _find_in_store(path)
    if path.is_file():
        return Results(path, TABLE)
    if not path.exists():
        beside = sorted(other.name for other in path.parent.glob("[!.]*")) if path.name else []
        near = unknown_name("study or table", path.name, beside) if beside else "nothing is there"
        raise StoreError(f"{path} does not exist: {near}")
    folder = Folder(path)
    if not folder.exists():
        studies = sorted(inner.parent.name for inner in path.glob("*/study.yaml"))
        hint = f"; below it are studies: {', '.join(studies)}" if studies else ""
        raise StoreError(f"{path} holds no study: it has no study.yaml{hint}")
    return _study(path, folder)


def _find_in_store(location: Location) -> Results:
    folder = Folder(location)
    if folder.exists():
        return _study(location, folder)
    if location.name.endswith((".csv", ".parquet")):
        raise StoreError(
            f"{location}: a table of learning curves is read from this machine; download it first"
        )
    raise StoreError(f"{location} holds no study: it has no study.yaml")


def _study(path: StudyPath, folder: Folder) -> Results:
    manifest = folder.read_manifest()
    return Results(path, str(manifest.get("kind", SWEEP)), manifest)


def read_table(path: Path, against: str | None) -> Source:
    """Read a table of curves.

    Raises:
        StoreError: It cannot be used; names file, column, row and value.
    """
    reference = against or RANDOM
    rounds, runs = read_curves(path, reference)
    empty: pd.DataFrame = NO_QUERIES.to_pandas()
    return Source(path, rounds, empty, runs, reference, data=(path.name,))


def read_sweep(results: Results, against: str | None) -> Source:
    """Read a sweep's folder, finished or not.

    Args:
        results: The folder, with its manifest.
        against: An arm or a strategy to compare with instead of random.

    Raises:
        StoreError: It cannot be read, no run has finished, or there is no such arm.
    """
    path, store = results.path, SweepStore(results.path)
    settings = store.read_study()
    runs = store.read_runs() if store.has_runs() else _runs_of(store, settings)
    finished = runs.loc[runs["status"] == "finished", ["run_id", "full_data"]]
    problems = problems_of(runs, written=store.has_runs())
    if finished.empty:
        raise StoreError(f"{path}: no run has finished yet. {' '.join(problems)}".rstrip())
    if against is not None:
        _check_reference(runs, against)
    # A finished run without records, as in a damaged folder, is named when arms are compared.
    return Source(
        path=path,
        rounds=store.read_rounds(finished["run_id"]),
        # Runs on full data have queried nothing: they have been given everything.
        queries=store.read_queries(finished.loc[~finished["full_data"], "run_id"]),
        runs=runs,
        reference=against or RANDOM,
        problems=tuple(problems),
        settings=settings,
        manifest=results.manifest,
        train_classes=_train_classes(settings, results.manifest),
        data=store.holds(_DATA),
    )


def _runs_of(store: SweepStore, settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return a row per run from the records of rounds: runs.parquet is written when a study ends or is stopped."""
    records = store.read_rounds()
    last = records.sort_values("round").drop_duplicates("run_id", keep="last")
    rounds = np.where(last["full_data"], 0, int(settings.get("rounds", 0)))
    status = np.where(last["round"] >= rounds, "finished", "unfinished")
    known = last.assign(status=status, rounds_done=last["round"])
    return known.sort_values("run_id").reindex(columns=list(STATUS_COLUMNS))


def _check_reference(runs: pd.DataFrame, reference: str) -> None:
    """Refuse a reference that is neither an arm nor a strategy.

    Raises:
        StoreError: Names the nearest one.
    """
    compared = runs[~runs["full_data"]]
    names = list(dict.fromkeys([*compared["arm"], *compared["strategy"]]))
    if reference not in names:
        raise StoreError(f"--against {reference}: {unknown_name('arm', reference, names)}")


def _train_classes(
    settings: Mapping[str, Any], manifest: Mapping[str, Any]
) -> Mapping[str, int] | None:
    """Return the classes of the train part from the manifest or, while the pool is still there, from the pool."""
    if "train_classes" in manifest:
        return {str(name): int(count) for name, count in manifest["train_classes"].items()}
    try:
        pool = read_pool(PoolSpec.model_validate(settings["pool"]))
        split = SplitSpec.model_validate(settings["split"])
        part = assign_parts(pool, split, generator(int(settings["seed"]), 0, "split"))
    except (AlrayError, ValidationError, KeyError):
        return None
    if pool.fingerprint != manifest.get("pool_fingerprint"):
        return None
    counts = np.bincount(pool.labels[part == TRAIN], minlength=len(pool.classes))
    return dict(zip(pool.classes, counts.tolist(), strict=True))


def facts_of(source: Source, ceilings: pd.DataFrame) -> dict[str, str]:
    """Return the facts that a reader needs to assess a sweep and to repeat it; `ceilings` as in `FullDataSplit`."""
    manifest, settings = source.manifest, source.settings
    if not settings:
        return {"table": source.path.name, "arms": f"{source.runs['arm'].nunique()}"}
    classes = source.train_classes
    pool = str(manifest.get("pool") or pool_name(str(settings["pool"]["source"])))
    if classes:
        pool += f", {sum(classes.values()):,} objects of {len(classes)} classes to learn from"
    budget = settings["initial"] + settings["rounds"] * settings["query"]
    model, training, split = settings["model"], settings["training"], settings["split"]
    versions = {"alray": manifest.get("alray"), "Python": manifest.get("python")}
    versions |= manifest.get("versions", {})
    return {
        "pool": pool,
        "fingerprint": str(manifest.get("pool_fingerprint", "unknown")),
        "split": f"validation {split['validation']:g}, test {split['test']:g}; metrics on {settings['metric_split']}",
        "labels": f"{settings['initial']:,} at random, then {settings['rounds']:,} rounds of {settings['query']:,}: "
        f"{budget:,}",
        **_full_data(ceilings),
        **_scored(source),
        "seeds": ", ".join(map(str, settings["seeds"])),
        "model": f"{model['name']}, width {model['width']}, dropout {model['dropout']:g}",
        "training": f"Adam {training['lr']:g}, batch size {training['batch_size']}, BatchNorm "
        f"{training['batch_norm']}, {training['mode']}",
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items() if number),
        "machine": str(manifest.get("machine", {}).get("processor", "unknown")),
        "begun": str(manifest.get("begun", "unknown")),
        "ended": str(manifest.get("ended") or "not yet"),
        "command": str(manifest.get("command", "")),
    }


def _scored(source: Source) -> dict[str, str]:
    """Return which candidates were scored, where these were not all."""
    settings = source.settings
    if settings.get("candidates"):
        return {"scored": f"{settings['candidates']:,} random candidates a round"}
    screen = settings.get("screen")
    if not screen:
        return {}
    text = (
        f"exactly {screen['share']:.0%} of the candidates, ranked by 8-bit scores; all of them every "
        f"{screen['every']} rounds"
    )
    recalls = source.rounds["screen_recall"].dropna()
    if len(recalls):
        text += (
            f"; of the exact choice the screen would have let through {recalls.mean():.1%} (mean over "
            f"{len(recalls):,} rounds that scored all; lowest {recalls.min():.0%})"
        )
    return {"scored": text}


def _full_data(ceilings: pd.DataFrame) -> dict[str, str]:
    parts = []
    for row in ceilings.to_dict("records"):
        seeds = "mean of " * (row["seeds"] > 1) + count(row["seeds"], "seed")
        variant = f" with {row['variant']}" if row["variant"] else ""
        parts.append(
            f"accuracy {row['accuracy']:.3f}{variant} ({row['labels']:,} labels, {seeds})"
        )
    return {"full data": "; ".join(parts)} if parts else {}
