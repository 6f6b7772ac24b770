"""A margin round at a study's size beside its matrix products.

How long the round takes, and how much of that take the products that it cannot do without. Features of 1,024 + 300
float32, 50 classes, late fusion with three heads, 4,000 labels, query 20, batches of 512. The round and its products
alone take turns on one thread; seconds are processor time, shares medians of ratios.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence

import click
import numpy as np
import pandas as pd
import torch

from alray.networks.late_fusion import LateFusion
from alray.networks.tensors import PoolTensors
from alray.pools.pool import PreparedPool
from alray.settings.common import TrainingSpec
from alray.settings.run import RunSpec
from alray.settings.sweep import SweepSpec
from alray.training.batches import batches
from alray.training.learner import fresh_learner
from benchmarks.harness import tables
from benchmarks.harness.options import COUNT, counts
from benchmarks.harness.timing import Phases, ratio, take_turns, timed
from benchmarks.products import Products, use_faster_products
from benchmarks.workloads import TimedRound, first_of, make_pool, plan_for

LEAST_SHARE = 0.85
PACKAGES = ("torch", "numpy")
STUDY = SweepSpec(
    strategies=("margin",),
    seeds=(0,),
    initial=4000,
    query=20,
    rounds=1,
    # The passive phase only brings the run to where rounds begin.
    training=TrainingSpec(batch_size=512, passive_epochs=1),
)
TRAIN_PART = 0.7


@click.command("round", help=__doc__)
@click.option("--objects", default="100000,250000", type=counts, help="Sizes of the pool.")
@click.option("--repetitions", default=7, type=COUNT, help="Of each.")
@tables.write_option
def margin_round(*, objects: list[int], repetitions: int, write: bool) -> None:
    if min(objects) * TRAIN_PART < STUDY.budget:
        raise click.BadParameter(f"--objects: too few for {STUDY.budget:,} labels")
    torch.set_num_threads(1)
    print("\n".join(tables.machine(PACKAGES)))
    largest = make_pool(max(objects))
    frames, made = [], []
    for size in objects:
        frame, table = measure(first_of(largest, size), repetitions)
        tables.print_table(table)
        frames.append(frame)
        made.append(table)
    if write:
        tables.write_reference("round", pd.concat(frames), made, PACKAGES)


def round_products(run: RunSpec, pool: PoolTensors) -> dict[str, Products]:
    """Return the matrix products of a round by phase."""
    network = fresh_learner(run.model, run.training, pool, lambda _: 0).network
    if not isinstance(network, LateFusion):
        raise TypeError("only the products of late fusion are known")
    use_faster_products(network, run.training.batch_size)
    prepared = pool.pool
    order = batches(run.initial + run.query, run.training, np.random.default_rng(0))
    phases = {name: Products() for name in ("scoring", "training", "evaluation")}
    candidates = len(prepared.train) - run.initial
    phases["scoring"].add_scoring(network, candidates, side_heads=False)
    phases["training"].add_training(network, [len(batch) for batch in order])
    phases["evaluation"].add_scoring(network, len(prepared.test), side_heads=True)
    phases["evaluation"].add_scoring(network, len(prepared.validation), side_heads=False)
    return phases


def measure(prepared: PreparedPool, repetitions: int) -> tuple[pd.DataFrame, tables.Table]:
    """Return every measurement on a pool, and the table of medians."""
    pool = PoolTensors(prepared)
    run = plan_for(prepared, STUDY).runs[0]
    products = round_products(run, pool)

    def compute() -> Phases:
        seconds = {name: timed(phase)() for name, phase in products.items()}
        return {**seconds, "round": sum(seconds.values())}

    actions: dict[str, Callable[[], Phases]] = {
        "alray": TimedRound(run, pool),
        "products": compute,
    }
    measured = take_turns(actions, repetitions)
    rows = [
        {"objects": len(prepared), "what": name, "repetition": repetition, **phases}
        for name, each in measured.items()
        for repetition, phases in enumerate(each)
    ]
    return pd.DataFrame(rows), _table(len(prepared), measured, products)


def _table(
    objects: int, measured: Mapping[str, Sequence[Phases]], products: Mapping[str, Products]
) -> tables.Table:
    rows = []
    for phase in measured["alray"][0]:
        whole = [phases[phase] for phases in measured["alray"]]
        cells = [phase, f"{statistics.median(whole):.3f}", "", ""]
        if phase in measured["products"][0]:
            alone = [phases[phase] for phases in measured["products"]]
            cells[2:] = [f"{statistics.median(alone):.3f}", f"{ratio(alone, whole):.2f}"]
        rows.append(cells)
    share = float(rows[-1][-1])
    met = tables.verdict(met=share >= LEAST_SHARE)
    operations = sum(one.operations for one in products.values())
    rate = operations / float(rows[-1][2]) / 1e9
    return tables.Table(
        f"{objects:,} objects: margin round, processor seconds",
        ["phase", "alray", "products alone", "share"],
        rows,
        [
            f"share of the limit {share:.2f}, target at least {LEAST_SHARE}: {met}",
            f"products: {operations / 1e9:.0f} GFLOP at {rate:.0f} GFLOP/s; oneDNN is the faster way for "
            f"{sum(one.by_onednn for one in products.values())} of {sum(one.distinct for one in products.values())}",
        ],
    )
