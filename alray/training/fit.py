"""Fitting a network on the labelled objects: epochs, early stopping."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from alray.networks.layers import seed_dropouts
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.training.batches import batches
from alray.training.learner import Learner, train_mode
from alray.training.steps import Steps, choose_steps


@dataclass(frozen=True)
class Fit:
    """What a fit did.

    Attributes:
        epochs: Epochs run.
        train_loss: Mean loss per object of the last epoch.
    """

    epochs: int
    train_loss: float


def fit(  # noqa: PLR0913 -- each argument is one thing a fit depends on
    learner: Learner,
    pool: PoolTensors,
    labelled: Indices,
    *,
    epochs: int,
    rng: np.random.Generator,
    dropout: torch.Generator,
    freeze_batch_norm: bool = False,
    detach_from: float = 1.0,
    validate: Callable[[], float] | None = None,
) -> Fit:
    """Fit on the labelled objects, in place.

    Args:
        learner: What is fitted.
        pool: Where features and labels come from.
        labelled: (n,) objects, n >= 1.
        epochs: Most epochs.
        rng: Draws the order of batches.
        dropout: Draws training's dropout masks.
        freeze_batch_norm: Keep the running statistics.
        detach_from: Share of the epochs after which the loss predictor's gradient stops at the network.
        validate: Returns the validation NLL; where given, the fit stops after `patience` epochs without a better one
            and goes back to the best epoch's weights.
    """
    seed_dropouts(learner.network, dropout)
    # Labels grow from round to round, and so do batches.
    steps = choose_steps(learner, pool, few_shapes=True)
    best = _Best(learner, learner.spec.patience) if validate else None
    train_loss, done = math.nan, 0
    for epoch in range(epochs):
        train_mode(learner, freeze_batch_norm=freeze_batch_norm)
        detach = epoch >= detach_from * epochs
        train_loss = _epoch(learner, steps, pool, labelled, rng, dropout, detach=detach)
        done += 1
        if best is not None and validate is not None and best.stop_after(validate()):
            break
    if best is not None:
        best.restore()
    return Fit(done, train_loss)


def _epoch(  # noqa: PLR0913 -- as for `fit`
    learner: Learner,
    steps: Steps,
    pool: PoolTensors,
    labelled: Indices,
    rng: np.random.Generator,
    dropout: torch.Generator,
    *,
    detach: bool,
) -> float:
    total, seen = 0.0, 0
    for positions in batches(len(labelled), learner.spec, rng):
        indices = labelled[positions]
        masks = steps.draw(len(indices), dropout)
        loss = steps.take(pool.batch(indices), pool.labels(indices), masks, detach=detach)
        total += loss.item() * len(indices)
        seen += len(indices)
    return total / seen


class _Best:
    """The best epoch so far, and how many epochs ago it was."""

    def __init__(self, learner: Learner, patience: int) -> None:
        self._learner = learner
        self._patience = patience
        self._nll = math.inf
        self._waited = 0
        self._state: tuple[dict[str, Any], dict[str, Any]] | None = None

    def stop_after(self, nll: float) -> bool:
        """Take note of an epoch's validation NLL; return whether patience has run out."""
        if nll < self._nll:
            self._nll, self._waited = nll, 0
            self._state = copy.deepcopy(
                (self._learner.state_dict(), self._learner.optimizer.state_dict())
            )
        else:
            self._waited += 1
        return self._waited >= self._patience

    def restore(self) -> None:
        """Go back to the best epoch; where no epoch had a finite NLL the last one stays."""
        if self._state is not None:
            weights, optimizer = self._state
            self._learner.load_state_dict(weights)
            self._learner.optimizer.load_state_dict(optimizer)
