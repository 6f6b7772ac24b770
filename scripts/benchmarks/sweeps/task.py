"""The task that each program is sent and the report that it replies; times are seconds since 1970."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from alray.networks.tensors import PoolTensors
from alray.pools.shared import SharedPool
from alray.settings.run import RunSpec
from alray.studies.sweep.experiment import Experiment
from alray.studies.sweep.records import TIMING_COLUMNS
from alray.studies.sweep.state import RunState
from benchmarks.harness.processes import resident
from benchmarks.harness.programs import serve
from benchmarks.products import use_faster_products


@dataclass(frozen=True)
class Task:
    """The sweep that a program runs: settings, how many runs at a time, and a folder where files may be written."""

    study: Mapping[str, Any]
    workers: int
    folder: str


@dataclass
class Report:
    """When a program did what, and its results.

    Attributes:
        first_job: When the first worker began.
        first_round: When the first round (a passive phase) was done.
        ended: When the driver had the last run's records.
        recorded: Seconds that rounds took in the workers, each counted once.
        accuracy: Of the last round, by run.
        ray_init: Seconds of `ray.init`, 0 without Ray.
        driver_peak: Megabytes that the driver held at most.
        niceness: Of the workers, where it is known.
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
class Rounds:
    """Rounds that a worker has run: when they began and ended, their seconds, and the last accuracy."""

    began: float
    first_ended: float
    recorded: float
    accuracy: float
    niceness: int


def perform(run: Callable[[Task, Report], None]) -> None:
    """Be a program that runs the task it is sent, and replies with the report that `run` completes."""

    def reply(request: Mapping[str, Any]) -> dict[str, Any]:
        report = Report()
        run(Task(**request), report)
        report.driver_peak = resident()["VmHWM"]
        return asdict(report)

    serve(reply)


def seconds(record: Mapping[str, Any]) -> float:
    """Return the seconds of a round, as alray records them."""
    return float(sum(record[column] for column in TIMING_COLUMNS))


def experiment_for(pool: SharedPool, run: RunSpec, state: bytes | None = None) -> Experiment:
    """Return a run in progress, on a pool of arrays that another process may share; products are as a study's here."""
    restored = None if state is None else RunState.from_bytes(state)
    begun = Experiment(run, PoolTensors(pool.view(run)), time.perf_counter, restored)
    use_faster_products(begun.learner.network, run.training.batch_size)
    return begun


def add_rounds(report: Report, runs: Sequence[RunSpec], rounds: Sequence[Rounds]) -> None:
    """Add the rounds of these runs to a report; after them `rounds` may hold passive phases."""
    report.first_job = min(one.began for one in rounds)
    report.first_round = min(one.first_ended for one in rounds)
    report.recorded = sum(one.recorded for one in rounds)
    report.niceness = max(one.niceness for one in rounds)
    report.accuracy = {run.run_id: one.accuracy for run, one in zip(runs, rounds, strict=False)}
