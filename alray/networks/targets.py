"""What a network is to learn of an object, and its loss: a class, probabilities of classes, or possible classes.

A batch's targets are one tensor, whose type says which they are: (batch,) int64 classes; (batch, classes) float32
probabilities, as several answers leave them; (batch, classes) bool, true for the classes that are still possible after
yes/no answers.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from alray.pools.pool import Indices

Targets = Tensor
"""Of a batch, in one of the three forms."""

TargetsOf = Callable[[Indices], Targets]
"""Takes the pool indices of objects, and returns their targets."""


class Known(NamedTuple):
    """Labelled objects, and what is known of them.

    Attributes:
        objects: (n,) pool indices, in the order in which they were labelled.
        targets: Returns the targets of some of them; None where these are the pool's classes.
    """

    objects: Indices
    targets: TargetsOf | None = None


def target_losses(logits: Tensor, targets: Targets) -> Tensor:
    """Return (batch,) losses, in nats.

    Of a class y: -log p_y. Of probabilities q: -sum_k q_k log p_k, the expected loss. Of possible classes S:
    -log sum_{k in S} p_k (Hu et al. 2019, equation 1), which is that of a class where one is left.

    Args:
        logits: (batch, classes), or log-probabilities.
        targets: Their targets.
    """
    if targets.dim() == 1:
        return functional.cross_entropy(logits, targets, reduction="none")
    if targets.dtype == torch.bool:
        possible = logits.masked_fill(~targets, -torch.inf)
        return logits.logsumexp(1) - possible.logsumexp(1)
    return functional.cross_entropy(logits, targets, reduction="none")


def mean_target_loss(logits: Tensor, targets: Targets) -> Tensor:
    """Return the mean of `target_losses`, a scalar."""
    # Of classes in one call: another order of sums would change the records of studies that are half done.
    if targets.dim() == 1:
        return functional.cross_entropy(logits, targets)
    return target_losses(logits, targets).mean()


def to_target(log_probs: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
    """Return the losses (batch,) of targets that are no classes, and their gradients (batch, classes) in the logits.

    With p = softmax(z): of probabilities q it is p - q; of possible classes S it is p - p_S, where p_S is p with zeros
    outside of S, divided by its sum.

    Args:
        log_probs: (batch, classes).
        targets: (batch, classes) probabilities or possible classes.
    """
    losses = target_losses(log_probs, targets)
    wanted = targets
    if targets.dtype == torch.bool:
        wanted = torch.softmax(log_probs.masked_fill(~targets, -torch.inf), 1)
    return losses, log_probs.exp() - wanted


def classes_of(targets: Targets, log_probs: Tensor | None = None) -> Tensor:
    """Return (batch,) the likeliest class of each target; among possible ones the likeliest by log-probabilities."""
    if targets.dim() == 1:
        return targets
    if targets.dtype == torch.bool and log_probs is not None:
        return log_probs.masked_fill(~targets, -torch.inf).argmax(1)
    return targets.to(torch.float32).argmax(1)
