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
from typing_extensions import override

from alray.correlation_spec import CorrelationSpec
from alray.evaluation import evaluate
from alray.fixed_scoring import FusedScorer
from alray.layers import seed_dropouts
from alray.metrics import Metrics, measure
from alray.models import LateFusion
from alray.pool import Indices
from alray.seeding import generator, torch_seed
from alray.state import restore_learner
from alray.step_by_hand import draw_masks, step_by_hand
from alray.tensors import PoolTensors
from alray.torch_random import isolated, torch_generator
from alray.training import Learner, batches, step, train_mode
from alray.warm_start import draw_test, initial_order, new_learner

_Beat = tuple[Indices, list[Tensor]]
"""A batch: its objects' positions and the masks of its step."""


@dataclass(frozen=True)
class Exercise:
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
    exercises: Sequence[Exercise],
) -> list[list[Outcome]]:
    """Fine-tune on each exercise from the base's weights; per exercise return the outcome of each dose.

    Args:
        spec: Settings with their numbers filled in.
        pool: The pool.
        start: Weights and moments of the base, by name.
        base: Its number.
        seed: The fine-tuning seed.
        exercises: All of one size.
    """
    learner = new_learner(spec, pool, base)
    initial = initial_order(spec, pool.pool, base)[: spec.initial]
    replayed = initial[:0] if spec.replay == "none" else initial
    trainer = _trainer(learner, spec, pool, seed, exercises[0].objects.shape[1] + len(replayed))
    judge = _judge(learner, pool, draw_test(spec, pool.pool))
    found = []
    with isolated(torch_seed(spec.seed, seed, "fine_tune_dropout")):
        for exercise in exercises:
            restore_learner(learner, start)
            trainer.begin()
            outcomes: list[Outcome] = []
            steps = 0
            for epoch in range(max(spec.epochs)):
                train_mode(learner, freeze_batch_norm=spec.training.batch_norm == "frozen")
                objects = np.concatenate([exercise.objects[epoch], replayed])
                labels = np.concatenate([exercise.labels[epoch], pool.pool.labels[replayed]])
                steps += trainer.epoch(epoch, objects, labels)
                if epoch + 1 in spec.epochs:
                    learner.eval()
                    outcomes.append(Outcome(epoch + 1, steps, judge()))
            found.append(outcomes)
    return found


class _Trainer:
    """Takes an epoch's steps as any network can take them."""

    def __init__(
        self, learner: Learner, spec: CorrelationSpec, pool: PoolTensors, seed: int
    ) -> None:
        self._learner, self._spec, self._pool, self._seed = learner, spec, pool, seed

    def begin(self) -> None:
        """Get ready for another exercise: the same batches and masks once more."""
        seed_dropouts(self._learner.network, self._generator())

    def epoch(self, epoch: int, objects: Indices, labels: Indices) -> int:
        """Take the steps of an epoch and return how many they are."""
        rhythm = epoch_batches(self._spec, len(objects), self._seed, epoch)
        for positions in rhythm:
            wanted = torch.from_numpy(labels[positions]).to(self._pool.device)
            step(self._learner, self._pool.batch(objects[positions]), wanted)
        return len(rhythm)

    def _generator(self) -> torch.Generator:
        return torch_generator(torch_seed(self._spec.seed, self._seed, "fine_tune_dropout"))


MASKS_KEPT = 5_000
"""Objects times epochs up to which a seed's dropout masks are kept for all groups: 23 MB at width 128."""


class _TrainerByHand(_Trainer):
    """Takes the steps of late fusion by hand; a seed's batches and masks are drawn once for all groups where they are few."""

    def __init__(
        self,
        network: LateFusion,
        learner: Learner,
        spec: CorrelationSpec,
        pool: PoolTensors,
        seed: int,
        size: int,
    ) -> None:
        super().__init__(learner, spec, pool, seed)
        self._network = network
        self._size = size
        keep = size * max(spec.epochs) <= MASKS_KEPT
        self._kept = list(self._draw()) if keep else None
        self._rhythm: Iterator[list[_Beat]] = iter(())

    def _draw(self) -> Iterator[list["_Beat"]]:
        generator_ = self._generator()
        for epoch in range(max(self._spec.epochs)):
            yield [
                (positions, draw_masks(self._network, len(positions), generator_))
                for positions in epoch_batches(self._spec, self._size, self._seed, epoch)
            ]

    @override
    def begin(self) -> None:
        self._rhythm = self._draw() if self._kept is None else iter(self._kept)

    @override
    def epoch(self, epoch: int, objects: Indices, labels: Indices) -> int:
        beats = next(self._rhythm)
        for positions, masks in beats:
            batch = self._pool.batch(objects[positions])
            step_by_hand(self._learner, batch, torch.from_numpy(labels[positions]), masks)
        return len(beats)


def _trainer(
    learner: Learner, spec: CorrelationSpec, pool: PoolTensors, seed: int, size: int
) -> _Trainer:
    """Return the fastest way to take this learner's steps.

    The two ways draw masks differently where modalities are absent, so the choice depends on nothing that may differ
    within a study.
    """
    network = learner.network
    if isinstance(network, LateFusion) and pool.device.type == "cpu":
        return _TrainerByHand(network, learner, spec, pool, seed, size)
    return _Trainer(learner, spec, pool, seed)


def _judge(learner: Learner, pool: PoolTensors, test: Indices) -> Callable[[], Metrics]:
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


def control_exercise(spec: CorrelationSpec, pool: PoolTensors, base: int, seed: int) -> Exercise:
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
    return Exercise(drawn, pool.pool.labels[drawn])
