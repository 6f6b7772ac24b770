"""The study that faults happen to: its pool, its settings, its files on the disk, and how it ends undisturbed."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from alray import api
from alray.strategies import parse
from alray.studies.sweep import results
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.records import TIMING_COLUMNS
from alray.training.checkpoint import read_metadata
from chaos_study.journal import RecordingStrategy, Run

NAME = "chaos"
STUDY_SEED = 0
STRATEGIES = ("random", "margin", "entropy")
OBJECTS, DIMENSION, CLASSES = 20_000, 768, 5
"""59 MiB: 1.5 times as much is more than the smallest object store that Ray makes."""


@dataclass(frozen=True)
class Size:
    """How large the study is; each round takes `pause` seconds longer on the cluster."""

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
    strategy = f"{RecordingStrategy.__module__}:{RecordingStrategy.__name__}"
    return {
        "name": NAME,
        "seed": STUDY_SEED,
        "pool": {"source": str(pool)},
        "model": {"width": 8},
        "training": {"passive_epochs": 2},
        "strategies": [f"{strategy}:of={name}" for name in STRATEGIES],
        "seeds": size.seeds,
        "initial": 200,
        "query": 20,
        "rounds": size.rounds,
        "execution": {"checkpoint_seconds": 2},
    }


def run_undisturbed(given: Mapping[str, Any], folder: Path) -> results.Sweep:
    execution = {**given["execution"], "executor": "inline"}
    return api.sweep({**given, "execution": execution}, results=folder)


def differences(folder: Path, undisturbed: results.Sweep) -> list[str]:
    """Return how a study that has ended differs from the undisturbed one, down to the last bit, times apart.

    Both are read in the order of their files, which have the same names, so rows need no sorting.
    """
    study = results.load(folder)
    timings = list(TIMING_COLUMNS)
    found = []
    if not study.rounds.drop(columns=timings).equals(undisturbed.rounds.drop(columns=timings)):
        found.append("rounds differ")
    if not study.queries.equals(undisturbed.queries):
        found.append("queries differ")
    if set(study.runs["status"]) != {"finished"}:
        found.append("not every run has finished")
    return found


class Files:
    """A study's files on the disk."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self._folder = folder
        self._rounds = plan.study.rounds
        self._names: dict[Run, str] = {
            (getattr(parse(run.strategy), "of", ""), run.seed): run.run_id for run in plan.runs
        }

    def saved(self) -> dict[Run, int]:
        """Return the last round of each run that need not be run again, for those that have a checkpoint."""
        return {run: number for run in self._names if (number := self._last(run)) >= 0}

    def finished(self, run: Run) -> bool:
        """Whether all of a run is there."""
        with contextlib.suppress(FileNotFoundError):
            path = self._folder / "rounds" / f"{self._names[run]}.parquet"
            return bool(pq.read_metadata(path).num_rows == self._rounds + 1)
        return False

    def state(self) -> dict[str, tuple[int, int]]:
        """Return the time and size of every file that took time to compute."""
        found = {}
        for folder in ("rounds", "queries", "checkpoints"):
            for path in (self._folder / folder).glob("[!.]*"):
                facts = path.stat()
                found[f"{folder}/{path.name}"] = (facts.st_mtime_ns, facts.st_size)
        return found

    def _last(self, run: Run) -> int:
        if self.finished(run):
            return self._rounds
        with contextlib.suppress(FileNotFoundError):
            path = self._folder / "checkpoints" / f"{self._names[run]}.safetensors"
            return int(read_metadata(path.read_bytes())["round"])
        return -1
