"""The same runs by joblib's processes: the pool as a memory map, passive phases first, nothing written."""

import os
import time

import torch
from joblib import Parallel, delayed

from alray.api import plan_sweep
from alray.pools.shared import SharedPool
from alray.settings.run import RunSpec
from benchmarks.sweeps.task import (
    Report,
    Rounds,
    Task,
    add_rounds,
    experiment_for,
    perform,
    seconds,
)


def run_passive(pool: SharedPool, run: RunSpec) -> tuple[Rounds, bytes]:
    """Run a passive phase; return it with its state."""
    torch.set_num_threads(1)
    began = time.time()
    experiment = experiment_for(pool, run)
    record = experiment.passive().record
    rounds = Rounds(began, time.time(), seconds(record), record["accuracy"], os.nice(0))
    return rounds, experiment.state().to_bytes()


def run_rounds(pool: SharedPool, run: RunSpec, state: bytes) -> Rounds:
    """Run the rounds after a passive phase."""
    torch.set_num_threads(1)
    began = time.time()
    experiment = experiment_for(pool, run, state)
    records, ends = [], []
    while not experiment.finished:
        records.append(experiment.next_round().record)
        ends.append(time.time())
    recorded = sum(seconds(record) for record in records)
    return Rounds(began, ends[0], recorded, records[-1]["accuracy"], os.nice(0))


def run(task: Task, report: Report) -> None:
    plan = plan_sweep(task.study)
    # Any of the runs that share a passive phase stands for it.
    passives = {run.passive_id: run for run in plan.runs}
    # Arrays above a megabyte are written once and mapped by every process.
    with Parallel(n_jobs=task.workers, backend="loky", mmap_mode="r", batch_size=1) as parallel:
        begun = parallel(delayed(run_passive)(plan.shared, run) for run in passives.values())
        states = dict(zip(passives, (state for _, state in begun), strict=True))
        rounds = parallel(
            delayed(run_rounds)(plan.shared, run, states[run.passive_id]) for run in plan.runs
        )
    report.ended = time.time()
    add_rounds(report, plan.runs, [*rounds, *(one for one, _ in begun)])


if __name__ == "__main__":
    perform(run)
