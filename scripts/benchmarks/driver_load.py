"""How many runs one driver can feed: the real driver and the real folder on disk, runs that cost nothing."""

import cProfile
import pstats
import tempfile
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

import pandas as pd

from alray.api import plan_sweep
from alray.settings.common import PoolSpec, TrainingSpec
from alray.settings.sweep import SweepSpec
from alray.studies import manifest
from alray.studies.sweep.driver import SweepDriver
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.store import SweepStore
from benchmarks.harness.processes import MEGABYTE, reset_peak, resident
from benchmarks.harness.tables import Table
from benchmarks.simulated_executor import WRITING, SimulatedExecutor

ARMS = ("random", "margin", "entropy", "least_confidence", "bald")
CHECKPOINT_SECONDS = 60
"""Between two checkpoints of a run, by default."""

PROFILED = 25


def drive(
    *,
    runs: int,
    rounds: int,
    together: int,
    checkpoint_rounds: int,
    folder: Path | None,
    profile: bool,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Drive simulated runs on the built-in pool icons; to be called in a fresh process.

    Args:
        runs: Number of runs, all at a time; a multiple of the arms.
        rounds: Of each run.
        together: Rounds reported to the driver at a time.
        checkpoint_rounds: Rounds from one checkpoint of a run to the next.
        folder: Where the study's folder is made for the time being, or None for the system's.
        profile: Whether to print the functions in which time goes; it slows everything.

    Returns:
        A row per kind of work (times, wall and processor seconds), and numbers of the whole.
    """
    study = SweepSpec(
        name="load",
        pool=PoolSpec(source="icons"),
        strategies=ARMS,
        seeds=tuple(range(runs // len(ARMS))),
        rounds=rounds,
        training=TrainingSpec(passive_epochs=1),
    )
    plan = plan_sweep(study)
    executor = SimulatedExecutor(
        plan, runs, together=together, checkpoint_rounds=checkpoint_rounds
    )
    with tempfile.TemporaryDirectory(dir=folder) as root, SweepStore(Path(root) / "load") as store:
        manifest.claim(store, manifest.Claim(plan.study, plan.pool, manifest.SWEEP), fresh=False)
        driver = SweepDriver(plan, store, [Observer()])
        reset_peak()
        before, wall, processor = resident()["VmRSS"], time.perf_counter(), time.process_time()
        with cProfile.Profile() if profile else nullcontext() as profiler:
            driver.drive(lambda: executor)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        facts = {
            "runs": runs,
            "rounds": runs * rounds,
            "total_wall_s": wall,
            "total_processor_s": processor,
            "memory_before_mb": before,
            "memory_peak_mb": resident()["VmHWM"],
            "checkpoint_mb": len(executor.state) / MEGABYTE,
        }
    if isinstance(profiler, cProfile.Profile):
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(PROFILED)
    return executor.costs.frame(), facts


def driver_table(work: pd.DataFrame, facts: Mapping[str, float]) -> Table:
    """Return the driver's work by kind, with its rates."""
    costs, each = work.set_index("work"), round(facts["rounds"] / facts["runs"])
    rows = [
        [
            str(kind),
            f"{row['times']:,.0f}",
            f"{1000 * row['wall_s'] / row['times']:.2f}",
            f"{1000 * row['processor_s'] / row['times']:.2f}",
            f"{row['wall_s'] / facts['total_wall_s']:.0%}",
        ]
        for kind, row in costs.iterrows()
    ]
    saving = costs[costs.index.isin(["checkpoint", "end of a run", WRITING])]
    saved = saving["times"].get(WRITING, 0)
    rounds = costs.loc["round"]
    notes = [
        f"{facts['rounds'] / facts['total_wall_s']:,.0f} rounds/s in all; {rounds['times'] / rounds['wall_s']:,.0f}/s "
        f"without files, {saved / saving['wall_s'].sum():,.0f}/s with files",
        f"processor busy {facts['total_processor_s'] / facts['total_wall_s']:.0%} of {facts['total_wall_s']:.1f} s; "
        f"a checkpoint has {facts['checkpoint_mb']:.1f} MB",
        f"memory {facts['memory_before_mb']:,.0f} MB before, {facts['memory_peak_mb']:,.0f} MB at most",
        f"on paper, with a round a second, a checkpoint every {CHECKPOINT_SECONDS} s and runs of {each} rounds: "
        f"one driver feeds {actors_fed(costs, each):,.0f} actors",
    ]
    title = f"Driver: {facts['runs']:,} simulated runs at a time, {each} rounds each"
    columns = ["work", "times", "ms", "processor ms", "of the time"]
    return Table(title, columns, rows, notes)


def actors_fed(costs: pd.DataFrame, rounds: int) -> float:
    """Return how many actors, each with a round a second, would keep the driver busy all the time, by wall time.

    Each makes the driver take a round every second, a checkpoint every minute, and a run's start and end once in a run.
    """
    each = (costs["wall_s"] / costs["times"]).to_dict()
    a_second = each["round"] + (each.get("checkpoint", 0.0) + each[WRITING]) / CHECKPOINT_SECONDS
    a_second += (each["start of a run"] + each["end of a run"] + each[WRITING]) / rounds
    return float(1 / a_second)
