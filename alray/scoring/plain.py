"""The generic way to score: the network as the module it is, one committee member after the other."""

from collections.abc import Sequence

import torch
from torch import Tensor

from alray.networks.layers import as_member, dropouts
from alray.networks.models import FUSED, Network, Outputs
from alray.networks.tensors import Batch, PoolTensors
from alray.pools.pool import Indices
from alray.scoring.request import MODULE_BLOCK, BlockResult, Request
from alray.strategies import scores


class ModulePass:
    """Calls the network on each block; also what the folded way is tested against."""

    block_size = MODULE_BLOCK

    def __init__(self, network: Network, pool: PoolTensors, request: Request) -> None:
        self._network = network
        self._pool = pool
        self._request = request
        self._dropouts = dropouts(network)

    def prepare(self, present: Sequence[str], indices: Indices) -> None:
        """Nothing: a module meets every pattern alike."""

    def block(self, indices: Indices) -> BlockResult:
        """Compute one block of objects of one presence pattern."""
        batch = self._pool.batch(indices)
        request = self._request
        outputs: Outputs = self._network(batch)
        result = BlockResult(
            log_probs={
                head: torch.log_softmax(outputs.heads[head].values, dim=1)
                for head in request.heads
                if head in outputs.heads
            }
        )
        if request.features:
            result.features = outputs.features
        if request.predictor is not None:
            result.predicted_loss = request.predictor(outputs.taps, batch.size)
        if request.committee is not None:
            result.committee = scores.summarise_committee(self._members(batch, outputs))
        return result

    def _members(self, batch: Batch, outputs: Outputs) -> list[Tensor]:
        """Return the log-probabilities (b, classes) of every member."""
        committee = self._request.committee
        if committee is None:
            return []
        if committee.kind == "heads":
            return _log_probs(outputs, every_head=True)
        members: list[Tensor] = []
        for member in range(committee.members):
            with as_member(self._dropouts, member):
                members += _log_probs(self._network(batch), every_head=committee.kind == "both")
        return members


def _log_probs(outputs: Outputs, *, every_head: bool) -> list[Tensor]:
    names = list(outputs.heads) if every_head else [FUSED]
    return [torch.log_softmax(outputs.heads[name].values, dim=1) for name in names]
