"""The pass of any network: it is called as the module it is, once per committee member."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from alray.networks.late_fusion import LateFusion
from alray.networks.linear import SoftmaxRegression
from alray.networks.loss_predictor import LossPredictor
from alray.networks.network import FUSED, Network, Outputs
from alray.networks.sklearn_classifier import SklearnClassifier
from alray.networks.tensors import Batch, PoolTensors
from alray.pools.pool import Indices
from alray.scoring.passes import BLOCK, MODULE_BLOCK, asked_heads, block_signals
from alray.strategies.signals import Request, Signals

GPU_BLOCK = 65_536
"""The most objects at a time on a GPU."""

CUSTOM_GPU_BLOCK = 4096
"""The same for a module of any kind, whose maps may be large."""

ESTIMATOR_BLOCK = 8192
"""The same for a scikit-learn classifier: a forest of 100 trees takes milliseconds to be asked at all."""

GPU_SHARE = 1 / 32
"""Share of a GPU's memory that a block may take."""


def block_of(network: Network, pool: PoolTensors) -> int:
    """Return how many objects to score at a time; late fusion is taken to need 16 KiB and eight times its features."""
    if not isinstance(network, LateFusion):
        return CUSTOM_GPU_BLOCK
    each = 16 * 2**10 + 32 * sum(modality.dimension for modality in pool.modalities)
    memory = torch.cuda.get_device_properties(pool.device).total_memory
    return min(max(CUSTOM_GPU_BLOCK, int(memory * GPU_SHARE / each)), GPU_BLOCK)


class ModulePass:
    """Calls the network on each block; the other passes are tested against it."""

    block_size = MODULE_BLOCK
    row_step = 1

    def __init__(
        self,
        network: Network,
        pool: PoolTensors,
        request: Request,
        predictor: LossPredictor | None = None,
    ) -> None:
        self._network = network
        self._pool = pool
        if isinstance(network, SklearnClassifier):
            self.block_size = ESTIMATOR_BLOCK
        elif pool.device.type != "cpu":
            self.block_size = block_of(network, pool)
        elif isinstance(network, SoftmaxRegression):
            self.block_size = BLOCK
        self._request = request
        self._predictor = predictor if request.predicted_loss else None
        self._as_member = network.members()

    def prepare(self, present: Sequence[str], indices: Indices) -> None:
        """Nothing: a module treats every pattern alike."""

    def score_block(self, indices: Indices) -> Signals:
        """Return the signals of a block of objects of one presence pattern."""
        batch = self._pool.batch(indices)
        request = self._request
        outputs: Outputs = self._network(batch)
        predicted: Tensor | None = None
        if self._predictor is not None:
            predicted = self._predictor(outputs.taps, batch.size)
        return block_signals(
            request,
            indices,
            _log_probs(outputs, asked_heads(request)),
            self._members(batch, outputs),
            self._network.head_names,
            features=outputs.features if request.features else None,
            predicted_loss=predicted,
        )

    def _members(self, batch: Batch, outputs: Outputs) -> list[dict[str, Tensor]]:
        """Return the log-probabilities (b, classes) of every member by head, those of a mask together."""
        committee = self._request.committee
        if committee is None:
            return []
        heads = (FUSED,) if committee.kind == "dropout" else self._network.head_names
        if committee.kind == "heads":
            return [_log_probs(outputs, heads)]
        members: list[dict[str, Tensor]] = []
        for member in range(committee.members):
            with self._as_member(member):
                members.append(_log_probs(self._network(batch), heads))
        return members


def _log_probs(outputs: Outputs, heads: Iterable[str]) -> dict[str, Tensor]:
    """Return log-probabilities of those of these heads that the objects have."""
    return {
        head: torch.log_softmax(outputs.heads[head].values, dim=1)
        for head in heads
        if head in outputs.heads
    }
