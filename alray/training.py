"""What is fitted together, how labels are cut into batches, and a step of Adam on one."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from alray.adam import step_of_adam
from alray.layers import batch_norms
from alray.losses import HeadsLoss, ranking_loss
from alray.models import LossPredictor, Network, Outputs, Values
from alray.pool import Indices
from alray.spec import TrainingSpec
from alray.tensors import Batch


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

    def update(self) -> None:
        """Take a step of Adam with the gradients at hand."""
        step_of_adam(self.optimizer)
        self.loss.keep_in_range()


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


def step(learner: Learner, batch: Batch, labels: Tensor, *, detach: bool = False) -> Tensor:
    """Take one step of Adam on a batch; return its loss, a scalar without gradient."""
    outputs: Outputs = learner.network(batch)
    loss = learner.objective(outputs, labels, detach=detach)
    learner.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    learner.update()
    return loss.detach()


def train_mode(learner: Learner, *, freeze_batch_norm: bool) -> None:
    """Get ready for steps; where asked, BatchNorm's running statistics stay as they are."""
    learner.train()
    if freeze_batch_norm:
        for layer in batch_norms(learner.network):
            layer.eval()
