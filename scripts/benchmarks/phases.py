"""The phases of a margin round by alray, and by the loop that is usually written for the same network in PyTorch."""

import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from alray.networks.generators import torch_generator
from alray.networks.layers import seed_dropouts
from alray.networks.network import FUSED
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices, PreparedPool
from alray.scoring.passes import BLOCK
from alray.settings.common import ModelSpec
from alray.settings.run import RunSpec
from alray.studies.sweep.experiment import Experiment
from alray.training.batches import batches
from benchmarks.harness.tables import Table
from benchmarks.harness.timing import Phases, ratio, take_turns
from benchmarks.products import use_faster_products
from benchmarks.workloads import margin_study, plan_for

PHASES = {"query": "query_s", "fit": "fit_s", "evaluate": "eval_s"}
QUERY = 20


class PlainRound:
    """A round in plain PyTorch: the network is called, gradients are PyTorch's, and its Adam takes the steps.

    The same weights, objects and batches as alray's round; every phase begins with them.
    """

    def __init__(self, run: RunSpec, pool: PoolTensors, experiment: Experiment) -> None:
        self._pool, self._spec = pool, run.training
        self._labelled = experiment.labelled
        self._network, self._loss = experiment.learner.network, experiment.learner.loss
        self._adam = torch.optim.Adam(
            [*self._network.parameters(), *self._loss.parameters()], lr=run.training.lr, fused=True
        )
        self._weights = {name: each.clone() for name, each in self._network.state_dict().items()}

    def __call__(self) -> Phases:
        """Run it, and return the seconds by phase."""
        self._network.load_state_dict(self._weights)
        train = self._pool.pool.train
        phases: dict[str, Callable[[], object]] = {
            "query": lambda: self._query(np.setdiff1d(train, self._labelled)),
            "fit": self._fit,
            "evaluate": self._evaluate,
        }
        seconds = {}
        for name, phase in phases.items():
            begin = time.process_time()
            phase()
            seconds[name] = time.process_time() - begin
        return {**seconds, "round": sum(seconds.values())}

    @torch.no_grad()
    def _query(self, candidates: Indices) -> Indices:
        top = torch.cat([torch.softmax(z, 1).topk(2, 1).values for z in self._logits(candidates)])
        margins = top[:, 0] - top[:, 1]
        best: Indices = candidates[margins.topk(QUERY, largest=False).indices.numpy()]
        return best

    def _fit(self) -> None:
        self._network.train()
        seed_dropouts(self._network, torch_generator(0))
        rng = np.random.default_rng(0)
        for positions in batches(len(self._labelled), self._spec, rng):
            indices = self._labelled[positions]
            outputs = self._network(self._pool.batch(indices))
            loss, _ = self._loss(outputs, self._pool.labels(indices))
            self._adam.zero_grad()
            loss.backward()
            self._adam.step()

    @torch.no_grad()
    def _evaluate(self) -> list[float]:
        """Return the accuracies on the test and the validation part."""
        found = []
        for part in (self._pool.pool.test, self._pool.pool.validation):
            predicted = torch.cat([z.argmax(1) for z in self._logits(part)])
            found.append(float((predicted == self._pool.labels(part)).float().mean()))
        return found

    def _logits(self, indices: Indices) -> Iterator[Tensor]:
        self._network.eval()
        for start in range(0, len(indices), BLOCK):
            batch = self._pool.batch(indices[start : start + BLOCK])
            yield self._network(batch).heads[FUSED].values


Seconds = dict[str, list[float]]
"""Phase: processor seconds of each repetition."""


def time_phases(
    prepared: PreparedPool, labels: int, repetitions: int, model: ModelSpec | None = None
) -> tuple[Seconds, Seconds]:
    """Return the seconds of each phase of a margin round, and of the whole, by alray and by the plain loop."""
    study = margin_study(labels, QUERY, model)
    run, pool = plan_for(prepared, study).runs[0], PoolTensors(prepared)
    begun = Experiment(run, pool, time.process_time)
    begun.passive()
    use_faster_products(begun.learner.network, run.training.batch_size)
    state = begun.state()

    def by_alray() -> Phases:
        record = Experiment(run, pool, time.process_time, state).next_round().record
        seconds = {name: float(record[column]) for name, column in PHASES.items()}
        return {**seconds, "round": sum(seconds.values())}

    actions: dict[str, Callable[[], Phases]] = {
        "alray": by_alray,
        "plain": PlainRound(run, pool, begun),
    }
    measured = take_turns(actions, repetitions)
    phases = (*PHASES, "round")
    alray, plain = (
        {phase: [each[phase] for each in measured[name]] for phase in phases}
        for name in ("alray", "plain")
    )
    return alray, plain


def measure_phases(prepared: PreparedPool, labels: int, repetitions: int) -> Table:
    """Return the processor seconds of each phase of a margin round of the built-in network, by both."""
    by_alray, by_plain = time_phases(prepared, labels, repetitions)
    rows = []
    for phase, alray in by_alray.items():
        plain = by_plain[phase]
        medians = [f"{1e3 * statistics.median(each):.1f}" for each in (alray, plain)]
        rows.append([phase, *medians, f"{ratio(plain, alray):.2f}"])
    features = sum(modality.dimension for modality in prepared.modalities)
    return Table(
        f"A margin round, {labels} labels of {len(prepared):,} objects x {features:,}: milliseconds on one core",
        ["phase", "alray", "plain loop", "plain / alray"],
        rows,
    )
