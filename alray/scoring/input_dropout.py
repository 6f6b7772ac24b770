"""Classes predicted where a part of each object's features is dropped: how sure is the network without them?"""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from alray.networks.network import FUSED, Network
from alray.networks.tensors import Batch, PoolTensors
from alray.pools.pool import Indices
from alray.scoring.plain import ModulePass
from alray.strategies.signals import InputDropout, Request

CHUNK = 256
"""Neighbouring objects of the pool whose masks are drawn together."""

LEVELS = 1 << 16
"""A mask's entry comes from 16 random bits, so a rate is a multiple of 2^-16."""


class Masks:
    """A mask for each object, modality and time, whatever else is scored: where an object lies decides its numbers.

    They come from a counter-based generator (Philox), whose counter begins anew for each chunk of the pool, modality
    and time. So neither the order of the objects nor how they are cut into blocks nor what they lack changes a mask.
    """

    def __init__(self, rate: float, rng: np.random.Generator) -> None:
        """Take the share to drop, and what draws the key of all masks."""
        self._key = rng.integers(1 << 64, size=2, dtype=np.uint64)
        self._kept = min(max(round((1 - rate) * LEVELS), 1), LEVELS - 1)

    def of(
        self, objects: Indices, dimension: int, modality: int, time: int
    ) -> Float[Tensor, "n dimension"]:
        """Return a row for each object: 0 where a feature is dropped, else what keeps the mean."""
        found = np.empty((len(objects), dimension), dtype=np.float32)
        chunks = objects // CHUNK
        for chunk in np.unique(chunks):
            there = np.flatnonzero(chunks == chunk)
            bits = self._bits(int(chunk), dimension, modality, time)
            found[there] = bits[objects[there] % CHUNK] < self._kept
        return torch.from_numpy(found).mul_(LEVELS / self._kept)

    def _bits(self, chunk: int, dimension: int, modality: int, time: int) -> np.ndarray:
        counter = np.array([0, chunk, modality, time], dtype=np.uint64)
        words = np.random.Philox(key=self._key, counter=counter).random_raw(
            -(-CHUNK * dimension // 4)
        )
        return words.view(np.uint16)[: CHUNK * dimension].reshape(CHUNK, dimension)


@torch.no_grad()
def dropped_classes(
    network: Network,
    pool: PoolTensors,
    indices: Indices,
    dropout: InputDropout,
    rng: np.random.Generator,
) -> Int64[Tensor, "n times"]:
    """Return the classes that the fused head predicts where features are dropped, each time by masks of its own.

    Dropped are standardised features, so that a dropped one is the train part's mean; the rest is scaled up, as in
    training with dropout. A modality that is absent stays so.
    """
    network.eval()
    masks = Masks(dropout.rate, rng)
    found = torch.empty(len(indices), dropout.times, dtype=torch.int64)
    at_once = ModulePass(network, pool, Request()).block_size
    for start in range(0, len(indices), at_once):
        objects = indices[start : start + at_once]
        batch = pool.batch(objects)
        for time in range(dropout.times):
            outputs = network(_dropped(batch, objects, masks, time))
            logits = outputs.heads[FUSED].values
            found[start : start + at_once, time] = logits.argmax(1).cpu()
    return found


def _dropped(batch: Batch, objects: Indices, masks: Masks, time: int) -> Batch:
    """Return the batch of these objects with features dropped."""
    features: dict[str, Tensor] = {}
    for modality, (name, x) in enumerate(batch.features.items()):
        rows = batch.rows[name]
        there = objects if rows is None else objects[rows.cpu().numpy()]
        mask = masks.of(there, x[0].numel(), modality, time) if len(there) else torch.ones(x.shape)
        features[name] = x * mask.view(x.shape).to(x.device)
    return replace(batch, features=features)
