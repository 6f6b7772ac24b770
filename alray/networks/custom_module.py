"""A user's module behind the interface of all networks."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from alray.networks.layers import replace_dropouts
from alray.networks.network import FUSED, Network, Outputs, Values
from alray.networks.sequential import Block, find_blocks
from alray.networks.tensors import Batch


class CustomModule(Network):
    """A user's module: called with dense features and presence masks, returns logits.

    Its dropout layers are replaced by alray's, so that its training repeats to the bit and a committee member is one
    mask for all objects, as for the built-in networks. No other layer of it may be replaced.
    """

    def __init__(self, module: nn.Module, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Wrap a module for a pool whose modalities have these shapes."""
        super().__init__()
        replace_dropouts(module)
        self.module = module
        self.head_names = (FUSED,)
        self.tap_sizes = ()
        self._shapes = dict(shapes)

    @cached_property
    def blocks(self) -> Sequence[Block] | None:
        """The module's blocks if it is one sequence of known layers (see `find_blocks`), else None; traced once."""
        return find_blocks(self.module, self._shapes)

    @override
    def forward(self, batch: Batch) -> Outputs:
        return Outputs({FUSED: Values(self.answer(batch))})

    def answer(self, batch: Batch) -> Any:
        """Call the module; return what it returns, which should be logits (batch, classes)."""
        features: dict[str, Tensor] = {}
        present: dict[str, Tensor] = {}
        for name, x in batch.features.items():
            rows = batch.rows[name]
            if rows is None:
                features[name], present[name] = x, x.new_ones(batch.size, dtype=torch.bool)
                continue
            features[name] = x.new_zeros(batch.size, *x.shape[1:]).index_copy(0, rows, x)
            present[name] = x.new_zeros(batch.size, dtype=torch.bool).index_fill(0, rows, 1)
        return self.module(features, present)
