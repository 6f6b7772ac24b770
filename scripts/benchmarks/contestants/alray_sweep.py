"""`alray.sweep` as it is: on Ray's actors, records and checkpoints on disk, a summary at the end."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import ray
from benchmarks.contestants.task import Answer, answer, given
from benchmarks.memory import resident
from typing_extensions import override

from alray import api
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.records import TIMING_COLUMNS
from alray.studies.sweep.schedule import Assignment, RunStatus


class Watch(Observer):
    """Notes when things happen."""

    def __init__(self, told: Answer) -> None:
        self._told = told

    @override
    def started(self, assignment: Assignment) -> None:
        self._told.first_job = self._told.first_job or time.time()

    @override
    def progressed(self, name: str, status: RunStatus | None, record: Mapping[str, Any]) -> None:
        self._told.first_round = self._told.first_round or time.time()

    @override
    def ended(self, name: str, status: RunStatus | None) -> None:
        # The last file of this run is written right after; it takes some thousandths of a second.
        self._told.ended = time.time()


def timed(init: Callable[..., Any], told: Answer, cpus: int) -> Callable[..., Any]:
    """Return `ray.init`, timed, with so many CPUs."""

    def timed_init(**options: Any) -> Any:
        begin = time.perf_counter()
        context = init(**options, num_cpus=cpus)
        told.ray_init = time.perf_counter() - begin
        return context

    return timed_init


def main() -> None:
    """Play the task."""
    task, told = given(), Answer()
    ray.init = timed(ray.init, told, task.workers)
    settings = {**task.study, "execution": {"parallel": task.workers}}
    study = api.sweep(settings, results=task.folder, observer=Watch(told))
    rounds = study.rounds
    # Every run repeats its passive phase's row, which was played once for all arms of a seed.
    own = rounds[rounds["round"] > 0]
    passive = rounds[rounds["round"] == 0].drop_duplicates("seed")
    timings = list(TIMING_COLUMNS)
    told.recorded = float(sum(part[timings].to_numpy().sum() for part in (own, passive)))
    last = rounds.sort_values("round").groupby("run_id")["accuracy"].last()
    told.accuracy = {str(run): float(value) for run, value in last.items()}
    told.driver_peak = resident()["VmHWM"]
    answer(task, told)


if __name__ == "__main__":
    main()
