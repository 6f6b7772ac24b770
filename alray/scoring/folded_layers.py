"""Layers of late fusion folded for inference, of any kind: what is left of each is products and units' scales.

As in `folding`, BatchNorm and a member's dropout mask become a scale and a shift of each unit behind its ReLU. A plain
layer hands them on to the Linear that reads it; residual and highway layers, which add their input, apply them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from typing_extensions import override

from alray.networks.blocks import Highway, Residual
from alray.networks.late_fusion import Layer
from alray.networks.layers import Hidden
from alray.scoring.folding import Affine, KeptUnits, kept_units, normalisation


@runtime_checkable
class Feeder(Protocol):
    """How a Linear reads what comes before it."""

    def feed(self, reader: Affine) -> Affine:
        """Return a Linear that reads an output, folded to read instead what was computed of it."""


@runtime_checkable
class Reader(Feeder, Protocol):
    """How a Linear reads what a layer returns."""

    def applied(self, h: Tensor) -> Tensor:
        """Return the layer's output (n, units) for what it returns."""


class AsItIs:
    """What a layer returns is its output."""

    def feed(self, reader: Affine) -> Affine:
        """Return the Linear itself."""
        return reader

    def applied(self, h: Tensor) -> Tensor:
        """Return h itself."""
        return h


@dataclass(frozen=True)
class Scaled:
    """The output is what a layer returns times a scale, plus a shift; some units may have been left out."""

    kept: KeptUnits

    def feed(self, reader: Affine) -> Affine:
        """Return a Linear that reads what the layer returns."""
        return self.kept.feed(reader)

    def applied(self, h: Tensor) -> Tensor:
        """Return the units, those alone that were kept, scaled and shifted."""
        return torch.addcmul(self.kept.shift, h, self.kept.scale)


class FoldedLayer:
    """A layer, in two parts: before and behind a member's dropout mask. This one is a bare Linear.

    Attributes:
        drops: Whether members have masks here.
        reader: How a Linear reads what it returns.
    """

    drops = False

    def __init__(self, affine: Affine) -> None:
        self._affine = affine
        self.reader: Reader = AsItIs()

    def before_mask(self, x: Tensor) -> Sequence[Tensor]:
        """Return what does not depend on the layer's own mask, for an input x (n, inputs)."""
        return (self._affine(x),)

    def behind_mask(self, found: Sequence[Tensor]) -> Tensor:
        """Return (n, units) for what `before_mask` returned, which stays as it is."""
        return found[0]


class _Plain(FoldedLayer):
    """Returns the ReLU of the units that its member keeps, and hands on their scales."""

    def __init__(self, affine: Affine, kept: KeptUnits, *, drops: bool, shared: bool) -> None:
        """Take the Linear of all units; `shared` says whether other members use its products too."""
        super().__init__(affine if shared else kept.cut(affine))
        self._picked = kept.units if shared else None
        self.drops = drops
        self.reader = Scaled(kept)

    @override
    def before_mask(self, x: Tensor) -> Sequence[Tensor]:
        return (self._affine.rectified(x),)

    @override
    def behind_mask(self, found: Sequence[Tensor]) -> Tensor:
        (h,) = found
        return h if self._picked is None else h.index_select(1, self._picked)


class _Applied(FoldedLayer):
    """Returns its whole output, zeros where its member drops units."""

    def __init__(self, affine: Affine, layer: Hidden, member: int | None) -> None:
        super().__init__(affine)
        self.drops = drops(layer)
        self._scale, self._shift = normalisation(layer.norm)
        if member is not None and layer.dropout is not None and self.drops:
            mask = layer.dropout.masks().of_shape((len(self._scale),))[member]
            self._scale, self._shift = self._scale * mask, self._shift * mask

    @override
    def before_mask(self, x: Tensor) -> Sequence[Tensor]:
        return (self._affine.rectified(x),)

    @override
    def behind_mask(self, found: Sequence[Tensor]) -> Tensor:
        return torch.addcmul(self._shift, found[0], self._scale)


class _Residual(_Applied):
    def __init__(
        self, affine: Affine, layer: Residual, member: int | None, before: Feeder
    ) -> None:
        super().__init__(affine, layer, member)
        self._shortcut = _shortcut(layer, before)

    @override
    def before_mask(self, x: Tensor) -> Sequence[Tensor]:
        return self._affine.rectified(x), x if self._shortcut is None else self._shortcut(x)

    @override
    def behind_mask(self, found: Sequence[Tensor]) -> Tensor:
        return super().behind_mask(found).add_(found[1])


class _Highway(_Residual):
    def __init__(self, affine: Affine, layer: Highway, member: int | None, before: Feeder) -> None:
        super().__init__(affine, layer, member, before)
        self._gate = before.feed(affine_of(layer.gate))

    @override
    def before_mask(self, x: Tensor) -> Sequence[Tensor]:
        return *super().before_mask(x), self._gate(x).sigmoid_()

    @override
    def behind_mask(self, found: Sequence[Tensor]) -> Tensor:
        _, passed_on, opened = found
        return torch.lerp(passed_on, _Applied.behind_mask(self, found), opened)


def _shortcut(layer: Residual, before: Feeder) -> Affine | None:
    """Return what brings the layer's input, as it comes, to its output; None where that is the input itself."""
    if layer.shortcut is not None:
        return before.feed(affine_of(layer.shortcut))
    if isinstance(before, AsItIs):
        return None
    weight = torch.eye(len(layer.linear.weight))
    return before.feed(Affine(weight, weight.new_zeros(len(weight))))


def affine_of(linear: nn.Linear) -> Affine:
    """Return a Linear's matrix and bias, zeros where it has none."""
    weight = linear.weight
    return Affine(weight, weight.new_zeros(len(weight)) if linear.bias is None else linear.bias)


def drops(layer: Layer) -> bool:
    """Return whether members have masks behind this layer."""
    return isinstance(layer, Hidden) and layer.dropout is not None and layer.dropout.rate > 0


def fold_layers(
    layers: Sequence[Layer], before: Feeder, member: int | None, *, shared: bool, applied: bool
) -> list[FoldedLayer]:
    """Return layers that follow each other, folded for a member, or for the whole network where it is None.

    Args:
        layers: The layers.
        before: How the first one reads its input.
        member: Number of the member whose masks to use.
        shared: Whether the input is the same for all members: then so are all products up to the first mask.
        applied: Whether the last one's output is needed whole, not handed on to a Linear.
    """
    folded: list[FoldedLayer] = []
    for number, layer in enumerate(layers):
        whole = applied and number == len(layers) - 1
        folded.append(_fold(layer, before, member, shared=shared, applied=whole))
        before = folded[-1].reader
        shared = shared and not folded[-1].drops
    return folded


def _fold(
    layer: Layer, before: Feeder, member: int | None, *, shared: bool, applied: bool
) -> FoldedLayer:
    if not isinstance(layer, Hidden):
        return FoldedLayer(before.feed(affine_of(layer)))
    affine = before.feed(affine_of(layer.linear))
    if isinstance(layer, Highway):
        return _Highway(affine, layer, member, before)
    if isinstance(layer, Residual):
        return _Residual(affine, layer, member, before)
    if applied:
        return _Applied(affine, layer, member)
    return _Plain(affine, kept_units(layer, member), drops=drops(layer), shared=shared)


@dataclass(frozen=True)
class Begun:
    """Layers that follow each other, run up to the first mask.

    Attributes:
        position: The layer in which they stopped; it has been run `before_mask`.
        found: What that returned; the input itself where there is no layer.
        outputs: What the layers before it returned.
    """

    position: int
    found: Sequence[Tensor]
    outputs: Sequence[Tensor]


def begin(layers: Sequence[FoldedLayer], x: Tensor) -> Begun:
    """Run layers up to the first mask, or to the end where there is none."""
    outputs: list[Tensor] = []
    for position, layer in enumerate(layers):
        found = layer.before_mask(x)
        if layer.drops or position == len(layers) - 1:
            return Begun(position, found, outputs)
        x = layer.behind_mask(found)
        outputs.append(x)
    return Begun(0, (x,), [])


def finish(layers: Sequence[FoldedLayer], begun: Begun) -> list[Tensor]:
    """Return what each of the layers returns; the input alone where there is none."""
    if not layers:
        return [begun.found[0]]
    outputs = [*begun.outputs, layers[begun.position].behind_mask(begun.found)]
    for layer in layers[begun.position + 1 :]:
        outputs.append(layer.behind_mask(layer.before_mask(outputs[-1])))
    return outputs
