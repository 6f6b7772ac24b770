"""Seconds by size of pool, committee and labels; a driver's load.

How seconds grow with the pool, the committee and the labels, how much memory a large committee takes, and how many
runs one driver can feed. The network has 128 features throughout. Every part runs in a process of its own, on one
thread. Seconds of growth are processor time, sizes taking turns; each line is fitted by least squares to the medians.
The driver is the real one, with its real folder on disk; its runs are simulated: they report records and checkpoints
of a real run's size at once.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import numpy as np
import pandas as pd

from alray.networks.tensors import PoolTensors
from alray.pools.pool import PreparedPool
from alray.settings.common import ModelSpec, TrainingSpec
from alray.settings.sweep import SweepSpec
from alray.training.learner import fresh_learner
from benchmarks.driver_load import ARMS, drive, driver_table
from benchmarks.harness import tables
from benchmarks.harness.options import COUNT, counts, some_of
from benchmarks.harness.processes import MEGABYTE, reset_peak, resident
from benchmarks.harness.timing import Phases, in_fresh_process, take_turns, timed
from benchmarks.workloads import CommitteeScorer, TimedRound, first_of, make_pool, plan_for

PACKAGES = ("torch", "numpy", "pyarrow")
DIMENSIONS = {"features": 128}
MOST_ABOVE = 1000
"""Megabytes above the pool that a large committee may take."""


def measure_pools(chosen: SimpleNamespace) -> tuple[pd.DataFrame, tables.Table]:
    """Return the seconds of a round's phases by size of the pool."""
    sizes, labels = chosen.pools, min(chosen.labels)
    largest = make_pool(max(sizes), DIMENSIONS)
    rounds = {size: _margin_round(first_of(largest, size), labels) for size in sizes}
    frame = _frame("pool", rounds, chosen.repetitions)
    title = f"Margin round with {labels:,} labels, processor seconds by objects of the pool"
    return frame, growth_table(title, 1000, frame)


def measure_members(chosen: SimpleNamespace) -> tuple[pd.DataFrame, tables.Table]:
    """Return the seconds of scoring objects by BALD, by members of the committee."""
    scorer = _committee_scorer(make_pool(chosen.objects, DIMENSIONS))

    def score(members: int) -> Phases:
        return {"round": timed(partial(scorer, members))()}

    scores = {size: partial(score, size) for size in chosen.members}
    frame = _frame("members", scores, chosen.repetitions)
    title = f"Scoring {chosen.objects:,} objects by BALD, processor seconds by members"
    return frame, growth_table(title, 1, frame)


def measure_labels(chosen: SimpleNamespace) -> tuple[pd.DataFrame, tables.Table]:
    """Return the seconds of a round's phases by number of labels, in a pool that is large enough for all."""
    objects = 2 * max(chosen.labels)
    prepared = make_pool(objects, DIMENSIONS)
    rounds = {size: _margin_round(prepared, size) for size in chosen.labels}
    frame = _frame("labels", rounds, chosen.repetitions)
    title = f"Margin round in {objects:,} objects, processor seconds by labels"
    return frame, growth_table(title, 1000, frame)


def measure_memory(chosen: SimpleNamespace) -> tuple[pd.DataFrame, tables.Table]:
    """Return the megabytes of scoring by a large committee."""
    objects, members = chosen.large, max(chosen.members)
    prepared = make_pool(objects, DIMENSIONS)
    scorer = _committee_scorer(prepared)
    reset_peak()
    before = resident()["VmRSS"]
    scorer(members)
    peak, pool = resident()["VmHWM"], prepared.nbytes / MEGABYTE
    found = {
        "pool": pool,
        "above the pool": peak - pool,
        "of that by scoring": peak - before,
        "all members' probabilities": objects * members * prepared.class_count * 4 / MEGABYTE,
    }
    frame = pd.DataFrame(
        [{"what": name, "size": objects, "megabytes": value} for name, value in found.items()]
    )
    met = tables.verdict(met=found["above the pool"] < MOST_ABOVE)
    return frame, tables.Table(
        f"Memory of scoring {objects:,} objects by BALD, {members} members, 50 classes",
        ["what", "MB"],
        [[name, f"{value:,.0f}"] for name, value in found.items()],
        [f"target: below {MOST_ABOVE:,} MB above the pool, the interpreter included: {met}"],
    )


def measure_driver(chosen: SimpleNamespace) -> tuple[pd.DataFrame, tables.Table]:
    """Return the costs of the driver's work; print its functions where that was asked for."""
    names = ("runs", "rounds", "together", "checkpoint_rounds", "folder", "profile")
    costs, facts = drive(**{name: getattr(chosen, name) for name in names})
    return costs.assign(**facts), driver_table(costs, facts)


def growth_table(title: str, unit: int, frame: pd.DataFrame) -> tables.Table:
    """Return the medians by size, with the least-squares line through them and the exponent of a power law."""
    medians = frame.groupby("size")["round"].median()
    sizes, seconds = medians.index.to_numpy(dtype=float), medians.to_numpy()
    slope, intercept = np.polyfit(sizes, seconds, 1)
    residual = seconds - (slope * sizes + intercept)
    r2 = 1 - (residual**2).sum() / ((seconds - seconds.mean()) ** 2).sum()
    exponent = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
    rows = [
        [f"{size:,}", f"{median:.4f}", f"{1000 * median / size * unit:.3f}"]
        for size, median in medians.items()
    ]
    note = (
        f"slope {1000 * slope * unit:.3f} ms per {unit:,}, {1000 * intercept:+.1f} ms at 0, "
        f"r^2 {r2:.4f}; exponent {exponent:.2f}"
    )
    return tables.Table(title, ["size", "seconds", f"ms per {unit:,}"], rows, [note])


def _margin_round(prepared: PreparedPool, labels: int) -> TimedRound:
    """Return a margin round with this many labels, after the shortest passive phase."""
    training = TrainingSpec(passive_epochs=1)
    study = SweepSpec(
        strategies=("margin",), seeds=(0,), initial=labels, rounds=1, training=training
    )
    return TimedRound(plan_for(prepared, study).runs[0], PoolTensors(prepared))


def _committee_scorer(prepared: PreparedPool) -> CommitteeScorer:
    pool = PoolTensors(prepared)
    learner = fresh_learner(ModelSpec(), TrainingSpec(), pool, lambda _: 0)
    return CommitteeScorer(learner.network, pool, np.arange(len(prepared)))


def _frame(
    kind: str, actions: Mapping[int, Callable[[], Phases]], repetitions: int
) -> pd.DataFrame:
    """Return a row per size and repetition, the actions of all sizes taking turns."""
    named = {str(size): action for size, action in actions.items()}
    rows = [
        {"what": kind, "size": int(size), "repetition": repetition, **phases}
        for size, each in take_turns(named, repetitions).items()
        for repetition, phases in enumerate(each)
    ]
    return pd.DataFrame(rows)


PARTS = {
    "pool": measure_pools,
    "members": measure_members,
    "labels": measure_labels,
    "memory": measure_memory,
    "driver": measure_driver,
}


@click.command(help=__doc__)
@click.option(
    "--pools", default="10000,30000,100000,300000,1000000", type=counts, help="Sizes of the pool."
)
@click.option("--members", default="1,3,10,30,100", type=counts, help="Sizes of the committee.")
@click.option("--labels", default="1000,3000,10000,30000", type=counts, help="Numbers of labels.")
@click.option("--objects", default=20_000, type=COUNT, help="Objects that committees score.")
@click.option("--large", default=250_000, type=COUNT, help="Objects that the largest one scores.")
@click.option("--repetitions", default=5, type=COUNT, help="Of each measurement.")
@click.option("--runs", default=1000, type=COUNT, help="Simulated runs at a time.")
@click.option("--rounds", default=60, type=COUNT, help="Of a simulated run.")
@click.option("--together", default=50, type=COUNT, help="Rounds that the driver takes at a time.")
@click.option(
    "--checkpoint-rounds", default=40, type=COUNT, help="Rounds between two checkpoints."
)
@click.option("--folder", type=Path, help="For the driver's files, some gigabytes.")
@click.option("--only", default=",".join(PARTS), type=some_of(PARTS), help="The parts to measure.")
@click.option("--profile", is_flag=True, help="Show the driver's functions.")
@tables.write_option
def growth(**options: Any) -> None:
    chosen = SimpleNamespace(**options)
    if chosen.runs % len(ARMS):
        raise click.BadParameter(f"--runs: not a multiple of {len(ARMS)}, the arms")
    if chosen.profile and chosen.write:
        raise click.UsageError("--profile slows the driver: its figures are not to be kept")
    print("\n".join(tables.machine(PACKAGES)))
    frames, made = [], []
    for part in (part for part in PARTS if part in chosen.only):
        frame, table = in_fresh_process(PARTS[part], chosen)
        tables.print_table(table)
        if part != "driver":
            frames.append(frame)
            made.append(table)
        elif chosen.write:
            tables.write_reference("driver", frame, [table], PACKAGES)
    if frames and chosen.write:
        tables.write_reference("growth", pd.concat(frames), made, PACKAGES)
