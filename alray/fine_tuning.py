"""Fine-tuning groups from common weights: the same seeds for every group, evaluated along the way.

What differs between two groups of one base, seed and dose is the objects they hold, and nothing else: not the order of
batches, not the dropout masks, not the number of steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Int64
from torch import Tensor

from alray.correlation_spec import CorrelationSpec
from alray.evaluation import evaluate
from alray.layers import seed_dropouts
from alray.metrics import Metrics
from alray.models import FUSED
from alray.pool import Indices
from alray.seeding import generator, torch_seed
from alray.state import restore_learner
from alray.tensors import PoolTensors
from alray.torch_random import isolated, torch_generator
from alray.training import batches, step, train_mode
from alray.warm_start import draw_test, initial_order, new_learner


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
    replayed = (
        initial_order(spec, pool.pool, base)[: spec.initial] if spec.replay != "none" else None
    )
    test = draw_test(spec, pool.pool)
    found = []
    for exercise in exercises:
        restore_learner(learner, start)
        dropout_seed = torch_seed(spec.seed, seed, "fine_tune_dropout")
        seed_dropouts(learner.network, torch_generator(dropout_seed))
        outcomes: list[Outcome] = []
        steps = 0
        with isolated(dropout_seed):
            for epoch in range(max(spec.epochs)):
                objects, labels = _epoch(pool, exercise, epoch, replayed)
                train_mode(learner, freeze_batch_norm=spec.training.batch_norm == "frozen")
                for positions in epoch_batches(spec, len(objects), seed, epoch):
                    wanted = torch.from_numpy(labels[positions]).to(pool.device)
                    step(learner, pool.batch(objects[positions]), wanted)
                    steps += 1
                if epoch + 1 in spec.epochs:
                    metrics = evaluate(learner.network, pool, test)[FUSED]
                    outcomes.append(Outcome(epoch + 1, steps, metrics))
        found.append(outcomes)
    return found


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


def _epoch(
    pool: PoolTensors, exercise: Exercise, epoch: int, replayed: Indices | None
) -> tuple[Indices, npt.NDArray[np.int64]]:
    objects, labels = exercise.objects[epoch], exercise.labels[epoch]
    if replayed is None:
        return objects, labels
    return (
        np.concatenate([objects, replayed]),
        np.concatenate([labels, pool.pool.labels[replayed]]),
    )
