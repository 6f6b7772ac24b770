"""Score the same objects again and again by the fused head: fine-tunes are evaluated on one test set.

The objects' features are copied once. The network is folded as for the engine (see `folding`).
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from alray.networks.late_fusion import LateFusion
from alray.networks.network import FUSED
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring.folded import forward
from alray.scoring.folding import first_layers, fold_member

BLOCK = 512
"""Objects at a time. Activations of 1,024 objects leave a core's second-level cache, and took half as long again."""


class CachedScorer:
    """Scores fixed objects with the weights that a network has at the time.

    It holds a float32 copy of their features: 5 MB for 5,000 objects of 256 numbers.
    """

    def __init__(self, pool: PoolTensors, indices: Indices) -> None:
        self._size = len(indices)
        # For each presence pattern the positions of its objects, and their features by present modality.
        self._patterns: list[tuple[Tensor, dict[str, Tensor]]] = []
        for names, positions in pool.by_pattern(indices):
            features = {
                modality.name: modality.gather(indices[positions])
                for modality in pool.modalities
                if modality.name in names
            }
            self._patterns.append((torch.from_numpy(positions).to(pool.device), features))

    @torch.no_grad()
    def log_probs(self, network: LateFusion) -> Float[Tensor, "n classes"]:
        """Return the fused head's log-probabilities, objects in the order given; `engine.score`'s to rounding."""
        weight = network.output.weight
        found = weight.new_empty(self._size, len(weight))
        for positions, features in self._patterns:
            found[positions] = torch.log_softmax(_logits(network, features), dim=1)
        return found


def _logits(network: LateFusion, features: Mapping[str, Tensor]) -> Tensor:
    """Return (objects, classes) for objects that have exactly these modalities."""
    first = first_layers(network)
    member = fold_member(network, list(features), None, (FUSED,))
    by_modality = {name: torch.split(x, BLOCK) for name, x in features.items()}
    logits: list[Tensor] = []
    for block in zip(*by_modality.values(), strict=True):
        activations = {
            name: first[name].rectified(x) for name, x in zip(by_modality, block, strict=True)
        }
        logits.append(forward(member, activations).logits[FUSED])
    return torch.cat(logits)
