"""How many runs one driver can feed: the real driver and the real folder on disk, runs that cost nothing."""

import cProfile
import io
import pstats
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from benchmarks.memory import MEGABYTE, forget_peak, resident
from benchmarks.simulated_runs import WRITING, Costs, SimulatedRuns, sample_of

from alray.api import claim, plan_sweep
from alray.settings.common import PoolSpec, TrainingSpec
from alray.settings.sweep import SweepSpec
from alray.studies.sweep.driver import Driver
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.store import Store

ARMS = ("random", "margin", "entropy", "least_confidence", "bald")
CHECKPOINT_SECONDS = 60
"""Between two checkpoints of a run, by default."""

PROFILED = 25


@dataclass(frozen=True)
class Load:
    """What the driver is given.

    Attributes:
        runs: Number of runs, all at a time; a multiple of the arms.
        rounds: Of each run.
        together: Rounds that end between two looks of the driver.
        checkpoint_rounds: Rounds from one checkpoint of a run to the next.
        folder: Where the study's folder is made for the time being, or None for the system's.
        profile: Whether to tell the functions in which time goes; it slows everything.
    """

    runs: int
    rounds: int
    together: int
    checkpoint_rounds: int
    folder: Path | None
    profile: bool


@dataclass(frozen=True)
class Driven:
    """What came of it.

    Attributes:
        costs: A row per kind of work: times, wall and processor seconds.
        facts: Numbers of the whole.
        profile: Functions in which time went, or nothing.
    """

    costs: pd.DataFrame
    facts: dict[str, float]
    profile: str


def drive(load: Load) -> Driven:
    """Drive simulated runs on the built-in pool icons; to be called in a fresh process."""
    torch.set_num_threads(1)
    plan = _plan(load)
    sample = sample_of(plan)
    executor = SimulatedRuns(
        sample,
        workers=load.runs,
        together=load.batch,
        checkpoint_rounds=load.checkpoint_rounds,
    )
    profiler = cProfile.Profile() if load.profile else None
    with tempfile.TemporaryDirectory(dir=load.folder) as root, Store(Path(root) / "load") as store:
        claim(store, plan, fresh=False)
        driver = Driver(plan, store, Observer())
        forget_peak()
        before, wall, processor = resident()["VmRSS"], time.perf_counter(), time.process_time()
        if profiler is not None:
            profiler.enable()
        driver.drive(lambda: executor)
        if profiler is not None:
            profiler.disable()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        facts = {
            "runs": load.runs,
            "rounds": load.runs * load.rounds,
            "wall_s": wall,
            "processor_s": processor,
            "memory_before_mb": before,
            "memory_peak_mb": resident()["VmHWM"],
            "checkpoint_mb": len(sample.state) / MEGABYTE,
        }
    return Driven(_frame(executor.costs), facts, _profiled(profiler))


def _plan(load: Load) -> Plan:
    study = SweepSpec(
        name="load",
        pool=PoolSpec(source="icons"),
        strategies=ARMS,
        seeds=tuple(range(load.runs // len(ARMS))),
        rounds=load.rounds,
        training=TrainingSpec(passive_epochs=1),
    )
    return plan_sweep(study)


def _frame(costs: Costs) -> pd.DataFrame:
    rows = [
        {
            "work": kind,
            "times": times,
            "wall_s": costs.wall[kind],
            "processor_s": costs.processor[kind],
        }
        for kind, times in costs.times.items()
        if times > 0
    ]
    return pd.DataFrame(rows)


def _profiled(profiler: cProfile.Profile | None) -> str:
    if profiler is None:
        return ""
    text = io.StringIO()
    pstats.Stats(profiler, stream=text).sort_stats("cumulative").print_stats(PROFILED)
    return text.getvalue()


def actors_fed(costs: pd.DataFrame, rounds: int) -> float:
    """Return how many actors, each with a round a second, would keep the driver busy all the time, by wall time.

    Each makes the driver take a round every second, a checkpoint every minute, and a run's start and end once in a run.
    """
    each = (costs.set_index("work")["wall_s"] / costs.set_index("work")["times"]).to_dict()
    a_second = each["round"] + (each.get("checkpoint", 0.0) + each[WRITING]) / CHECKPOINT_SECONDS
    a_second += (each["start of a run"] + each["end of a run"] + each[WRITING]) / rounds
    return float(1 / a_second)
