"""Scoring the same objects again and again, with the fused head alone: fine-tunes are evaluated on one test set.

The objects' features are copied once. The network is folded as for the engine (see `folding`), but its activations lie
one object a row, as oneDNN's linear layers want them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from alray.folding import Affine, first_layers, fold_member
from alray.models import FUSED, LateFusion
from alray.onednn import linear
from alray.pool import Indices
from alray.tensors import PoolTensors

ROWS = 512
"""Objects at a time. Activations of 1,024 objects leave a core's second-level cache: they took half as long again."""


@dataclass(frozen=True)
class _Pattern:
    """Objects that have the same modalities.

    Attributes:
        positions: (objects,) int64, where their results go.
        features: Per present modality (objects, dimension), in the pool's order.
    """

    positions: Tensor
    features: Mapping[str, Tensor]


class FusedScorer:
    """Scores fixed objects with the weights that a network has at the time.

    It holds a float32 copy of their features: 5 MB for 5,000 objects of 256 numbers.
    """

    def __init__(self, pool: PoolTensors, indices: Indices) -> None:
        self._size = len(indices)
        codes = pool.patterns(indices)
        self._patterns = [
            self._pattern(pool, indices, np.flatnonzero(codes == code), int(code))
            for code in np.unique(codes)
        ]

    @staticmethod
    def _pattern(pool: PoolTensors, indices: Indices, positions: Indices, code: int) -> _Pattern:
        features: dict[str, Tensor] = {}
        for place, modality in enumerate(pool.modalities):
            if code >> place & 1:
                rows = modality.rows[indices[positions]].astype(np.int64)
                features[modality.name] = modality.gather(torch.from_numpy(rows)).to(pool.device)
        return _Pattern(torch.from_numpy(positions).to(pool.device), features)

    @torch.no_grad()
    def log_probs(self, network: LateFusion) -> Float[Tensor, "n classes"]:
        """Return the fused head's log-probabilities, objects in the order given; `inference.score`'s to rounding."""
        weight = network.output.weight
        found = weight.new_empty(self._size, len(weight))
        for pattern in self._patterns:
            logits = _logits(network, pattern.features)
            found[pattern.positions] = torch.log_softmax(logits, dim=1)
        return found


def _logits(network: LateFusion, features: Mapping[str, Tensor]) -> Tensor:
    """Return (objects, classes) for objects that have exactly these modalities."""
    first = first_layers(network)
    member = fold_member(network, list(features), None, (FUSED,))
    blocks = {name: torch.split(x, ROWS) for name, x in features.items()}
    logits: list[Tensor] = []
    for block in zip(*blocks.values(), strict=True):
        encoded: list[Tensor] = []
        for name, x in zip(blocks, block, strict=True):
            h = _rectified(first[name], x)
            encoded.append(_rectified(member.encoders[name].second, h))
        h = _rectified(member.fuse, torch.cat(encoded, dim=1))
        h = _rectified(member.second, h)
        logits.append(linear(h, member.output.weight, member.output.bias.squeeze(1)))
    return torch.cat(logits)


def _rectified(affine: Affine, x: Tensor) -> Tensor:
    return linear(x, affine.weight, affine.bias.squeeze(1), rectified=True)
