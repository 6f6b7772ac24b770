"""What each contestant is given and what it tells: both as JSON, times as seconds since 1970."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from alray.networks.tensors import PoolTensors
from alray.pools.pool import PreparedPool
from alray.settings.run import RunSpec
from alray.studies.sweep.experiment import Experiment
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.records import TIMING_COLUMNS
from alray.studies.sweep.state import RunState


@dataclass(frozen=True)
class Task:
    """What to play.

    Attributes:
        study: Settings.
        workers: Runs at a time.
        folder: Where files may be written.
        answer: File to write the answer to.
    """

    study: Mapping[str, Any]
    workers: int
    folder: str
    answer: str


@dataclass
class Answer:
    """What a contestant did.

    Attributes:
        first_job: When the first worker began to play.
        first_round: When the first round (a passive phase) was done.
        ended: When the driver had the last run's records.
        recorded: Seconds that rounds took in the workers, each counted once.
        accuracy: Of the last round, by run.
        ray_init: Seconds of `ray.init`, 0 without Ray.
        driver_peak: Megabytes that the driver held at most.
        niceness: Of the workers, where they can tell.
    """

    first_job: float = 0.0
    first_round: float = 0.0
    ended: float = 0.0
    recorded: float = 0.0
    accuracy: dict[str, float] = field(default_factory=dict)
    ray_init: float = 0.0
    driver_peak: float = 0.0
    niceness: int | None = None


@dataclass(frozen=True)
class Played:
    """Rounds that a worker played: when they began and ended, what they took, and the last accuracy."""

    began: float
    first_ended: float
    recorded: float
    accuracy: float
    niceness: int


def given() -> Task:
    """Read the task that the command line names."""
    return Task(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))


def answer(task: Task, told: Answer) -> None:
    """Write the answer."""
    Path(task.answer).write_text(json.dumps(asdict(told)), encoding="utf-8")


def seconds(record: Mapping[str, Any]) -> float:
    """Return what a round took, as alray records it."""
    return float(sum(record[column] for column in TIMING_COLUMNS))


def experiment_for(prepared: PreparedPool, run: RunSpec, state: bytes | None = None) -> Experiment:
    """Return a run in progress, on a pool of arrays that another process may share."""
    restored = None if state is None else RunState.from_bytes(state)
    return Experiment(run, PoolTensors(prepared), time.perf_counter, restored)


def passive_runs(plan: Plan) -> dict[str, RunSpec]:
    """Return a run for each passive phase, by its name."""
    return {run.passive_id: run for run in reversed(plan.runs)}


def gather(told: Answer, runs: Sequence[RunSpec], played: Sequence[Played]) -> None:
    """Add what workers have told about these runs; `played` may go on after them, with passive phases."""
    told.first_job = min(one.began for one in played)
    told.first_round = min(one.first_ended for one in played)
    told.recorded = sum(one.recorded for one in played)
    told.niceness = max(one.niceness for one in played)
    told.accuracy = {run.run_id: one.accuracy for run, one in zip(runs, played, strict=False)}
