"""A manual training step of a sequential custom module: `learner.step` without a graph through the module."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from alray.networks.kernels import few_sizes, has_hooks, linear, padded_rows, relu_backward
from alray.networks.models import FUSED, CustomModule, Values
from alray.networks.sequential import Block
from alray.networks.tensors import Batch, PoolTensors
from alray.training.learner import Learner
from alray.training.manual.gradients import (
    NormStep,
    linear_backward,
    loss_gradients,
    set_linear_gradients,
)


def trainable_blocks(learner: Learner, pool: PoolTensors) -> Sequence[Block] | None:
    """Return the blocks that `sequential_step` can train, or None: the network has to be called.

    No layer may occur twice, and every one has to learn; BatchNorm has to average with a fixed weight.
    """
    network = learner.network
    if pool.device.type != "cpu" or learner.predictor is not None:
        return None
    blocks = network.blocks if isinstance(network, CustomModule) else None
    if blocks is None:
        return None
    layers = [layer for block in blocks for layer in _layers(block)]
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    known = (
        len(set(parameters)) == len(parameters)
        and all(parameter.requires_grad for parameter in parameters)
        and all(
            layer.momentum is not None for layer in layers if isinstance(layer, nn.BatchNorm1d)
        )
        and not any(has_hooks(layer, "backward") for layer in layers)
    )
    return blocks if known else None


def _layers(block: Block) -> Iterator[nn.Module]:
    """Yield a block's layers that have parameters."""
    yield block.linear
    yield from filter(None, (block.norm_before, block.norm_after))


@torch.no_grad()
def sequential_step(
    learner: Learner, blocks: Sequence[Block], batch: Batch, labels: Tensor
) -> Tensor:
    """Take one step of Adam on a batch, as `learner.step` does, to rounding; the same call gives the same bits.

    Returns the loss before the step, a scalar.

    Args:
        learner: Put into training mode by `train_mode`; changed in place.
        blocks: From `trainable_blocks`.
        batch: Two objects or more, on the CPU, each with the only modality.
        labels: (batch,) their classes.
    """
    learner.optimizer.zero_grad()
    (x,) = batch.features.values()
    h = padded_rows(x, few_sizes(len(x)))
    steps = []
    for block in blocks:
        steps.append(_BlockStep(block, h, len(x)))
        h = steps[-1].output
    loss, gradients = loss_gradients(learner, {FUSED: Values(h[: len(x)])}, labels)
    gradient = gradients[FUSED]
    for step in reversed(steps[1:]):
        gradient = step.backward(gradient)
    steps[0].backward_to_parameters(gradient)
    learner.update()
    return loss


class _BlockStep:
    """A block on a batch of n objects: dropped(norm_after(relu(norm_before(W x + b)))), forward and backward.

    Inputs, outputs and their gradients may have rows of zeros after those of the n objects.

    Attributes:
        output: (n or more, units).
    """

    def __init__(self, block: Block, x: Tensor, count: int) -> None:
        self._block, self._x = block, x
        rectified = block.relu and block.norm_before is None
        h = linear(x, block.linear.weight, block.linear.bias, rectified=rectified)[:count]
        self._norm_before = _norm_step(block.norm_before, h)
        if self._norm_before is not None:
            h = self._norm_before.output
            h = h.relu() if block.relu else h
        self._rectified = h
        self._norm_after = _norm_step(block.norm_after, h)
        if self._norm_after is not None:
            h = self._norm_after.output
        self._mask = None if block.dropout is None else block.dropout.training_mask(h)
        if self._mask is not None:
            h = h * self._mask
        self.output = padded_rows(h, len(x))

    def backward(self, gradient: Tensor) -> Tensor:
        """Set the gradients of the block's parameters, for that of the output; return that of the input."""
        return linear_backward(self._block.linear, self._x, self._linear_gradient(gradient))

    def backward_to_parameters(self, gradient: Tensor) -> None:
        """Set the same gradients without that of the input: features need none."""
        set_linear_gradients(self._block.linear, self._x, self._linear_gradient(gradient))

    def _linear_gradient(self, gradient: Tensor) -> Tensor:
        """Set the gradients of the norms, for that of the output; return that of the Linear's output (n, units)."""
        gradient = gradient[: len(self._rectified)]
        if self._mask is not None:
            gradient = gradient * self._mask
        if self._norm_after is not None:
            gradient = self._norm_after.backward(gradient)
        if self._block.relu:
            gradient = relu_backward(gradient, self._rectified)
        return gradient if self._norm_before is None else self._norm_before.backward(gradient)


def _norm_step(norm: nn.BatchNorm1d | None, x: Tensor) -> NormStep | None:
    return None if norm is None else NormStep(norm, x, live=norm.training)
