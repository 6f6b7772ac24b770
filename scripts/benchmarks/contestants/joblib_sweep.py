"""The same runs by joblib's processes: the pool as a memory map, passive phases first, nothing written."""

import os
import time

import torch
from benchmarks.contestants.task import (
    Answer,
    Played,
    answer,
    experiment_for,
    gather,
    given,
    passive_runs,
    seconds,
)
from benchmarks.memory import resident
from joblib import Parallel, delayed

from alray.api import plan_sweep
from alray.pools.pool import PreparedPool
from alray.settings.run import RunSpec


def play_passive(prepared: PreparedPool, run: RunSpec) -> tuple[Played, bytes]:
    """Play a passive phase; return its state."""
    torch.set_num_threads(1)
    began = time.time()
    experiment = experiment_for(prepared, run)
    record = experiment.passive().record
    played = Played(began, time.time(), seconds(record), record["accuracy"], os.nice(0))
    return played, experiment.state().to_bytes()


def play(prepared: PreparedPool, run: RunSpec, state: bytes) -> Played:
    """Play a run's rounds after its passive phase."""
    torch.set_num_threads(1)
    began = time.time()
    experiment = experiment_for(prepared, run, state)
    records, ends = [], []
    while not experiment.finished:
        records.append(experiment.next_round().record)
        ends.append(time.time())
    recorded = sum(seconds(record) for record in records)
    return Played(began, ends[0], recorded, records[-1]["accuracy"], os.nice(0))


def main() -> None:
    """Play the task."""
    task, told = given(), Answer()
    plan = plan_sweep(task.study)
    passives = passive_runs(plan)
    # Arrays above a megabyte are written once and mapped by every process.
    with Parallel(n_jobs=task.workers, backend="loky", mmap_mode="r", batch_size=1) as parallel:
        begun = parallel(delayed(play_passive)(plan.prepared, run) for run in passives.values())
        states = dict(zip(passives, (state for _, state in begun), strict=True))
        played = parallel(
            delayed(play)(plan.prepared, run, states[run.passive_id]) for run in plan.runs
        )
    told.ended = time.time()
    gather(told, plan.runs, [*played, *(one for one, _ in begun)])
    told.driver_peak = resident()["VmHWM"]
    answer(task, told)


if __name__ == "__main__":
    main()
