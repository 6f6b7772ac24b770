"""The way to score a module of one's own that is a plain chain: folded, with what members share computed once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from alray.networks.kernels import linear, round_up
from alray.networks.models import FUSED
from alray.networks.sequential import Block
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring.folding import Affine, normalisation
from alray.scoring.request import BLOCK, ROWS, BlockResult, Request
from alray.strategies import scores

_WIDEST = 4096
"""Columns of a product for several members at a time: more would leave the cache."""


@dataclass(frozen=True)
class _Stage:
    """A block's Linear, with what the block before does behind its ReLU folded in."""

    affine: Affine
    relu: bool

    def __call__(self, x: Tensor) -> Tensor:
        return self.affine.rectified(x) if self.relu else self.affine(x)


class SequentialPass:
    """Runs the chain up to the first dropout once for all members, and the Linear behind it as one product for many."""

    block_size = BLOCK

    def __init__(self, blocks: Sequence[Block], pool: PoolTensors, request: Request) -> None:
        self._request = request
        (self._modality,) = pool.modalities
        self._device = pool.device
        rows = round_up(self.block_size, ROWS)
        self._room = torch.zeros(rows, self._modality.dimension)
        self._whole = _fold(blocks, None)
        self._shared = len(blocks)
        self._members: list[list[_Stage]] = []
        if request.committee is not None:
            self._shared = 1 + next(place for place, block in enumerate(blocks) if block.drops)
            self._members = [
                _fold(blocks, member)[self._shared :]
                for member in range(request.committee.members)
            ]

    def prepare(self, present: Sequence[str], indices: Indices) -> None:
        """Nothing: there is one modality, and every object has it."""

    def block(self, indices: Indices) -> BlockResult:
        """Compute one block of objects."""
        rows = torch.from_numpy(self._modality.rows[indices].astype(np.int64))
        self._modality.gather(rows, out=self._room[: len(rows)])
        h = self._room[: round_up(len(rows), ROWS)].to(self._device)
        for stage in self._whole[: self._shared]:
            h = stage(h)
        result = BlockResult()
        if self._members:
            members = (torch.log_softmax(logits, dim=1) for logits in self._each_member(h))
            result.committee = scores.summarise_committee(members)
        if self._request.heads:
            for stage in self._whole[self._shared :]:
                h = stage(h)
            result.log_probs = {FUSED: torch.log_softmax(h, dim=1)}
        return result

    def _each_member(self, shared: Tensor) -> Iterator[Tensor]:
        """Yield each member's logits (b, classes)."""
        at_once = max(1, _WIDEST // len(self._members[0][0].affine.weight))
        for start in range(0, len(self._members), at_once):
            several = self._members[start : start + at_once]
            first = [stages[0] for stages in several]
            weight = torch.cat([stage.affine.weight for stage in first])
            bias = torch.cat([stage.affine.bias for stage in first])
            product = linear(shared, weight, bias, rectified=first[0].relu)
            parts = product.view(len(shared), len(several), -1).unbind(1)
            for part, (_, *later) in zip(parts, several, strict=True):
                h = part
                for stage in later:
                    h = stage(h)
                yield h


def _fold(blocks: Sequence[Block], member: int | None) -> list[_Stage]:
    """Fold a chain for a committee member, or whole; what the member drops is multiplied by zero in the next Linear."""
    stages: list[_Stage] = []
    scale: Tensor | None = None
    shift: Tensor | None = None
    for block in blocks:
        affine = _own(block)
        if scale is not None and shift is not None:
            moved = affine.bias + affine.weight @ shift
            affine = Affine(affine.weight * scale, moved)
        stages.append(_Stage(affine, block.relu))
        scale, shift = _behind(block, member, len(affine.weight))
    return stages


def _own(block: Block) -> Affine:
    """Return a block's Linear, with the BatchNorm before its ReLU."""
    weight = block.linear.weight
    bias = weight.new_zeros(len(weight)) if block.linear.bias is None else block.linear.bias
    if block.norm_before is None:
        return Affine(weight, bias)
    scale, shift = normalisation(block.norm_before)
    return Affine(weight * scale[:, None], bias * scale + shift)


def _behind(block: Block, member: int | None, units: int) -> tuple[Tensor | None, Tensor | None]:
    """Return scale and shift (units,) of what stands behind a block's ReLU, None where nothing does."""
    scale, shift = (None, None) if block.norm_after is None else normalisation(block.norm_after)
    if member is None or block.dropout is None or not block.drops:
        return scale, shift
    mask = block.dropout.masks().of_shape((units,))[member].to(block.linear.weight.device)
    if scale is None or shift is None:
        return mask, torch.zeros_like(mask)
    return scale * mask, shift * mask
