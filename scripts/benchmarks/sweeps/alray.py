"""`alray.sweep` itself: on Ray's actors, records and checkpoints on disk, a summary at the end."""

import time
from collections.abc import Mapping
from typing import Any
from unittest import mock

import ray
from typing_extensions import override

from alray import api
from alray.studies.sweep.jobs import Job
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.records import TIMING_COLUMNS
from alray.studies.sweep.status import RunStatus
from benchmarks.sweeps.task import Report, Task, perform


class Moments(Observer):
    """Notes when the first job began, when the first round was done, and when the last run ended."""

    def __init__(self, report: Report) -> None:
        self._report = report

    @override
    def started(self, job: Job, host: str) -> None:
        self._report.first_job = self._report.first_job or time.time()

    @override
    def progressed(self, name: str, run: RunStatus | None, record: Mapping[str, Any]) -> None:
        self._report.first_round = self._report.first_round or time.time()

    @override
    def ended(self, name: str, run: RunStatus | None) -> None:
        # The last file of this run is written right after; it takes some thousandths of a second.
        self._report.ended = time.time()


def run(task: Task, report: Report) -> None:
    init = ray.init

    def timed_init(**options: Any) -> Any:
        begin = time.perf_counter()
        context = init(**options, num_cpus=task.workers)
        report.ray_init = time.perf_counter() - begin
        return context

    settings = {**task.study, "execution": {"parallel": task.workers}}
    with mock.patch.object(ray, "init", timed_init):
        study = api.sweep(settings, results=task.folder, observer=Moments(report))
    rounds = study.rounds
    # Every run repeats its passive phase's row, which was run once for all arms of a seed.
    later = rounds[rounds["round"] > 0]
    passive = rounds[rounds["round"] == 0].drop_duplicates("seed")
    timings = list(TIMING_COLUMNS)
    report.recorded = float(sum(part[timings].to_numpy().sum() for part in (later, passive)))
    last = rounds.sort_values("round").groupby("run_id")["accuracy"].last()
    report.accuracy = {str(run): float(value) for run, value in last.items()}


if __name__ == "__main__":
    perform(run)
