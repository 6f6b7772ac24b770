"""The study that faults happen to: its pool, its settings, what is safe of it on disk, and how it ends undisturbed."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from alray import api
from alray.strategies import parse
from alray.studies.sweep import results
from alray.studies.sweep.records import TIMING_COLUMNS
from alray.training.checkpoint import read_metadata
from faults.journal import Run
from faults.witness import Witnessed

NAME = "faults"
STUDY_SEED = 0
STRATEGIES = ("random", "margin", "entropy")
OBJECTS, DIMENSION, CLASSES = 20_000, 768, 5
"""59 MiB: 1.5 times as much is more than the smallest object store that Ray makes."""


@dataclass(frozen=True)
class Size:
    """How large the study is; with three strategies.

    Attributes:
        seeds: Of each strategy.
        rounds: Of each run.
        pause: Seconds that a round takes longer on the cluster.
    """

    seeds: int = 4
    rounds: int = 60
    pause: float = 0.3


def write_pool(path: Path) -> None:
    """Write clouds of points that overlap."""
    rng = np.random.default_rng(STUDY_SEED)
    labels = np.arange(OBJECTS) % CLASSES
    centres = rng.normal(scale=0.12, size=(CLASSES, DIMENSION))
    points = (centres[labels] + rng.normal(size=(OBJECTS, DIMENSION))).astype(np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(points.ravel()), DIMENSION)
    names = pa.array([f"class-{label}" for label in labels])
    ids = pa.array([f"object-{number}" for number in range(OBJECTS)])
    pq.write_table(pa.table({"id": ids, "label": names, "vector": vectors}), path)


def settings(pool: Path, size: Size) -> dict[str, Any]:
    """Return the study's settings."""
    return {
        "name": NAME,
        "seed": STUDY_SEED,
        "pool": {"source": str(pool)},
        "model": {"width": 8},
        "training": {"passive_epochs": 2},
        "strategies": [f"{Witnessed.__module__}:Witnessed:of={name}" for name in STRATEGIES],
        "seeds": size.seeds,
        "initial": 200,
        "query": 20,
        "rounds": size.rounds,
        "execution": {"checkpoint_seconds": 2},
    }


@dataclass(frozen=True)
class Undisturbed:
    """How the study ends where nothing happens.

    Attributes:
        rounds: Its table, comparable.
        queries: Its table, comparable.
    """

    rounds: pd.DataFrame
    queries: pd.DataFrame


def play_undisturbed(given: Mapping[str, Any], folder: Path) -> Undisturbed:
    """Play the study in this process."""
    execution = {**given["execution"], "executor": "inline"}
    study = api.sweep({**given, "execution": execution}, results=folder)
    return Undisturbed(comparable(study.rounds), comparable(study.queries))


def write_settings(given: Mapping[str, Any], path: Path) -> None:
    """Write the file that the command is given."""
    path.write_text(yaml.safe_dump(dict(given)), encoding="utf-8")


def comparable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return records without times, in a fixed order."""
    kept = frame.drop(columns=[name for name in TIMING_COLUMNS if name in frame])
    order = [name for name in ("run_id", "round", "rank") if name in kept]
    return kept.sort_values(order, ignore_index=True)


def differences(folder: Path, undisturbed: Undisturbed) -> list[str]:
    """Return what of a study that has ended is not as it should be, down to the last bit."""
    study = results.load(folder)
    found = []
    for name in ("rounds", "queries"):
        actual = comparable(getattr(study, name))
        if not actual.equals(getattr(undisturbed, name)):
            found.append(f"{name} differ")
    if set(study.runs["status"]) != {"finished"}:
        found.append("not every run has finished")
    return found


class Files:
    """What is safe of a study on the disk."""

    def __init__(self, folder: Path, plan: Any) -> None:
        self._folder = folder
        self._rounds = int(plan.study.rounds)
        self._runs: dict[str, Run] = {
            run.run_id: (getattr(parse(run.strategy), "of", ""), run.seed) for run in plan.runs
        }

    def kept(self) -> dict[Run, int]:
        """Return the last round of each run that need not be played again; runs without a checkpoint are left out."""
        return {
            run: number for name, run in self._runs.items() if (number := self._last(name)) >= 0
        }

    def finished(self, run: Run) -> bool:
        """Whether all of a run is there."""
        (name,) = (each for each, which in self._runs.items() if which == run)
        return self._finished(name)

    def state(self) -> dict[str, tuple[int, int]]:
        """Return the time and size of every file that took time to compute."""
        found = {}
        for folder in ("rounds", "queries", "checkpoints"):
            for path in (self._folder / folder).glob("[!.]*"):
                facts = path.stat()
                found[f"{folder}/{path.name}"] = (facts.st_mtime_ns, facts.st_size)
        return found

    def _last(self, name: str) -> int:
        if self._finished(name):
            return self._rounds
        with contextlib.suppress(FileNotFoundError):
            content = (self._folder / "checkpoints" / f"{name}.safetensors").read_bytes()
            return int(read_metadata(content)["round"])
        return -1

    def _finished(self, name: str) -> bool:
        with contextlib.suppress(FileNotFoundError):
            table = pq.read_metadata(self._folder / "rounds" / f"{name}.parquet")
            return bool(table.num_rows == self._rounds + 1)
        return False
