"""Fitting a network on the labelled objects: batches, epochs, early stopping."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from alray.layers import batch_norms, seed_dropouts
from alray.losses import HeadsLoss, ranking_loss
from alray.models import LossPredictor, Network, Outputs, Values
from alray.pool import Indices
from alray.spec import TrainingSpec
from alray.tensors import Batch, PoolTensors


class Learner(nn.Module):
    """Everything that is fitted together: the network, the loss weights, and the loss predictor where there is one."""

    def __init__(
        self,
        network: Network,
        loss: HeadsLoss,
        predictor: LossPredictor | None,
        spec: TrainingSpec,
    ) -> None:
        super().__init__()
        self.network = network
        self.loss = loss
        self.predictor = predictor
        self.spec = spec
        weights = [
            parameter for name, parameter in self.named_parameters() if name != "loss.log_variance"
        ]
        groups: list[dict[str, Any]] = [{"params": weights, "weight_decay": spec.weight_decay}]
        if spec.loss == "learned_noise":
            groups.append({"params": [loss.log_variance], "weight_decay": 0.0})
        # Adam's moments are carried from round to round: a round is a few steps, and a step without them moves
        # every weight by the full learning rate whatever the size of its gradient.
        self.optimizer = torch.optim.Adam(groups, lr=spec.lr, fused=True)

    def objective(self, outputs: Outputs, labels: Tensor, *, detach: bool) -> Tensor:
        """Return the loss of a batch; `detach` keeps the loss predictor's gradient out of the network."""
        total: Tensor
        total, each = self.loss(outputs, labels)
        wanted = self.spec.loss_prediction
        if self.predictor is None or wanted is None:
            return total
        taps = outputs.taps
        if detach:
            taps = [Values(tap.values.detach(), tap.rows) for tap in taps]
        predicted: Tensor = self.predictor(taps, len(labels))
        total = total + wanted.weight * ranking_loss(predicted, each, wanted)
        return total


@dataclass(frozen=True)
class Fit:
    """What a fit did.

    Attributes:
        epochs: Epochs run.
        train_loss: Mean loss per object of the last epoch.
    """

    epochs: int
    train_loss: float


def batches(n: int, spec: TrainingSpec, rng: np.random.Generator) -> Iterator[Indices]:
    """Yield one epoch's positions 0 to n-1, in random order, cut by the batch rule.

    `adaptive`: b' = b + ceil((n mod b) / floor(n / b)) for n >= b, else one batch of n, so that no batch is tiny.
    `fixed`: batches of b, the last one smaller. `upsample`: the order is filled up to a multiple of b with objects
    drawn again.
    """
    b = spec.batch_size
    order = rng.permutation(n)
    if spec.batch_rule == "adaptive":
        b = n if n < b else b + math.ceil((n % b) / (n // b))
    elif spec.batch_rule == "upsample" and n % b:
        order = np.concatenate([order, rng.integers(0, n, b - n % b)])
    for start in range(0, len(order), b):
        yield order[start : start + b]


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
    best = _Best(learner, learner.spec.patience) if validate else None
    train_loss, done = math.nan, 0
    for epoch in range(epochs):
        train_mode(learner, freeze_batch_norm=freeze_batch_norm)
        detach = epoch >= detach_from * epochs
        train_loss = _epoch(learner, pool, labelled, rng, detach=detach)
        done += 1
        if best is not None and validate is not None and best.stop_after(validate()):
            break
    if best is not None:
        best.restore()
    return Fit(done, train_loss)


def _epoch(
    learner: Learner,
    pool: PoolTensors,
    labelled: Indices,
    rng: np.random.Generator,
    *,
    detach: bool,
) -> float:
    total, seen = 0.0, 0
    for positions in batches(len(labelled), learner.spec, rng):
        indices = labelled[positions]
        loss = step(learner, pool.batch(indices), pool.labels(indices), detach=detach)
        total += loss.item() * len(indices)
        seen += len(indices)
    return total / seen


def step(learner: Learner, batch: Batch, labels: Tensor, *, detach: bool = False) -> Tensor:
    """Take one step of Adam on a batch; return its loss, a scalar without gradient."""
    outputs: Outputs = learner.network(batch)
    loss = learner.objective(outputs, labels, detach=detach)
    learner.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    learner.optimizer.step()
    learner.loss.keep_in_range()
    return loss.detach()


def train_mode(learner: Learner, *, freeze_batch_norm: bool) -> None:
    """Get ready for steps; where asked, BatchNorm's running statistics stay as they are."""
    learner.train()
    if freeze_batch_norm:
        for layer in batch_norms(learner.network):
            layer.eval()


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
