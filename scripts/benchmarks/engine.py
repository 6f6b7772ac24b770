"""Speed of the scoring engine on one core, and memory of an actor.

Speeds are ratios of processor time, measured in turn within this process, so that a busy machine disturbs them little.
"""

import logging
import os
import statistics
from collections.abc import Callable
from typing import Any

import click
import numpy as np
import ray
import torch

from alray.networks.late_fusion import LateFusion
from alray.networks.layers import dropouts, seed_dropouts
from alray.networks.network import FUSED
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices, PreparedPool
from alray.ray_executor.actor import RunActor
from alray.scoring.engine import score
from alray.scoring.passes import BLOCK
from alray.settings.common import ExecutionSpec, ModelSpec, TrainingSpec
from alray.settings.sweep import SweepSpec
from alray.strategies.base import given
from alray.strategies.scores import margin
from alray.strategies.signals import Request
from alray.studies.sweep.jobs import Job, ends
from benchmarks.harness.options import COUNT
from benchmarks.harness.processes import MEGABYTE, proportional
from benchmarks.harness.tables import Table, machine, print_table, verdict
from benchmarks.harness.timing import ratio, take_turns, timed
from benchmarks.phases import measure_phases
from benchmarks.products import Products, libraries_table, use_faster_products
from benchmarks.screens import measure_screens
from benchmarks.workloads import CLASSES, STUDY_DIMENSIONS, CommitteeScorer, make_pool, plan_for

MEMBERS = 10
DEMO = (5_726, {"image": 128, "text": 128})
"""A pool of the size of the built-in one."""

LABELS = 700
ACTORS = (1, 4)
MOST_INITIAL, QUERY = 2_000, 20
LEAST_SHARE, MOST_FOR_BALD, MOST_MEGABYTES = 0.85, 4.0, 450


@click.command(help=__doc__)
@click.option("--objects", default=20_000, type=COUNT, help="Size of the pool.")
@click.option("--repetitions", default=9, type=COUNT, help="Of each timed action.")
@click.option("--rounds", default=2, type=COUNT, help="Of each measured actor's run.")
@click.option("--no-memory", is_flag=True, help="Leave Ray and the memory out.")
def engine(*, objects: int, repetitions: int, rounds: int, no_memory: bool) -> None:
    prepared = make_pool(objects)
    if not no_memory and initial_labels(prepared, rounds) < 1:
        raise click.UsageError(
            f"--objects {objects}: the train part of {len(prepared.train)} objects is too small for {rounds} rounds of "
            f"{QUERY} labels; raise --objects, lower --rounds, or leave the memory out by --no-memory"
        )
    print("\n".join(machine()))
    torch.set_num_threads(1)
    network = LateFusion(STUDY_DIMENSIONS, CLASSES, ModelSpec())
    print_table(libraries_table(network, TrainingSpec().batch_size))
    use_faster_products(network, TrainingSpec().batch_size)
    print_table(measure_speed(network, prepared, repetitions))
    for pool in (make_pool(*DEMO), prepared):
        print_table(measure_phases(pool, min(LABELS, len(pool.train) // 2), repetitions))
    print_table(measure_screens(repetitions))
    if not no_memory:
        print_table(measure_memory(prepared, rounds))


def initial_labels(prepared: PreparedPool, rounds: int) -> int:
    """Return the labels that a measured run begins with: as many as usual, or as the rounds leave in a small pool."""
    return min(MOST_INITIAL, len(prepared.train) - rounds * QUERY)


@torch.no_grad()
def dropout_passes(network: LateFusion, pool: PoolTensors, indices: Indices) -> None:
    """Score a committee in the usual way: the module itself, with dropout on, once per member."""
    network.eval()
    seed_dropouts(network, torch.Generator().manual_seed(0))
    for layer in dropouts(network):
        layer.train()
    for _ in range(MEMBERS):
        for start in range(0, len(indices), BLOCK):
            outputs = network(pool.batch(indices[start : start + BLOCK]))
            torch.log_softmax(outputs.heads[FUSED].values, dim=1)


def measure_speed(network: LateFusion, prepared: PreparedPool, repetitions: int) -> Table:
    """Return the seconds of scoring by margin and by BALD, beside matrix products and plain dropout passes."""
    pool, indices = PoolTensors(prepared), np.arange(len(prepared))
    products = Products()
    products.add_scoring(network, len(prepared), side_heads=False)
    bald = CommitteeScorer(network, pool, indices)
    actions: dict[str, Callable[[], object]] = {
        "matrix products": products,
        "margin": lambda: margin(
            given(score(network, pool, indices, Request(log_probs=True)).log_probs)
        ),
        f"bald, {MEMBERS} members": lambda: bald(MEMBERS),
        f"{MEMBERS} dropout passes": lambda: dropout_passes(network, pool, indices),
    }
    seconds = take_turns({name: timed(action) for name, action in actions.items()}, repetitions)
    alone, one, ten, usual = seconds.values()
    share, members = ratio(alone, one), ratio(ten, one)
    rate = products.operations / statistics.median(alone) / 1e9
    size = f"{len(prepared):,} objects x {sum(STUDY_DIMENSIONS.values()):,} float32"
    return Table(
        f"Speed on one core: {size}, median of {repetitions}",
        ["action", "seconds"],
        [[name, f"{statistics.median(values):.3f}"] for name, values in seconds.items()],
        [
            f"rate of the products: {rate:.1f} GFLOP/s",
            f"products / margin: {share:.2f}, target at least {LEAST_SHARE}: {verdict(met=share >= LEAST_SHARE)}",
            f"bald / margin: {members:.2f}, target at most {MOST_FOR_BALD:g}: {verdict(met=members <= MOST_FOR_BALD)}",
            f"dropout passes / bald: {ratio(usual, ten):.2f}",
        ],
    )


class MeasuredActor(RunActor):
    """An actor that reports how much memory it holds after a run."""

    def memory_after(self, job: Job) -> dict[str, float]:
        """Return the megabytes that it holds, by kind, once the job is done."""
        progress = self.advance({0: (job, None)}, [0])[0]
        while not ends(progress):
            progress = self.advance({}, [0])[0]
        return proportional()


def actor_memory(prepared: PreparedPool, actors: int, rounds: int) -> tuple[float, float]:
    """Return the megabytes beyond the pool and of the pool's share that actors hold at most after runs side by side."""
    seeds = tuple(range(actors))
    initial = initial_labels(prepared, rounds)
    study = SweepSpec(
        strategies=("bald",), seeds=seeds, initial=initial, query=QUERY, rounds=rounds
    )
    plan = plan_for(prepared, study)
    reference, checksum = ray.put(plan.shared), plan.shared.checksum()
    jobs = [Job(run.run_id, run, rounds, None) for run in plan.runs]
    kind: Any = ray.remote(num_cpus=1)(MeasuredActor)
    workers = [kind.remote(reference, checksum, ExecutionSpec()) for _ in jobs]
    ray.get([worker.ready.remote() for worker in workers])
    found = ray.get(
        [worker.memory_after.remote(job) for worker, job in zip(workers, jobs, strict=True)]
    )
    # The pool is the only large thing that lies in shared memory.
    beyond = max(memory["Pss"] - memory["Pss_Shmem"] for memory in found)
    return beyond, max(memory["Pss_Shmem"] for memory in found)


def measure_memory(prepared: PreparedPool, rounds: int) -> Table:
    """Return the memory of actors by their number, on a local Ray."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(
        address="local",
        num_cpus=max(ACTORS),
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        object_store_memory=4 * prepared.nbytes + 2**28,
    )
    try:
        found = {actors: actor_memory(prepared, actors, rounds) for actors in ACTORS}
    finally:
        ray.shutdown()
    most = max(beyond for beyond, _ in found.values())
    return Table(
        f"Proportional memory of an actor in MB, the largest, after {rounds} rounds of bald; "
        f"pool of {prepared.nbytes / MEGABYTE:.0f} MB",
        ["actors", "beyond the pool", "share of the pool"],
        [
            [str(actors), f"{beyond:.0f}", f"{share:.0f}"]
            for actors, (beyond, share) in found.items()
        ],
        [
            f"target: below {MOST_MEGABYTES} MB beyond the pool: {verdict(met=most < MOST_MEGABYTES)}"
        ],
    )
