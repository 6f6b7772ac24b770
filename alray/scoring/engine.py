"""The scoring engine: one pass over many objects, block by block, computing only the requested signals.

Objects are taken by presence pattern, so that within a block an absent modality costs nothing and every object has
the same committee. Late fusion runs folded (see `folding`), and so does a custom module that is one sequence of known
layers (see `sequential`); any other network is called as the module it is, with the same meaning: one dropout mask per
committee member, shared by all objects.
"""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields

import numpy as np
import torch
from torch import Tensor

from alray.errors import SpecError
from alray.networks.layers import committee_masks, dropouts
from alray.networks.loss_predictor import LossPredictor
from alray.networks.models import CustomModule, LateFusion, Network
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring.folded import FoldedPass
from alray.scoring.int8 import Int8Pass
from alray.scoring.passes import Pass
from alray.scoring.plain import ModulePass
from alray.scoring.sequential import SequentialPass
from alray.strategies import scores
from alray.strategies.signals import Committee, Request, Signals

_TENSORS = [f.name for f in fields(Signals) if f.name not in ("candidates", "side_log_probs")]


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
    predictor: LossPredictor | None = None,
) -> Signals:
    """Return the requested signals for these objects, in their order.

    Args:
        network: Put into evaluation mode; no statistic of it changes.
        pool: The pool.
        indices: (n,) objects.
        request: Which signals to compute.
        generator: Draws the committee's dropout masks; required for them.
        predictor: The network's loss predictor; without it there is no `predicted_loss`.

    Raises:
        SpecError: The network cannot form the committee.
    """
    network.eval()
    with _committee(network, request.committee, generator):
        chosen = _fastest_pass(network, pool, request, predictor)
        return _score_blocks(chosen, pool, indices, request)


@torch.no_grad()
def score_int8(
    network: Network,
    pool: PoolTensors,
    indices: Indices,
    request: Request,
    generator: torch.Generator | None = None,
) -> Signals:
    """Return the same computed in 8-bit integers on the CPU: near the exact signals, in less time.

    Raises:
        SpecError: int8 does not know the network or the signals (see `int8.can_score`, `int8.can_compute`).
    """
    network.eval()
    with _committee(network, request.committee, generator):
        return _score_blocks(Int8Pass(network, pool, request), pool, indices, request)


def _fastest_pass(
    network: Network, pool: PoolTensors, request: Request, predictor: LossPredictor | None
) -> Pass:
    """Return the fastest exact pass for this network."""
    if isinstance(network, LateFusion):
        return FoldedPass(network, pool, request, predictor)
    if isinstance(network, CustomModule) and network.blocks:
        return SequentialPass(network.blocks, pool, request)
    return ModulePass(network, pool, request, predictor)


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


def _score_blocks(chosen: Pass, pool: PoolTensors, indices: Indices, request: Request) -> Signals:
    merged = _Merged(len(indices))
    for present, positions in _by_pattern(pool, indices):
        chosen.prepare(present, indices[positions])
        for start in range(0, len(positions), chosen.block_size):
            of_block = positions[start : start + chosen.block_size]
            merged.merge_block(chosen.score_block(indices[of_block]), _as_rows(of_block))
    tensors = merged.tensors
    if request.true_loss and "log_probs" in tensors:
        tensors["true_loss"] = scores.true_loss(tensors["log_probs"], pool.labels(indices))
    return Signals(indices, **tensors, side_log_probs=merged.side_log_probs)


def _by_pattern(pool: PoolTensors, indices: Indices) -> Iterator[tuple[list[str], Indices]]:
    """Yield each presence pattern among the objects: the modalities it has, and the positions of its objects."""
    patterns = pool.patterns(indices)
    for code in np.unique(patterns):
        names = [modality.name for m, modality in enumerate(pool.modalities) if code >> m & 1]
        yield names, np.flatnonzero(patterns == code)


def _as_rows(positions: Indices) -> slice | Tensor:
    """Return ascending positions, as a slice where they have no gap: it takes a fraction of the time to copy to."""
    first, last = int(positions[0]), int(positions[-1])
    if last - first + 1 == len(positions):
        return slice(first, last + 1)
    return torch.from_numpy(positions)


class _Merged:
    """The signals of n objects, written block by block into tensors of their final size.

    Attributes:
        tensors: Signals by name.
        side_log_probs: Log-probabilities by side head.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self.tensors: dict[str, Tensor] = {}
        self.side_log_probs: dict[str, Tensor] = {}

    def merge_block(self, block: Signals, rows: slice | Tensor) -> None:
        """Write a block's signals to its objects' rows."""
        for name in _TENSORS:
            values: Tensor | None = getattr(block, name)
            if values is not None:
                self.tensors[name] = self._write_rows(self.tensors.get(name), values, rows)
        for head, log_probs in block.side_log_probs.items():
            whole = self.side_log_probs.get(head)
            self.side_log_probs[head] = self._write_rows(whole, log_probs, rows)

    def _write_rows(self, whole: Tensor | None, of_block: Tensor, rows: slice | Tensor) -> Tensor:
        """Copy a block's values to their rows; where no block writes (a head that an object lacks), NaN stays."""
        if whole is None:
            whole = of_block.new_full((self._n, *of_block.shape[1:]), math.nan)
        count = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        whole[rows] = of_block[:count]
        return whole
