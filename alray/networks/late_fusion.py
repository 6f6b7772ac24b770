"""Late fusion of any modalities: an encoder for each, joined by concatenation."""

from typing import cast

import torch
from torch import Tensor, nn
from typing_extensions import override

from alray.networks.layers import Hidden
from alray.networks.network import FUSED, Network, Outputs, Values
from alray.networks.tensors import Batch
from alray.settings.common import ModelSpec


class Encoder(nn.Module):
    """One modality's part of late fusion: two hidden layers, a side head, and a learned vector for absent objects."""

    def __init__(self, inputs: int, classes: int, spec: ModelSpec, *, alone: bool) -> None:
        super().__init__()
        d = spec.width
        first = 4 * d if inputs >= 4 * d else 2 * d
        self.first = Hidden(inputs, first, spec.dropout)
        self.second = Hidden(first, 2 * d, spec.dropout)
        has_head = spec.heads == "all" and not alone
        self.head = nn.Linear(2 * d, classes) if has_head else None
        self.absent = None if alone else nn.Parameter(torch.zeros(2 * d))

    @property
    def width(self) -> int:
        """Number of units that enter the fusion."""
        return self.second.linear.out_features

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
    """

    def __init__(self, dimensions: dict[str, int], classes: int, spec: ModelSpec) -> None:
        super().__init__()
        d = spec.width
        alone = len(dimensions) == 1
        self._names = tuple(dimensions)
        # Not a ModuleDict: its keys may neither hold a dot nor equal the name of one of its methods.
        self._encoders = nn.ModuleList(
            Encoder(inputs, classes, spec, alone=alone) for inputs in dimensions.values()
        )
        self.fuse = Hidden(2 * d * len(dimensions), d, spec.dropout)
        self.last = Hidden(d, d, None)
        self.output = nn.Linear(d, classes)
        self.head_names = (FUSED, *(name for name, encoder in self.encoders() if encoder.head))
        self.tap_sizes = tuple(layer.linear.out_features for layer in self.hidden_layers())

    def encoders(self) -> list[tuple[str, Encoder]]:
        """Return (modality, encoder) in the pool's order."""
        encoders = cast("list[Encoder]", list(self._encoders))
        return list(zip(self._names, encoders, strict=True))

    def hidden_layers(self) -> list[Hidden]:
        """Return all hidden layers, in the order of `Outputs.taps`."""
        encoders = [layer for _, part in self.encoders() for layer in (part.first, part.second)]
        return [*encoders, self.fuse, self.last]

    @override
    def forward(self, batch: Batch) -> Outputs:
        heads: dict[str, Values] = {}
        taps: list[Values] = []
        encoded: list[Tensor] = []
        for name, encoder in self.encoders():
            x, rows = batch.features[name].flatten(1), batch.rows[name]
            if len(x) > 0:
                first = encoder.first(x)
                second = encoder.second(first)
            else:
                first = x.new_empty(0, encoder.first.linear.out_features)
                second = x.new_empty(0, encoder.width)
            taps += [Values(first, rows), Values(second, rows)]
            if encoder.head is not None and len(x) > 0:
                heads[name] = Values(encoder.head(second), rows)
            encoded.append(encoder.with_absent(second, rows, batch.size))
        fused = self.fuse(torch.cat(encoded, dim=1))
        h = self.last(fused)
        taps += [Values(fused), Values(h)]
        return Outputs({FUSED: Values(self.output(h)), **heads}, features=h, taps=taps)
