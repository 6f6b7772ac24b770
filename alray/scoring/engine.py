"""The scoring engine: one pass over many objects, block by block, computing only what was asked for.

Objects are taken by presence pattern, so that within a block an absent modality costs nothing and every object has
the same committee. Late fusion runs folded (see `folding`), and so does a custom module that is one sequence of known
layers (see `sequential`); any other network is called as the module it is, with the same meaning: one dropout mask per
committee member, shared by all objects.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from alray.errors import SpecError
from alray.networks.layers import committee_masks, dropouts
from alray.networks.models import CustomModule, LateFusion, Network
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring.folded import FoldedPass
from alray.scoring.int8 import Int8Pass
from alray.scoring.plain import ModulePass
from alray.scoring.request import BlockResult, Request
from alray.scoring.sequential import SequentialPass
from alray.strategies.signals import Committee


@runtime_checkable
class Pass(Protocol):
    """How a network computes a block of at most `block_size` objects."""

    block_size: int

    def prepare(self, present: Sequence[str], indices: Indices) -> None:
        """Get ready for these objects, which have exactly these modalities."""

    def block(self, indices: Indices) -> BlockResult:
        """Compute one block of such objects."""


@dataclass
class Scored:
    """Results for n objects, in the order they were given; None where not asked for, and where n is 0.

    Attributes:
        log_probs: Per head that some object has: (n, classes), rows of NaN where the head's modality is absent.
        committee_log_mean: (n, classes) log of the committee's mean probability.
        committee_mean_entropy: (n,) float64 mean of the members' entropies.
        features: (n, width) input of the last layer.
        predicted_loss: (n,).
    """

    log_probs: dict[str, Tensor] = field(default_factory=dict)
    committee_log_mean: Tensor | None = None
    committee_mean_entropy: Tensor | None = None
    features: Tensor | None = None
    predicted_loss: Tensor | None = None


def check_committee(network: Network, committee: Committee) -> None:
    """Refuse a committee that the network cannot form: its members would all be the same.

    Raises:
        SpecError: No dropout layers for a dropout committee, or no side heads for a committee of heads.
    """
    if committee.kind in ("dropout", "both") and not dropouts(network):
        raise SpecError(
            "a committee by dropout needs a network with dropout layers: all members would be the same; "
            "set model.dropout above 0, or committee=heads"
        )
    if committee.kind in ("heads", "both") and len(network.head_names) < 2:
        raise SpecError(
            "a committee of heads needs several heads: a pool of two or more modalities, model late_fusion and "
            "model.heads: all"
        )


@torch.no_grad()
def score(
    network: Network,
    pool: PoolTensors,
    indices: Indices,
    request: Request,
    generator: torch.Generator | None = None,
    *,
    rough: bool = False,
) -> Scored:
    """Compute what is asked for, for these objects.

    Args:
        network: Put into evaluation mode; no statistic of it changes.
        pool: The pool.
        indices: (n,) objects.
        request: What to compute.
        generator: Draws the committee's dropout masks; required for them.
        rough: In 8-bit integers, for late fusion on the CPU: near the truth, in less time.
    """
    network.eval()
    scored = Scored()
    with _committee(network, request.committee, generator):
        way = _way(network, pool, request, rough=rough)
        for present, positions in _by_pattern(pool, indices):
            way.prepare(present, indices[positions])
            for start in range(0, len(positions), way.block_size):
                place = positions[start : start + way.block_size]
                _keep(scored, _place(place), way.block(indices[place]), len(indices))
    return scored


def _way(network: Network, pool: PoolTensors, request: Request, *, rough: bool) -> Pass:
    """Return the fastest way to score this network."""
    if rough:
        if not isinstance(network, LateFusion):
            raise SpecError("only late fusion has a rough pass")
        return Int8Pass(network, pool, request)
    if isinstance(network, LateFusion):
        return FoldedPass(network, pool, request)
    if isinstance(network, CustomModule) and network.blocks:
        return SequentialPass(network.blocks, pool, request)
    return ModulePass(network, pool, request)


def _committee(
    network: Network, committee: Committee | None, generator: torch.Generator | None
) -> AbstractContextManager[None]:
    """Return the context in which the network's dropout layers have the masks of this committee."""
    if committee is None:
        return nullcontext()
    check_committee(network, committee)
    if committee.kind == "heads":
        return nullcontext()
    if generator is None:
        raise ValueError("a dropout committee needs a generator for its masks")
    return committee_masks(network, committee.members, generator)


def _by_pattern(pool: PoolTensors, indices: Indices) -> Iterator[tuple[list[str], Indices]]:
    """Yield each presence pattern among the objects: the modalities it has, and the positions of its objects."""
    patterns = pool.patterns(indices)
    for code in np.unique(patterns):
        names = [modality.name for m, modality in enumerate(pool.modalities) if code >> m & 1]
        yield names, np.flatnonzero(patterns == code)


def _place(positions: Indices) -> slice | Tensor:
    """Return positions, which ascend, as a slice where they have no gap: rows are copied there in a fraction of the time."""
    first, last = int(positions[0]), int(positions[-1])
    if last - first + 1 == len(positions):
        return slice(first, last + 1)
    return torch.from_numpy(positions)


def _keep(scored: Scored, place: slice | Tensor, block: BlockResult, n: int) -> None:
    """Copy a block's results to their places."""
    for head, log_probs in block.log_probs.items():
        room = scored.log_probs.get(head)
        scored.log_probs[head] = _put(room, log_probs, place, n)
    if block.committee is not None:
        log_mean, entropy = block.committee
        scored.committee_log_mean = _put(scored.committee_log_mean, log_mean, place, n)
        scored.committee_mean_entropy = _put(scored.committee_mean_entropy, entropy, place, n)
    if block.features is not None:
        scored.features = _put(scored.features, block.features, place, n)
    if block.predicted_loss is not None:
        scored.predicted_loss = _put(scored.predicted_loss, block.predicted_loss, place, n)


def _put(room: Tensor | None, of_block: Tensor, place: slice | Tensor, n: int) -> Tensor:
    """Copy rows to their places; where no block writes (a head that an object lacks), NaN stays."""
    if room is None:
        room = of_block.new_full((n, *of_block.shape[1:]), math.nan)
    count = place.stop - place.start if isinstance(place, slice) else len(place)
    room[place] = of_block[:count]
    return room
