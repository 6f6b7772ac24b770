"""Fitting a network on the labelled objects: epochs, early stopping."""

import copy
import math
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from alray.networks.layers import seed_dropouts
from alray.networks.sklearn_classifier import SklearnClassifier
from alray.networks.targets import Known, Targets
from alray.networks.tensors import Batch, PoolTensors
from alray.training.batches import batches
from alray.training.estimator_fit import fit_anew, log_loss
from alray.training.gpu.stack import Epoch, place_of
from alray.training.learner import Learner, train_mode
from alray.training.steps import Steps

Result = TypeVar("Result")


@dataclass(frozen=True)
class Draws:
    """The generators of a fit: of the order of batches, which also seeds an estimator, and of the dropout masks."""

    order: np.random.Generator
    dropout: torch.Generator


@dataclass(frozen=True)
class FitOptions:
    """The length of a fit, and which parts take part in it.

    Attributes:
        epochs: Most epochs.
        freeze_batch_norm: Whether BatchNorm keeps its running statistics.
        detach_from: Share of the epochs after which the loss predictor's gradient stops at the network.
        validate: Returns the validation NLL; where given, the fit stops after `patience` epochs without a better one
            and returns to the best epoch's weights.
    """

    epochs: int
    freeze_batch_norm: bool = False
    detach_from: float = 1.0
    validate: Callable[[], float] | None = None


@dataclass(frozen=True)
class Fit:
    """The epochs that a fit has run, and the mean loss per object of the last one."""

    epochs: int
    train_loss: float


Epochs = Generator[Epoch | None, float, Result]
"""Work that yields each epoch for a stack, whose caller sends back the epoch's mean loss per object.

None says that other work may have its turn; what is then sent is not looked at.
"""


def complete(work: Epochs[Result]) -> Result:
    """Do work to its end, each epoch by its own stack without other learners."""
    try:
        epoch = next(work)
        while True:
            loss = math.nan
            if epoch is not None:
                (loss,) = place_of(epoch.learner).stack.run([epoch])
            epoch = work.send(loss)
    except StopIteration as end:
        result: Result = end.value
        return result


def fit(
    learner: Learner, pool: PoolTensors, labelled: Known, draws: Draws, options: FitOptions
) -> Fit:
    """Fit a learner in place on the labelled objects, one at least."""
    return complete(fitting(learner, pool, labelled, draws, options))


def fitting(
    learner: Learner, pool: PoolTensors, labelled: Known, draws: Draws, options: FitOptions
) -> Epochs[Fit]:
    """Do the same; yield the epochs of a learner that is in a stack. A network without weights is fitted anew."""
    if isinstance(learner.network, SklearnClassifier):
        fit_anew(learner.network, pool, labelled, draws.order)
        return Fit(1, log_loss(learner.network, pool, labelled))
    seed_dropouts(learner.network, draws.dropout)
    # Labels grow from round to round, and so do batches.
    steps = Steps(learner, pool, few_shapes=True)
    objects, targets = labelled.objects, labelled.targets or pool.labels
    best = None if options.validate is None else _Best(learner, options.validate)
    train_loss, done = math.nan, 0
    for epoch in range(options.epochs):
        train_mode(learner, freeze_batch_norm=options.freeze_batch_norm)
        detach = epoch >= options.detach_from * options.epochs
        parts = batches(len(objects), learner.spec, draws.order)
        order = (objects[positions] for positions in parts)
        if learner.place is None:
            batches_of = ((pool.batch(each), targets(each)) for each in order)
            train_loss = _epoch(steps, batches_of, draws, detach=detach)
        else:
            live = not options.freeze_batch_norm
            train_loss = yield Epoch(learner, list(order), _draw_seed(draws.dropout), live)
        done += 1
        if best is not None and best.must_stop():
            break
    if best is not None:
        best.restore()
    return Fit(done, train_loss)


def _draw_seed(generator: torch.Generator) -> int:
    """Draw a seed for the masks of an epoch."""
    return int(torch.randint(0, 1 << 62, (), generator=generator))


def _epoch(
    steps: Steps, parts: Iterable[tuple[Batch, Targets]], draws: Draws, *, detach: bool
) -> float:
    """Take an epoch's steps; return the mean loss per object."""
    total, seen = 0.0, 0
    for batch, targets in parts:
        masks = steps.draw(len(targets), draws.dropout)
        loss = steps.take(batch, targets, masks, detach=detach)
        total += loss.item() * len(targets)
        seen += len(targets)
    return total / seen


class _Best:
    """The best epoch so far, and the number of epochs since."""

    def __init__(self, learner: Learner, validate: Callable[[], float]) -> None:
        self._learner = learner
        self._validate = validate
        self._nll = math.inf
        self._waited = 0
        self._state: tuple[dict[str, Any], dict[int, dict[str, Tensor]]] | None = None

    def must_stop(self) -> bool:
        """Validate after an epoch; return whether patience has run out."""
        nll = self._validate()
        if nll < self._nll:
            self._nll, self._waited = nll, 0
            self._state = copy.deepcopy(
                (self._learner.state_dict(), self._learner.optimizer.state())
            )
        else:
            self._waited += 1
        return self._waited >= self._learner.spec.patience

    def restore(self) -> None:
        """Return to the best epoch; where no epoch had a finite NLL the last one stays."""
        if self._state is not None:
            weights, optimizer = self._state
            self._learner.load_state_dict(weights)
            self._learner.optimizer.load(optimizer)
