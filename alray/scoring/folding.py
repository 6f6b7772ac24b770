"""Late fusion folded for inference: BatchNorm inside the next Linear, dropped units cut out, absent vectors in biases.

A hidden layer is y = m * (a * relu(W x + b) + c) with BatchNorm's scale a and shift c and a dropout mask m. The next
Linear sees V y + e = (V diag(m a)) relu(...) + (e + V (m c)): only a matrix and a bias are left. Where m is zero the
column falls out, and so does the row of W that computed the unit: a committee member is a thinned network.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from alray.networks.kernels import round_up
from alray.networks.late_fusion import Encoder, LateFusion
from alray.networks.layers import Hidden
from alray.networks.loss_predictor import WIDTH, LossPredictor
from alray.networks.products import SCORING
from alray.networks.tensors import Scaling

_STEP = 32
"""A member keeps a multiple of this many units of a layer."""


@runtime_checkable
class Layer(Protocol):
    """A matrix and a bias in any number format, for activations that lie one object a row."""

    def __call__(self, x: Tensor) -> Tensor:
        """Return (n, outputs) for x of (n, inputs)."""

    def rectified(self, x: Tensor) -> Tensor:
        """Return its positive part."""


AnyLayer_co = TypeVar("AnyLayer_co", bound=Layer, covariant=True)


@dataclass(frozen=True)
class Affine:
    """A matrix and a bias in float32.

    Attributes:
        weight: (outputs, inputs).
        bias: (outputs,).
    """

    weight: Tensor
    bias: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Return (n, outputs) for x of (n, inputs)."""
        return SCORING.linear(x, self.weight, self.bias)

    def rectified(self, x: Tensor) -> Tensor:
        """Return its positive part."""
        return SCORING.linear(x, self.weight, self.bias, rectified=True)


def with_scaling(affine: Affine, scaling: Scaling | None) -> Affine:
    """Return a Linear that reads standardised features as one that reads them as they lie in memory."""
    if scaling is None:
        return affine
    weight = affine.weight
    return Affine(weight * scaling.scale, affine.bias + weight @ scaling.shift)


@dataclass(frozen=True)
class KeptUnits:
    """The units of a hidden layer that one member keeps, and the scale and shift behind their ReLU.

    Attributes:
        units: (kept,) int64, or None where the layer is whole.
        scale: (kept,) a, times the mask's factor.
        shift: (kept,) c, times the mask's factor.
    """

    units: Tensor | None
    scale: Tensor
    shift: Tensor

    def cut(self, affine: Affine) -> Affine:
        """Return the Linear with only the outputs that this member uses."""
        if self.units is None:
            return affine
        return Affine(affine.weight[self.units], affine.bias[self.units])

    def feed(self, reader: Affine | nn.Linear) -> Affine:
        """Return a Linear that reads this layer's output, folded to read its ReLU instead."""
        kept = reader.weight if self.units is None else reader.weight[:, self.units]
        return Affine(kept * self.scale, reader.bias + kept @ self.shift)


def normalisation(norm: nn.BatchNorm1d) -> tuple[Tensor, Tensor]:
    """Return (units,) scale a and shift c of a BatchNorm in evaluation mode."""
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        raise RuntimeError("folding needs BatchNorm's running statistics")
    scale = norm.weight / torch.sqrt(variance + norm.eps)
    return scale, norm.bias - mean * scale


def kept_units(layer: Hidden, member: int | None, *, fewest: int = 0) -> KeptUnits:
    """Return the units of `layer` that a member keeps; all of them where `member` is None.

    Where it keeps less than `fewest`, dropped ones, whose scale and shift are zero, fill them up.
    """
    scale, shift = normalisation(layer.norm)
    dropout = layer.dropout
    if member is None or dropout is None or dropout.rate == 0:
        return KeptUnits(None, scale, shift)
    mask = dropout.masks().of_shape((len(scale),))[member]
    units = _padded_units(torch.nonzero(mask).squeeze(1), mask, fewest)
    factor = mask[units]
    return KeptUnits(units, scale[units] * factor, shift[units] * factor)


def _padded_units(units: Tensor, mask: Tensor, fewest: int) -> Tensor:
    """Return the kept units and dropped ones, whose factor is zero, up to a multiple of `_STEP`: few shapes in all."""
    missing = min(round_up(max(len(units), fewest), _STEP), len(mask)) - len(units)
    dropped = torch.nonzero(mask == 0).squeeze(1)[:missing]
    return torch.cat([units, dropped]).sort().values


@dataclass(frozen=True)
class FoldedEncoder(Generic[AnyLayer_co]):
    """One modality's second layer and side head, for one member.

    Attributes:
        first_units: Units of the first layer that the second one reads, None for all.
        second: The second Linear, fed by the first layer.
        head: The side head, or None.
    """

    first_units: Tensor | None
    second: AnyLayer_co
    head: AnyLayer_co | None


@dataclass(frozen=True)
class FoldedMember(Generic[AnyLayer_co]):
    """One member of the committee (or the whole network) for objects of one presence pattern.

    Attributes:
        encoders: For each present modality.
        fuse: The trunk's first Linear, fed by the present encoders, the absent vectors in its bias.
        second: The trunk's second Linear.
        output: The fused head.
    """

    encoders: Mapping[str, FoldedEncoder[AnyLayer_co]]
    fuse: AnyLayer_co
    second: AnyLayer_co
    output: AnyLayer_co


def first_layers(network: LateFusion) -> dict[str, Affine]:
    """Return each encoder's first Linear: it comes before any dropout, so all members share its result."""
    linears = {name: encoder.first.linear for name, encoder in network.encoders()}
    return {name: Affine(layer.weight, layer.bias) for name, layer in linears.items()}


def fold_member(
    network: LateFusion,
    present: Sequence[str],
    member: int | None,
    heads: Sequence[str],
    *,
    fewest: int = 0,
) -> FoldedMember[Affine]:
    """Return one member folded for objects that have exactly the modalities `present`.

    Args:
        network: In evaluation mode.
        present: Names of modalities, in the network's order.
        member: Number of the member whose masks to use, or None for the whole network.
        heads: Heads to compute; `fused` is always there.
        fewest: Units that are left of a layer at least, dropped ones where the member keeps none.
    """
    encoders: dict[str, FoldedEncoder[Affine]] = {}
    fused = kept_units(network.fuse, member, fewest=fewest)
    last = kept_units(network.last, None)
    widths = [encoder.width for _, encoder in network.encoders()]
    columns = torch.split(network.fuse.linear.weight, widths, dim=1)
    bias: Tensor = network.fuse.linear.bias
    weights: list[Tensor] = []
    for (name, encoder), column in zip(network.encoders(), columns, strict=True):
        if name not in present:
            bias = bias if encoder.absent is None else bias + column @ encoder.absent
            continue
        first = kept_units(encoder.first, member, fewest=fewest)
        second = kept_units(encoder.second, member, fewest=fewest)
        encoders[name] = _fold_encoder(encoder, first, second, with_head=name in heads)
        fed = second.feed(Affine(column, bias))
        weights.append(fed.weight)
        bias = fed.bias
    return FoldedMember(
        encoders,
        fused.cut(Affine(torch.cat(weights, dim=1), bias)),
        fused.feed(network.last.linear),
        last.feed(network.output),
    )


def _fold_encoder(
    encoder: Encoder, first: KeptUnits, second: KeptUnits, *, with_head: bool
) -> FoldedEncoder[Affine]:
    return FoldedEncoder(
        first.units,
        second.cut(first.feed(encoder.second.linear)),
        second.feed(encoder.head) if with_head and encoder.head is not None else None,
    )


def fold_taps(network: LateFusion, predictor: LossPredictor) -> list[tuple[Affine, Tensor]]:
    """Return the loss predictor folded: per hidden layer its tap, fed by that layer, and its row of the last Linear."""
    rows = torch.split(predictor.output.weight, WIDTH, dim=1)
    return [
        (kept_units(layer, None).feed(tap), row)
        for layer, tap, row in zip(
            network.hidden_layers(), predictor.tap_layers(), rows, strict=True
        )
    ]
