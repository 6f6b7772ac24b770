"""Fine-tune groups from common weights: the same seeds for every group, evaluated at each dose.

Two groups of one base, seed and dose differ in their objects and in nothing else: neither in the order of batches, nor
in the dropout masks, nor in the number of steps.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from alray.networks.generators import forked_rng, torch_generator
from alray.networks.late_fusion import LateFusion
from alray.networks.layers import seed_dropouts
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring.cached import CachedScorer
from alray.scoring.evaluation import evaluate
from alray.scoring.metrics import Metrics, measure
from alray.seeding import generator, torch_seed
from alray.settings.correlation import CorrelationSpec
from alray.studies.correlation.base_model import draw_test, initial_order, new_learner
from alray.training.batches import batches
from alray.training.checkpoint import restore_learner
from alray.training.learner import Learner, train_mode
from alray.training.steps import Steps


@dataclass(frozen=True)
class FineTuneData:
    """The objects and labels of one group.

    Attributes:
        objects: (epochs, member) pool indices; the same row for every epoch unless it is a control.
        labels: (epochs, member) the labels to learn: the true ones, unless they are shuffled as a control.
    """

    objects: Int64[np.ndarray, "epoch member"]
    labels: Int64[np.ndarray, "epoch member"]


@dataclass(frozen=True)
class Outcome:
    """The metrics on the test objects after so many epochs (the dose), with the gradient steps up to then."""

    epochs: int
    steps: int
    metrics: Metrics


def fine_tune(
    spec: CorrelationSpec,
    pool: PoolTensors,
    start: Mapping[str, Tensor],
    base: int,
    seed: int,
    datasets: Sequence[FineTuneData],
) -> list[list[Outcome]]:
    """Fine-tune on each dataset from a base's weights and moments; return per dataset the outcome of each dose.

    All datasets have one size, and the numbers of `spec` are filled in.
    """
    learner = new_learner(spec, pool, base)
    initial = initial_order(spec, pool.pool, base)[: spec.initial]
    replayed = initial[:0] if spec.replay == "none" else initial
    steps = Steps(learner, pool)
    size = datasets[0].objects.shape[1] + len(replayed)
    schedule = _BatchSchedule(steps, spec, seed, size)
    measure_test = _test_metrics(learner, pool, draw_test(spec, pool.pool))
    found = []
    with forked_rng(torch_seed(spec.seed, seed, "fine_tune_dropout")):
        for data in datasets:
            restore_learner(learner, start)
            outcomes: list[Outcome] = []
            taken = 0
            for epoch, in_order in enumerate(schedule.epochs()):
                train_mode(learner, freeze_batch_norm=spec.training.batch_norm == "frozen")
                objects = np.concatenate([data.objects[epoch], replayed])
                labels = np.concatenate([data.labels[epoch], pool.pool.labels[replayed]])
                for positions, masks in in_order:
                    wanted = torch.from_numpy(labels[positions]).to(pool.device)
                    steps.take(pool.batch(objects[positions]), wanted, masks)
                taken += len(in_order)
                if epoch + 1 in spec.epochs:
                    learner.eval()
                    outcomes.append(Outcome(epoch + 1, taken, measure_test()))
            found.append(outcomes)
    return found


MASKS_KEPT = 5_000
"""Objects times epochs up to which a seed's dropout masks are kept for all groups: 23 MB at width 128."""


class _BatchSchedule:
    """A seed's batches, each with the masks of its step: the same for all groups, drawn once where they are few."""

    def __init__(self, steps: Steps, spec: CorrelationSpec, seed: int, size: int) -> None:
        """Get ready for epochs of this many objects."""
        self._steps, self._spec, self._seed, self._size = steps, spec, seed, size
        keep = size * max(spec.epochs) <= MASKS_KEPT
        self._kept = list(self._draw()) if keep else None

    def epochs(self) -> Iterator[list[tuple[Indices, Sequence[Tensor]]]]:
        """Return for each epoch of a group the positions and the masks of its batches.

        Layers that draw their own masks start again from the seed.
        """
        seed_dropouts(self._steps.learner.network, self._generator())
        return self._draw() if self._kept is None else iter(self._kept)

    def _draw(self) -> Iterator[list[tuple[Indices, Sequence[Tensor]]]]:
        masks = self._generator()
        for epoch in range(max(self._spec.epochs)):
            yield [
                (positions, self._steps.draw(len(positions), masks))
                for positions in epoch_batches(self._spec, self._size, self._seed, epoch)
            ]

    def _generator(self) -> torch.Generator:
        return torch_generator(torch_seed(self._spec.seed, self._seed, "fine_tune_dropout"))


def _test_metrics(learner: Learner, pool: PoolTensors, test: Indices) -> Callable[[], Metrics]:
    """Return a function that evaluates the learner on the test objects; plain late fusion's features are kept."""
    network = learner.network
    if not isinstance(network, LateFusion) or not network.plain:
        return lambda: evaluate(network, pool, test)
    scorer, labels = CachedScorer(pool, test), pool.pool.labels[test]
    return lambda: measure(scorer.log_probs(network).cpu().numpy(), labels)


def epoch_batches(spec: CorrelationSpec, size: int, seed: int, epoch: int) -> list[Indices]:
    """Return the positions of an epoch's batches: the same for all groups and bases."""
    rng = generator(spec.seed, seed, "fine_tune_batches", epoch)
    return list(batches(size, spec.training, rng))


def control_data(spec: CorrelationSpec, pool: PoolTensors, base: int, seed: int) -> FineTuneData:
    """Return the control of a group: as many objects, drawn anew from the initial labels for each epoch."""
    initial = initial_order(spec, pool.pool, base)[: spec.initial]
    rng = generator(spec.seed, seed, "control", base)
    size = int(spec.group_size or 0)
    drawn = np.stack(
        [
            rng.choice(initial, size=size, replace=size > len(initial))
            for _ in range(max(spec.epochs))
        ]
    )
    return FineTuneData(drawn, pool.pool.labels[drawn])
