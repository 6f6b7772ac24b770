"""Fine-tuning groups from common weights: the same seeds for every group, evaluated along the way.

What differs between two groups of one base, seed and dose is the objects they hold, and nothing else: not the order of
batches, not the dropout masks, not the number of steps.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from alray.networks.generators import forked_rng, torch_generator
from alray.networks.layers import seed_dropouts
from alray.networks.models import LateFusion
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring.cached import FusedScorer
from alray.scoring.evaluation import evaluate
from alray.scoring.metrics import Metrics, measure
from alray.seeding import generator, torch_seed
from alray.settings.correlation import CorrelationSpec
from alray.studies.correlation.base_model import draw_test, initial_order, new_learner
from alray.training.batches import batches
from alray.training.checkpoint import restore_learner
from alray.training.learner import Learner, train_mode
from alray.training.steps import Steps, choose_steps


@dataclass(frozen=True)
class FineTuneData:
    """What one group is fine-tuned on.

    Attributes:
        objects: (epochs, member) pool indices; the same row for every epoch unless it is a control.
        labels: (epochs, member) the labels to learn: the true ones, unless they are shuffled as a control.
    """

    objects: Int64[np.ndarray, "epoch member"]
    labels: Int64[np.ndarray, "epoch member"]


@dataclass(frozen=True)
class Outcome:
    """Where a fine-tune stood at one dose.

    Attributes:
        epochs: The dose.
        steps: Gradient steps taken until then.
        metrics: On the test objects.
    """

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
    """Fine-tune on each data from the base's weights; per data return the outcome of each dose.

    Args:
        spec: Settings with their numbers filled in.
        pool: The pool.
        start: Weights and moments of the base, by name.
        base: Its number.
        seed: The fine-tuning seed.
        datasets: All of one size.
    """
    learner = new_learner(spec, pool, base)
    initial = initial_order(spec, pool.pool, base)[: spec.initial]
    replayed = initial[:0] if spec.replay == "none" else initial
    steps = choose_steps(learner, pool)
    size = datasets[0].objects.shape[1] + len(replayed)
    batches_ = _Batches(learner, steps, spec, seed, size)
    evaluate_ = _evaluator(learner, pool, draw_test(spec, pool.pool))
    found = []
    with forked_rng(torch_seed(spec.seed, seed, "fine_tune_dropout")):
        for data in datasets:
            restore_learner(learner, start)
            outcomes: list[Outcome] = []
            taken = 0
            for epoch, in_order in enumerate(batches_.epochs()):
                train_mode(learner, freeze_batch_norm=spec.training.batch_norm == "frozen")
                objects = np.concatenate([data.objects[epoch], replayed])
                labels = np.concatenate([data.labels[epoch], pool.pool.labels[replayed]])
                for positions, masks in in_order:
                    wanted = torch.from_numpy(labels[positions]).to(pool.device)
                    steps.take(pool.batch(objects[positions]), wanted, masks)
                taken += len(in_order)
                if epoch + 1 in spec.epochs:
                    learner.eval()
                    outcomes.append(Outcome(epoch + 1, taken, evaluate_()))
            found.append(outcomes)
    return found


MASKS_KEPT = 5_000
"""Objects times epochs up to which a seed's dropout masks are kept for all groups: 23 MB at width 128."""


class _Batches:
    """A seed's batches, each with the masks of its step: the same for all groups, drawn once where they are few.

    Args:
        learner: What will be trained; its layers that draw masks of their own begin anew for each group.
        steps: How its steps are taken.
        size: Objects in an epoch.
    """

    def __init__(
        self, learner: Learner, steps: Steps, spec: CorrelationSpec, seed: int, size: int
    ) -> None:
        self._learner, self._steps, self._spec, self._seed = learner, steps, spec, seed
        self._size = size
        keep = size * max(spec.epochs) <= MASKS_KEPT
        self._kept = list(self._draw()) if keep else None

    def epochs(self) -> Iterator[list[tuple[Indices, Sequence[Tensor]]]]:
        """Return for each epoch the positions and the masks of its batches."""
        seed_dropouts(self._learner.network, self._generator())
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


def _evaluator(learner: Learner, pool: PoolTensors, test: Indices) -> Callable[[], Metrics]:
    """Return what measures the learner on the test objects; late fusion's features are gathered once for all times."""
    network = learner.network
    if not isinstance(network, LateFusion):
        return lambda: evaluate(network, pool, test)
    scorer, labels = FusedScorer(pool, test), pool.pool.labels[test]
    return lambda: measure(scorer.log_probs(network).cpu().numpy(), labels)


def epoch_batches(spec: CorrelationSpec, size: int, seed: int, epoch: int) -> list[Indices]:
    """Return the positions of an epoch's batches: the same for all groups and bases."""
    rng = generator(spec.seed, seed, "fine_tune_batches", epoch)
    return list(batches(size, spec.training, rng))


def control_data(spec: CorrelationSpec, pool: PoolTensors, base: int, seed: int) -> FineTuneData:
    """Return as many steps without a group: in its place, objects drawn anew from the initial labels for each epoch."""
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
