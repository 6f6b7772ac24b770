"""Many runs on one GPU, beside the loop that is usually written in PyTorch for one run, which is taken as often.

The same pool of noise (50,000 objects x 128 + 128 features, 50 classes), the built-in network, margin, 20 labels a
round from 2,000, batches of 64. Both hold the pool on the GPU; the plain loop scores 65,536 objects at a time, trains
with PyTorch's own modules and its fused Adam, and waits for the GPU only where it needs a number. Seconds on the clock
for all rounds of all runs but the first, in which libraries are loaded.
"""

import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from typing import Any

import click
import numpy as np
import torch
from torch import Tensor, nn

from alray.networks.layers import Hidden
from alray.networks.network import FUSED
from alray.networks.tensors import ArrayTensors, Batch, PoolTensors
from alray.pools.pool import PreparedPool
from alray.settings.common import ExecutionSpec, TrainingSpec
from alray.settings.run import RunSpec
from alray.settings.sweep import SweepSpec
from alray.studies.devices import take_device
from alray.studies.events import Failure
from alray.studies.sweep.experiment import Experiment
from alray.studies.sweep.jobs import Job
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.run_group import RunGroup
from alray.training.batches import batches
from benchmarks.harness.options import COUNT, counts
from benchmarks.harness.tables import Table, machine, print_table, verdict
from benchmarks.workloads import make_pool, plan_for

DIMENSIONS = {"image": 128, "text": 128}
LABELS, QUERY, BLOCK = 2_000, 20, 65_536
LEAST = 5.0


@click.command(help=__doc__)
@click.option("--objects", default=50_000, type=COUNT, help="Size of the pool.")
@click.option("--runs", default=16, type=COUNT, help="Runs, of one seed each.")
@click.option("--rounds", default=20, type=COUNT, help="Of each run.")
@click.option("--processes", default="2,4", type=counts, help="Workers that share the runs.")
@click.option("--precisions", default="float32,tf32,bf16", help="Numbers of alray's products.")
@click.option("--cpu", is_flag=True, help="Without a GPU, to try this program.")
def gpu(
    *, objects: int, runs: int, rounds: int, processes: list[int], precisions: str, cpu: bool
) -> None:
    if not cpu and not torch.cuda.is_available():
        raise click.UsageError(f"PyTorch {torch.__version__} sees no GPU; try --cpu")
    print("\n".join(machine(("torch", "numpy"))))
    print(f"GPU: {'none' if cpu else torch.cuda.get_device_name()}", flush=True)
    options = (objects, rounds, "float32", cpu)
    plain = _together(PlainGroup, list(range(runs)), 1, options)
    rows = [["plain loop", "float32", "1", f"{plain:.2f}", "1.0"]]
    print("\t".join(rows[-1]), flush=True)
    fastest = 0.0
    for numbers in precisions.split(","):
        for count in processes:
            options = (objects, rounds, numbers, cpu)
            seconds = _together(AlrayGroup, list(range(runs)), count, options)
            fastest = max(fastest, plain / seconds if numbers == "float32" else 0.0)
            rows.append(["alray", numbers, str(count), f"{seconds:.2f}", f"{plain / seconds:.1f}"])
            print("\t".join(rows[-1]), flush=True)
    title = f"{runs} runs of {rounds} margin rounds on one GPU, {objects:,} objects: seconds"
    met = verdict(met=fastest >= LEAST)
    note = f"float32 {fastest:.1f} times as fast, target at least {LEAST:g}: {met}"
    columns = ["", "numbers", "processes", "seconds", "times as fast"]
    print_table(Table(title, columns, rows, [note], text_columns=2))


Options = tuple[int, int, str, bool]
"""Objects, rounds, precision, and whether there is no GPU."""


def _together(
    kind: Callable[..., Any], seeds: list[int], processes: int, options: Options
) -> float:
    """Return the seconds that so many processes take for all rounds of all runs."""
    context = get_context("spawn")
    barrier, results = context.Barrier(processes), context.SimpleQueue()
    shares = [seeds[number::processes] for number in range(processes)]
    workers = [
        context.Process(target=_work, args=(kind, share, barrier, results, options))
        for share in shares
    ]
    for worker in workers:
        worker.start()
    found = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    begins, ends = zip(*found, strict=True)
    seconds: float = max(ends) - min(begins)
    return seconds


def _work(
    kind: Callable[..., Any], seeds: list[int], barrier: Barrier, results: Any, options: Options
) -> None:
    """Take the rounds of some runs, when all processes are ready; put when they began and ended."""
    objects, rounds, numbers, cpu = options
    torch.set_num_threads(1)
    settings = {} if cpu else {"gpus_per_run": 1 / len(seeds), "gpu_precision": numbers}
    execution = ExecutionSpec.model_validate(settings)
    study = SweepSpec(
        strategies=("margin",),
        seeds=tuple(seeds),
        initial=LABELS,
        query=QUERY,
        rounds=rounds + 1,  # the first one loads libraries, and captures
        training=TrainingSpec(passive_epochs=1, stopping="fixed_epochs"),
        execution=execution,
    )
    group = kind(plan_for(make_pool(objects, DIMENSIONS), study), take_device(execution))
    group.take(1)
    barrier.wait()
    begin = time.monotonic()
    group.take(rounds + 1)
    results.put((begin, time.monotonic()))


class AlrayGroup:
    """The runs of a plan in this process, as a worker has them."""

    def __init__(self, plan: Plan, device: torch.device) -> None:
        self._plan = plan
        checksum = plan.shared.checksum()
        self._group = RunGroup(plan.shared, checksum, plan.study.execution, "here", device=device)
        self._states: dict[int, bytes | None] = dict.fromkeys(range(len(plan.runs)))

    def take(self, until: int) -> None:
        """Run all up to a round."""
        jobs = enumerate(self._plan.runs)
        starts = {row: (Job(run.run_id, run, until, None), self._states[row]) for row, run in jobs}
        rows = set(starts)
        while rows:
            for row, progress in self._group.advance(starts, rows).items():
                if isinstance(progress, Failure):
                    raise click.ClickException(progress.traceback)
                if progress.done:
                    self._states[row] = progress.state
                    rows = rows - {row}
            starts = {}


class PlainGroup:
    """The same runs in plain PyTorch, one after the other."""

    def __init__(self, plan: Plan, device: torch.device) -> None:
        pool = plan.shared.view(plan.runs[0])
        tensors = PoolTensors(pool, ArrayTensors(device))
        self._runs = [PlainRun(run, tensors) for run in plan.runs]
        self._done = 0

    def take(self, until: int) -> None:
        """Run all up to a round."""
        for run in self._runs:
            for _ in range(until - self._done):
                run.round()
        self._done = until


class PlainRun:
    """A run in plain PyTorch, all of its data on the device."""

    def __init__(self, run: RunSpec, tensors: PoolTensors) -> None:
        self._device, self._spec = tensors.device, run.training
        self._pool = tensors.pool
        self._features = {each.name: _on_device(each, self._pool) for each in tensors.modalities}
        self._labels = torch.tensor(self._pool.labels, device=self._device)
        learner = Experiment(run, tensors, time.perf_counter).learner
        self._network, self._loss = learner.network, learner.loss
        for layer in self._network.modules():
            if isinstance(layer, Hidden) and layer.dropout is not None:
                layer.dropout = nn.Dropout(layer.dropout.rate)  # type: ignore[assignment]
        weights = [*self._network.parameters(), *self._loss.parameters()]
        self._adam = torch.optim.Adam(weights, lr=run.training.lr, fused=True)
        self._known = torch.zeros(len(self._pool), dtype=torch.bool, device=self._device)
        self._rng = np.random.default_rng(run.seed)
        initial = self._rng.choice(self._pool.train, run.initial, replace=False)
        self._labelled = torch.tensor(initial, device=self._device)
        self._known[self._labelled] = True
        self._parts = [
            torch.tensor(part, device=self._device)
            for part in (self._pool.train, self._pool.test, self._pool.validation)
        ]

    def round(self) -> list[float]:
        """Query, fit, and return the accuracies on the test and the validation part."""
        train, *evaluated = self._parts
        with torch.no_grad():
            candidates = train[~self._known[train]]
            logits = torch.cat(list(self._logits(candidates)))
            top = torch.softmax(logits, 1).topk(2, 1).values
            chosen = candidates[(top[:, 0] - top[:, 1]).topk(QUERY, largest=False).indices]
        self._labelled = torch.cat([self._labelled, chosen])
        self._known[chosen] = True
        self._network.train()
        for positions in batches(len(self._labelled), self._spec, self._rng):
            objects = self._labelled[torch.from_numpy(positions).to(self._device)]
            loss, _ = self._loss(self._network(self._batch(objects)), self._labels[objects])
            self._adam.zero_grad()
            loss.backward()
            self._adam.step()
        with torch.no_grad():
            return [
                float(
                    (torch.cat(list(self._logits(part))).argmax(1) == self._labels[part])
                    .float()
                    .mean()
                )
                for part in evaluated
            ]

    def _batch(self, objects: Tensor) -> Batch:
        features = {name: x[objects] for name, x in self._features.items()}
        return Batch(len(objects), features, dict.fromkeys(features))

    def _logits(self, objects: Tensor) -> Iterator[Tensor]:
        self._network.eval()
        for part in torch.split(objects, BLOCK):
            yield self._network(self._batch(part)).heads[FUSED].values


def _on_device(modality: Any, pool: PreparedPool) -> Tensor:
    found: Tensor = modality.gather(np.arange(len(pool)))
    return found
