"""BALD with dropout masks of its own for every object (Gal et al. 2017), beside alray's one mask a member for all.

Where all objects share a member's mask, the errors of a small committee are common to similar objects; with masks per
object they are independent. It is slow: nothing of a member can be computed once for all objects.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from alray.networks.late_fusion import LateFusion
from alray.networks.layers import dropouts
from alray.networks.loss_predictor import LossPredictor
from alray.networks.network import Network
from alray.networks.tensors import Batch, PoolTensors
from alray.pools.pool import Indices
from alray.scoring import engine
from alray.scoring.passes import BLOCK
from alray.strategies import scores
from alray.strategies.committee import Bald
from alray.strategies.signals import Committee, Request, Signals


@dataclass(frozen=True)
class ObjectMasks(Committee):
    """A committee by dropout whose members have a mask for each object."""


@dataclass(frozen=True)
class BaldByObject(Bald):
    """BALD by members with a mask for each object."""

    @property
    @override
    def needs(self) -> Request:
        return Request(committee=ObjectMasks(self.members))


@contextmanager
def object_masks() -> Iterator[None]:
    """Let the engine answer `BaldByObject` too, within a `with` statement in this process."""
    shared = engine.score

    def score(
        network: Network,
        pool: PoolTensors,
        indices: Indices,
        request: Request,
        generator: torch.Generator | None = None,
        predictor: LossPredictor | None = None,
    ) -> Signals:
        committee = request.committee
        if not isinstance(committee, ObjectMasks):
            return shared(network, pool, indices, request, generator, predictor)
        if not isinstance(network, LateFusion) or generator is None:
            raise TypeError("masks by object are for late fusion, and need a generator")
        return score_by_object(network, pool, indices, committee.members, generator)

    with patch.object(engine, "score", score):
        yield


@torch.no_grad()
def score_by_object(
    network: LateFusion,
    pool: PoolTensors,
    indices: Indices,
    members: int,
    generator: torch.Generator,
) -> Signals:
    """Return the signals of a committee of dropout whose masks are drawn for each object and member.

    Dropout is that of training and BatchNorm that of evaluation; the network comes back in evaluation mode.
    """
    network.eval()
    layers = dropouts(network)
    before = [layer.generator for layer in layers]
    try:
        for layer in layers:
            layer.train()
            layer.generator = generator
        blocks = [
            _summary(network, pool, indices[start : start + BLOCK], members)
            for start in range(0, len(indices), BLOCK)
        ]
    finally:
        for layer, own in zip(layers, before, strict=True):
            layer.eval()
            layer.generator = own
    log_mean, mean_entropy = (torch.cat(parts) for parts in zip(*blocks, strict=True))
    return Signals(indices, committee_log_mean=log_mean, committee_mean_entropy=mean_entropy)


def _summary(
    network: LateFusion, pool: PoolTensors, block: Indices, members: int
) -> tuple[Tensor, Tensor]:
    batch = pool.batch(block)
    first: list[Tensor] = []
    for name, encoder in network.encoders():
        layer = encoder.first
        # No dropout precedes it, so all members have this layer in common: most of the arithmetic.
        first.append(layer.norm(functional.relu(layer.linear(batch.features[name]))))
    return scores.summarise_committee(_member(network, batch, first) for _ in range(members))


def _member(network: LateFusion, batch: Batch, first: Sequence[Tensor]) -> Tensor:
    """Return a member's log-probabilities (b, classes), from the encoders' first layers before dropout."""
    encoded: list[Tensor] = []
    for (name, encoder), x in zip(network.encoders(), first, strict=True):
        h = encoder.second(x if encoder.first.dropout is None else encoder.first.dropout(x))
        encoded.append(encoder.with_absent(h, batch.rows[name], batch.size))
    logits = network.output(network.last(network.fuse(torch.cat(encoded, dim=1))))
    return torch.log_softmax(logits, dim=1)
