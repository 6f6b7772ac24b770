"""A whole sweep on Ray, by joblib and by Ray Tune.

What Ray costs: start, share of the time, parallel efficiency, memory. Every competitor runs the same runs on the
built-in pool icons, one thread each, in a process of its own; they take turns. Workers have one priority in all
(RAY_worker_niceness=0). Ray Tune gets an environment of its own in .bench/tune at the first call.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pandas as pd

from alray.api import plan_sweep
from benchmarks.harness import tables
from benchmarks.harness.options import COUNT, some_of
from benchmarks.harness.processes import MEGABYTE, WORKER, command_line, descendants, proportional
from benchmarks.harness.programs import ROOT, Program, python_of
from benchmarks.sweeps.tables import accuracy_table, equality, memory_table, row_of, sweep_table
from benchmarks.sweeps.task import Task

STRATEGIES = ("random", "margin", "entropy", "bald")
PACKAGES = ("torch", "ray", "joblib")
ACTORS = (1, 2, 4)
DTYPES = ("float32", "float16")

MEMORY_SECONDS = 0.7
"""Between two measurements of the workers' memory: each costs them some milliseconds."""

ENVIRONMENT = {
    # Ray's workers would run with nice 15, joblib's with that of their parent.
    "RAY_worker_niceness": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "OMP_NUM_THREADS": "1",
    "RAY_ADDRESS": None,
}


@dataclass(frozen=True)
class Competitor:
    """A program, a module below `benchmarks.sweeps`, that runs a sweep; its name in tables."""

    name: str
    module: str
    workers: int
    python: Path = Path(sys.executable)


COMPETITORS: dict[str, Callable[[], Competitor]] = {
    "alray-2": lambda: Competitor("alray, 2 actors", "alray", 2),
    "alray-1": lambda: Competitor("alray, 1 actor", "alray", 1),
    "joblib": lambda: Competitor("joblib, 2 processes", "joblib", 2),
    "tune": lambda: Competitor("Ray Tune, 2 trials", "tune", 2, tune_python()),
}
"""By their names in `--only`; to make one may take the time that its environment needs."""


def tune_python() -> Path:
    """Return the interpreter for Ray Tune: this checkout and the versions installed here, and Tune's extras."""
    wanted = [f"torch=={version('torch').partition('+')[0]}", f"ray[tune]=={version('ray')}"]
    return python_of("tune", [*wanted, "--editable", str(ROOT)])


@click.command(help=__doc__)
@click.option("--seeds", default=4, type=click.IntRange(min=max(ACTORS)), help="Of each arm.")
@click.option("--rounds", default=30, type=COUNT, help="Of each run.")
@click.option("--initial", default=1000, type=COUNT, help="Labels at the start.")
@click.option("--passive-epochs", default=15, type=COUNT, help="At most.")
@click.option("--repetitions", default=3, type=COUNT, help="Of each sweep.")
@click.option("--memory-rounds", default=4, type=COUNT, help="While memory is measured.")
@click.option(
    "--only", default=",".join(COMPETITORS), type=some_of(COMPETITORS), help="The competitors."
)
@click.option("--no-memory", is_flag=True, help="Leave the memory out.")
@tables.write_option
def sweep(**options: Any) -> None:
    chosen = SimpleNamespace(**options)
    print("\n".join(tables.machine(PACKAGES)), flush=True)
    frame, table = measure_sweeps(chosen)
    tables.print_table(table)
    if chosen.write:
        tables.write_reference("sweep", frame, [table], PACKAGES)
    if chosen.no_memory:
        return
    frame, made = measure_memory(chosen)
    for each in made:
        tables.print_table(each)
    if chosen.write:
        tables.write_reference("memory", frame, made, PACKAGES)


def study_of(chosen: SimpleNamespace) -> dict[str, Any]:
    return {
        "name": "sweep",
        "pool": {"source": "icons"},
        "strategies": list(STRATEGIES),
        "seeds": chosen.seeds,
        "initial": chosen.initial,
        "rounds": chosen.rounds,
        "training": {"passive_epochs": chosen.passive_epochs},
    }


def measure_sweeps(chosen: SimpleNamespace) -> tuple[pd.DataFrame, tables.Table]:
    """Return every competitor's seconds in every repetition, and the table of medians."""
    study = study_of(chosen)
    competitors = [make() for name, make in COMPETITORS.items() if name in chosen.only]
    rows, accuracies = [], []
    for repetition in range(chosen.repetitions):
        for one in competitors:
            report = run_sweep(one, study)
            rows.append(row_of(one.name, one.workers, repetition, report))
            accuracies.append(report["accuracy"])
            print(f"  {one.name}: {rows[-1]['total_s']:.0f} s", file=sys.stderr)
    frame = pd.DataFrame(rows)
    title = f"{len(STRATEGIES)} arms x {chosen.seeds} seeds x {chosen.rounds} rounds, medians of {chosen.repetitions}"
    equal = equality(list(frame["contestant"]), accuracies)
    return frame, sweep_table(frame, title, equal)


def measure_memory(chosen: SimpleNamespace) -> tuple[pd.DataFrame, list[tables.Table]]:
    """Return the megabytes of actors by their number and kind of features, and the tables."""
    rows, accuracies = [], {}
    for dtype in DTYPES:
        study = {**study_of(chosen), "strategies": ["bald"], "rounds": chosen.memory_rounds}
        study["pool"] = {"source": "icons", "dtype": dtype}
        pool = plan_sweep(study).shared.nbytes / MEGABYTE
        for actors in ACTORS:
            memory = WorkerMemory(actors)
            report = run_sweep(Competitor(f"{actors} actors", "alray", actors), study, memory)
            if not memory.beyond:
                sys.exit(f"{actors} actors never ran at the same time: raise --memory-rounds")
            # Runs are named after the settings, so the order of names is that of seeds within one kind of features.
            accuracies[dtype] = [value for _, value in sorted(report["accuracy"].items())]
            rows.append(
                {
                    "dtype": dtype,
                    "actors": actors,
                    "own_mb": statistics.median(memory.beyond),
                    "own_peak_mb": max(memory.beyond),
                    "share_mb": statistics.median(memory.share),
                    "pool_mb": pool,
                    "driver_peak_mb": report["driver_peak"],
                    "looks": len(memory.beyond),
                    "accuracies": " ".join(map(str, accuracies[dtype])),
                }
            )
            print(f"  {dtype}, {actors} actors", file=sys.stderr)
    frame = pd.DataFrame(rows)
    return frame, [memory_table(frame), accuracy_table(accuracies)]


def run_sweep(
    competitor: Competitor,
    study: Mapping[str, Any],
    measure: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Run a study in a new process and return the competitor's report, with the times when it began and exited.

    Args:
        competitor: The program.
        study: Settings.
        measure: Called repeatedly with the number of the process while it runs.

    Raises:
        ProgramError: It has failed.
    """
    name, module = competitor.name, f"benchmarks.sweeps.{competitor.module}"
    with tempfile.TemporaryDirectory() as folder:
        begun, log = time.time(), Path(folder) / "log"
        program = Program(name, competitor.python, module, environment=ENVIRONMENT, log=log)
        try:
            task = Task(study, competitor.workers, str(Path(folder) / "results"))
            program.send(asdict(task), last=True)
            while measure is not None and program.runs():
                measure(program.pid)
                time.sleep(MEMORY_SECONDS)
            report = program.receive()
            program.wait()
            return {**report, "begun": begun, "exited": time.time()}
        finally:
            program.kill()


class WorkerMemory:
    """The workers' memory, measured repeatedly while as many as wanted are alive.

    Attributes:
        beyond: Per measurement the megabytes beyond shared memory, of the worker that held most.
        share: Per measurement the megabytes of a worker's share of shared memory, which is the pool, on average.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self.beyond: list[float] = []
        self.share: list[float] = []

    def __call__(self, process: int) -> None:
        """Measure the workers below this process."""
        workers = [one for one in descendants(process) if command_line(one).startswith(WORKER)]
        if len(workers) != self._workers:
            return
        try:
            found = [proportional(one) for one in workers]
        except (OSError, IndexError):  # one has ended meanwhile
            return
        # Before it has loaded PyTorch a worker makes the others look larger, since they share its pages with no other.
        if min(memory["Pss_Shmem"] for memory in found) > 1:
            self.beyond.append(max(memory["Pss"] - memory["Pss_Shmem"] for memory in found))
            self.share.append(sum(memory["Pss_Shmem"] for memory in found) / len(found))
