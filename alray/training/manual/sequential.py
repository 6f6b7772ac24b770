"""A training step of a plain chain by hand: of a module of one's own what `late_fusion_step` is of late fusion."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from alray.networks.kernels import few_sizes, has_hooks, linear, padded_rows, relu_backward
from alray.networks.models import FUSED, CustomModule, Values
from alray.networks.sequential import Link, find_blocks
from alray.networks.tensors import Batch, PoolTensors
from alray.training.learner import Learner
from alray.training.manual.gradients import (
    NormStep,
    linear_backward,
    loss_gradients,
    set_linear_gradients,
)


def trainable_blocks(learner: Learner, pool: PoolTensors) -> list[Link] | None:
    """Return the links that `sequential_step` can train, or None: the network has to be called as it is.

    No layer may stand at two places, and every one has to learn; BatchNorm has to average with a fixed weight.
    """
    network = learner.network
    if pool.device.type != "cpu" or learner.predictor is not None:
        return None
    if not isinstance(network, CustomModule):
        return None
    links = find_blocks(network, {modality.name: modality.shape for modality in pool.modalities})
    if links is None:
        return None
    layers = [layer for link in links for layer in _layers(link)]
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    plain = (
        len(set(parameters)) == len(parameters)
        and all(parameter.requires_grad for parameter in parameters)
        and all(
            layer.momentum is not None for layer in layers if isinstance(layer, nn.BatchNorm1d)
        )
        and not any(has_hooks(layer, "backward") for layer in layers)
    )
    return links if plain else None


def _layers(link: Link) -> Iterator[nn.Module]:
    """Yield a link's layers that have parameters."""
    yield link.linear
    yield from filter(None, (link.before, link.after))


@torch.no_grad()
def sequential_step(
    learner: Learner, links: Sequence[Link], batch: Batch, labels: Tensor
) -> Tensor:
    """Take one step of Adam on a batch, as `training.step` does, to rounding; the same call gives the same bits.

    Returns the loss before the step, a scalar.

    Args:
        learner: Put into training mode by `training.train_mode`; changed in place.
        links: Of `trainable_blocks`.
        batch: Two objects or more, on the CPU, each with the only modality.
        labels: (batch,) their classes.
    """
    learner.optimizer.zero_grad()
    (x,) = batch.features.values()
    h = padded_rows(x, few_sizes(len(x)))
    steps = []
    for link in links:
        steps.append(_LinkStep(link, h, len(x)))
        h = steps[-1].output
    loss, gradients = loss_gradients(learner, {FUSED: Values(h[: len(x)])}, labels)
    gradient = gradients[FUSED]
    for step in reversed(steps[1:]):
        gradient = step.back(gradient)
    steps[0].back_to_linear(gradient)
    learner.update()
    return loss


class _LinkStep:
    """A link on one batch of n objects, there and back: dropped(after(relu(before(W x + b)))), where it has them.

    Inputs, outputs and their gradients may have rows of zeros to spare after the n.

    Attributes:
        output: (n or more, units).
    """

    def __init__(self, link: Link, x: Tensor, count: int) -> None:
        self._link, self._x = link, x
        rectified = link.relu and link.before is None
        h = linear(x, link.linear.weight, link.linear.bias, rectified=rectified)[:count]
        self._before = _norm_step(link.before, h)
        if self._before is not None:
            h = self._before.output
            h = h.relu() if link.relu else h
        self._rectified = h
        self._after = _norm_step(link.after, h)
        if self._after is not None:
            h = self._after.output
        self._mask = None if link.dropout is None else link.dropout.training_mask(h)
        if self._mask is not None:
            h = h * self._mask
        self.output = padded_rows(h, len(x))

    def back(self, gradient: Tensor) -> Tensor:
        """Give the link's parameters their gradients, for that of the output; return that of the input."""
        return linear_backward(self._link.linear, self._x, self._of_linear(gradient))

    def back_to_linear(self, gradient: Tensor) -> None:
        """Do the same without the gradient of the input: features need none."""
        set_linear_gradients(self._link.linear, self._x, self._of_linear(gradient))

    def _of_linear(self, gradient: Tensor) -> Tensor:
        """Return the gradient (n, units) of the Linear's output."""
        gradient = gradient[: len(self._rectified)]
        if self._mask is not None:
            gradient = gradient * self._mask
        if self._after is not None:
            gradient = self._after.backward(gradient)
        if self._link.relu:
            gradient = relu_backward(gradient, self._rectified)
        return gradient if self._before is None else self._before.backward(gradient)


def _norm_step(norm: nn.BatchNorm1d | None, x: Tensor) -> NormStep | None:
    return None if norm is None else NormStep(norm, x, live=norm.training)
