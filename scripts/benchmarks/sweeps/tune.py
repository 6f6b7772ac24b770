"""The same runs by Ray Tune: a trial per run, which has a passive phase of its own and reports each round.

The pool lies in the object store, actors are used again for the next trial, and Tune keeps its own records.
"""

import logging
import os
import time
from typing import Any

import ray
import torch
from ray import tune

from alray.api import plan_sweep
from alray.pools.shared import SharedPool
from alray.settings.run import RunSpec
from alray.studies.sweep.plan import Plan
from benchmarks.sweeps.task import (
    Report,
    Rounds,
    Task,
    add_rounds,
    experiment_for,
    perform,
    seconds,
)


def trial(config: dict[str, Any], pool: SharedPool, runs: list[RunSpec]) -> None:
    """Run one run, and report each round."""
    torch.set_num_threads(1)
    began = time.time()
    experiment = experiment_for(pool, runs[config["run"]])
    while not experiment.finished:
        fresh = experiment.round < 0
        record = (experiment.passive() if fresh else experiment.next_round()).record
        tune.report(
            {
                "began": began,
                "round_ended": time.time(),
                "recorded": seconds(record),
                "accuracy": record["accuracy"],
                "niceness": os.nice(0),
            }
        )


def fit(plan: Plan, task: Task) -> list[Rounds]:
    """Let Tune run every run; return them in the plan's order."""
    trainable = tune.with_parameters(trial, pool=plan.shared, runs=list(plan.runs))
    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        param_space={"run": tune.grid_search(list(range(len(plan.runs))))},
        tune_config=tune.TuneConfig(max_concurrent_trials=task.workers, reuse_actors=True),
        run_config=tune.RunConfig(storage_path=task.folder, verbose=0),
    )
    rounds: dict[int, Rounds] = {}
    grid = tuner.fit()
    for result in (grid[number] for number in range(len(grid))):
        frame = result.metrics_dataframe
        if result.error is not None or frame is None or result.config is None:
            raise RuntimeError(f"a trial failed: {result.error}")
        rounds[result.config["run"]] = Rounds(
            float(frame["began"].iloc[0]),
            float(frame["round_ended"].iloc[0]),
            float(frame["recorded"].sum()),
            float(frame["accuracy"].iloc[-1]),
            int(frame["niceness"].iloc[0]),
        )
    return [rounds[number] for number in sorted(rounds)]


def run(task: Task, report: Report) -> None:
    plan = plan_sweep(task.study)
    begin = time.perf_counter()
    ray.init(
        address="local",
        num_cpus=task.workers,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    report.ray_init = time.perf_counter() - begin
    rounds = fit(plan, task)
    report.ended = time.time()
    add_rounds(report, plan.runs, rounds)
    ray.shutdown()


if __name__ == "__main__":
    perform(run)
