"""Late fusion of any modalities: an encoder for each, a join, a trunk."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from typing_extensions import override

from alray.networks.blocks import make_hidden
from alray.networks.joins import make_join
from alray.networks.layers import Hidden
from alray.networks.network import FUSED, Network, Outputs, Values
from alray.networks.tensors import Batch
from alray.settings.common import ModelSpec, unusual_parts

Layer = Hidden | nn.Linear
"""A layer of an encoder or the trunk."""


class Encoder(nn.Module):
    """One modality's part of late fusion: two hidden layers, a side head, and a learned vector for absent objects.

    With `spec.encoder` `linear` one matrix stands in the place of the hidden layers, with `none` nothing does.

    Attributes:
        first: The first hidden layer, where there are hidden layers.
        second: The second one.
        linear: The matrix, where there is one.
        width: Units of the encoding.
        head: The side head.
        absent: The learned vector.
    """

    first: Hidden
    second: Hidden
    linear: nn.Linear

    def __init__(
        self, inputs: int, classes: int, spec: ModelSpec, *, alone: bool, bare: bool = False
    ) -> None:
        """Make the encoder of a modality, which may be the only one; a bare one has neither layers nor a head."""
        super().__init__()
        d = spec.width
        self.width = inputs
        if spec.encoder == "mlp" and not bare:
            first = 4 * d if inputs >= 4 * d else 2 * d
            self.first = make_hidden(spec.block, inputs, first, spec.dropout)
            self.second = make_hidden(spec.block, first, 2 * d, spec.dropout)
        elif spec.encoder == "linear" and not bare:
            self.linear = nn.Linear(inputs, 2 * d)
        if spec.encoder != "none" and not bare:
            self.width = 2 * d
        has_head = spec.heads == "all" and not alone and not bare
        self.head = nn.Linear(self.width, classes) if has_head else None
        self.absent = None if alone else nn.Parameter(torch.zeros(self.width))

    def layers(self) -> list[Layer]:
        """Return its layers in their order."""
        found = (self._modules.get(name) for name in ("first", "second", "linear"))
        return [cast("Layer", layer) for layer in found if layer is not None]

    def hidden_layers(self) -> list[Hidden]:
        """Return those that are hidden layers: two or none."""
        return [layer for layer in self.layers() if isinstance(layer, Hidden)]

    def with_absent(self, x: Tensor, rows: Tensor | None, size: int) -> Tensor:
        """Return (size, width): the encoding x where the modality is present, the learned vector elsewhere."""
        if rows is None or self.absent is None:
            return x
        return self.absent.expand(size, -1).index_copy(0, rows, x)


class LateFusion(Network):
    """An encoder per modality, fused by concatenation; a side head per encoder where there are several.

    With d = `spec.width`: an encoder is inputs -> 4d or 2d -> 2d (4d where the modality has at least 4d features),
    the trunk is (modalities x 2d) -> d -> d -> classes, a side head is 2d -> classes. An absent modality enters the
    trunk as a learned vector; encoders and side heads see present objects only. Of an image array they see the pixels
    in a row.

    `spec.block` decides what hidden layers are, `spec.encoder` what encoders are, and `spec.fusion` what joins them:
    with `early` the features themselves are joined, by concatenation, and one encoder without a side head reads them
    all. Where there is one modality there is nothing to join.

    Attributes:
        plain: Whether its hidden layers are plain, its encoders have two of them, and concatenation joins them.
        join: What joins encodings; None for concatenation.
        joint: With early fusion the encoder of what is joined.
    """

    def __init__(self, dimensions: dict[str, int], classes: int, spec: ModelSpec) -> None:
        super().__init__()
        d = spec.width
        alone = len(dimensions) == 1
        if alone:
            spec = spec.model_copy(update={"fusion": "concat"})
        self.plain = not unusual_parts(spec.model_dump())
        early = spec.fusion == "early"
        self._names = tuple(dimensions)
        # Not a ModuleDict: its keys may neither hold a dot nor equal the name of one of its methods.
        self._encoders = nn.ModuleList(
            Encoder(inputs, classes, spec, alone=alone, bare=early)
            for inputs in dimensions.values()
        )
        widths = {name: encoder.width for name, encoder in self.encoders()}
        self.join = make_join(spec.fusion, widths, 2 * d)
        joined = sum(widths.values()) if self.join is None else self.join.width
        self.joint = Encoder(joined, classes, spec, alone=True) if early else None
        joined = joined if self.joint is None else self.joint.width
        self.fuse = make_hidden(spec.block, joined, d, spec.dropout)
        self.last = make_hidden(spec.block, d, d, None)
        self.output = nn.Linear(d, classes)
        self.head_names = (FUSED, *(name for name, encoder in self.encoders() if encoder.head))
        self.tap_sizes = tuple(layer.linear.out_features for layer in self.hidden_layers())

    def encoders(self) -> list[tuple[str, Encoder]]:
        """Return (modality, encoder) in the pool's order."""
        encoders = cast("list[Encoder]", list(self._encoders))
        return list(zip(self._names, encoders, strict=True))

    def trunk(self) -> list[Layer]:
        """Return the layers behind the join up to the output, which is not among them."""
        joint = [] if self.joint is None else self.joint.layers()
        return [*joint, self.fuse, self.last]

    def hidden_layers(self) -> list[Hidden]:
        """Return all hidden layers, in the order of `Outputs.taps`."""
        encoders = [layer for _, part in self.encoders() for layer in part.hidden_layers()]
        return [*encoders, *(layer for layer in self.trunk() if isinstance(layer, Hidden))]

    def joined(self, encodings: Sequence[Tensor], rows: Sequence[Tensor | None]) -> Tensor:
        """Return the trunk's input (size, width) for the encodings of each modality, as `Join` takes them."""
        if self.join is None:
            return torch.cat(list(encodings), dim=1)
        found: Tensor = self.join(encodings, rows)
        return found

    @override
    def forward(self, batch: Batch) -> Outputs:
        heads: dict[str, Values] = {}
        taps: list[Values] = []
        encoded: list[Tensor] = []
        for name, encoder in self.encoders():
            x, rows = batch.features[name].flatten(1), batch.rows[name]
            there = len(x) > 0
            for layer in encoder.layers():
                x = layer(x) if there else x.new_empty(0, _width(layer))
                if isinstance(layer, Hidden):
                    taps.append(Values(x, rows))
            if encoder.head is not None and there:
                heads[name] = Values(encoder.head(x), rows)
            encoded.append(encoder.with_absent(x, rows, batch.size))
        h = self.joined(encoded, [batch.rows[name] for name in self._names])
        for layer in self.trunk():
            h = layer(h)
            if isinstance(layer, Hidden):
                taps.append(Values(h))
        return Outputs({FUSED: Values(self.output(h)), **heads}, features=h, taps=taps)


def _width(layer: Layer) -> int:
    return layer.linear.out_features if isinstance(layer, Hidden) else layer.out_features
