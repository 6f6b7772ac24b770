"""Layers of late fusion on a batch, forward and backward: plain, residual and highway ones, and bare matrices."""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from alray.networks.blocks import Highway, Residual
from alray.networks.kernels import padded_rows
from alray.networks.late_fusion import Layer
from alray.networks.layers import Hidden
from alray.networks.products import TRAINING
from alray.networks.sequential import Block
from alray.training.manual.gradients import BlockStep, linear_backward, set_linear_gradients


@runtime_checkable
class LayerStep(Protocol):
    """A layer on a batch of n objects; inputs, outputs and gradients may have rows of zeros behind theirs.

    Attributes:
        output: (n or more, units).
    """

    output: Tensor

    def backward(self, gradient: Tensor) -> Tensor:
        """Set the gradients of the layer's parameters, for that of the output; return that of the input."""

    def backward_to_parameters(self, gradient: Tensor) -> None:
        """Set the same gradients alone: features need none."""


def layer_step(layer: Layer, x: Tensor, count: int, mask: Tensor | None) -> LayerStep:
    """Compute a layer for the first `count` rows of x, dropped by the mask (count, units) where there is one."""
    if not isinstance(layer, Hidden):
        return BlockStep(Block(layer), x, count, None)
    plain = BlockStep(Block(layer.linear, relu=True, norm_after=layer.norm), x, count, mask)
    if isinstance(layer, Highway):
        return _HighwayStep(layer, plain, x, count)
    return _ResidualStep(layer, plain, x) if isinstance(layer, Residual) else plain


class _ResidualStep:
    """y = h(x) + x, or + S x where the widths differ."""

    def __init__(self, layer: Residual, plain: BlockStep, x: Tensor) -> None:
        self._layer, self._plain, self._x = layer, plain, x
        self.output = plain.output + _passed_on(layer, x)

    def backward(self, gradient: Tensor) -> Tensor:
        gradient = padded_rows(gradient, len(self._x))
        return self._plain.backward(gradient) + _passed_back(self._layer, self._x, gradient)

    def backward_to_parameters(self, gradient: Tensor) -> None:
        gradient = padded_rows(gradient, len(self._x))
        self._plain.backward_to_parameters(gradient)
        if self._layer.shortcut is not None:
            set_linear_gradients(self._layer.shortcut, self._x, gradient)


class _HighwayStep:
    """y = g h(x) + (1 - g) x with g = sigmoid(G x + b)."""

    def __init__(self, layer: Highway, plain: BlockStep, x: Tensor, count: int) -> None:
        self._layer, self._plain, self._x, self._count = layer, plain, x, count
        opened = TRAINING.linear(x, layer.gate.weight, layer.gate.bias)[:count]
        self._opened = torch.sigmoid(opened)
        self._passed = _passed_on(layer, x)[:count]
        mixed = torch.lerp(self._passed, plain.output[:count], self._opened)
        self.output = padded_rows(mixed, len(x))

    def backward(self, gradient: Tensor) -> Tensor:
        of_plain, of_gate, of_passed = self._split(gradient)
        of_x = self._plain.backward(of_plain) + linear_backward(self._layer.gate, self._x, of_gate)
        return of_x + _passed_back(self._layer, self._x, of_passed)

    def backward_to_parameters(self, gradient: Tensor) -> None:
        of_plain, of_gate, of_passed = self._split(gradient)
        self._plain.backward_to_parameters(of_plain)
        set_linear_gradients(self._layer.gate, self._x, of_gate)
        if self._layer.shortcut is not None:
            set_linear_gradients(self._layer.shortcut, self._x, of_passed)

    def _split(self, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of h(x), of the gate before its sigmoid, and of what is passed on."""
        gradient, opened = gradient[: self._count], self._opened
        of_plain = gradient * opened
        of_passed = gradient - of_plain
        difference = self._plain.output[: self._count] - self._passed
        of_gate = of_passed * difference * opened
        rows = len(self._x)
        return padded_rows(of_plain, rows), of_gate, padded_rows(of_passed, rows)


def _passed_on(layer: Residual, x: Tensor) -> Tensor:
    return x if layer.shortcut is None else TRAINING.linear(x, layer.shortcut.weight)


def _passed_back(layer: Residual, x: Tensor, gradient: Tensor) -> Tensor:
    """Return the gradient of x for that of what is passed on, and set the shortcut's."""
    return gradient if layer.shortcut is None else linear_backward(layer.shortcut, x, gradient)
