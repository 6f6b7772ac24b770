"""The pass of a sequential custom module: folded, with the layers that members share computed once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from alray.networks.network import FUSED
from alray.networks.products import SCORING
from alray.networks.sequential import Block
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring.folding import Affine, KeptUnits, normalisation, with_scaling
from alray.scoring.passes import (
    BLOCK,
    ROW_STEP,
    asked_heads,
    block_buffers,
    block_signals,
    gather_block,
)
from alray.strategies.signals import Request, Signals

_WIDEST = 4096
"""Columns of a product for several members at a time: more would leave the cache."""


@dataclass(frozen=True)
class _Stage:
    """A block's Linear, with the layers behind the ReLU of the block before folded in."""

    affine: Affine
    relu: bool

    def __call__(self, x: Tensor) -> Tensor:
        return self.affine.rectified(x) if self.relu else self.affine(x)


class SequentialPass:
    """Runs the stages up to the first dropout once for all members, and the Linear behind it once for several."""

    block_size = BLOCK
    row_step = ROW_STEP

    def __init__(self, blocks: Sequence[Block], pool: PoolTensors, request: Request) -> None:
        self._request = request
        (self._modality,) = pool.modalities
        (self._buffer,) = block_buffers(pool).values()
        self._whole = _fold(blocks, None)
        first = self._whole[0]
        self._whole[0] = _Stage(with_scaling(first.affine, self._modality.scaling), first.relu)
        self._shared = len(blocks)
        self._members: list[list[_Stage]] = []
        if request.committee is not None:
            dropping = next(position for position, block in enumerate(blocks) if block.drops)
            self._shared = 1 + dropping
            self._members = [
                _fold(blocks, member)[self._shared :]
                for member in range(request.committee.members)
            ]

    def prepare(self, present: Sequence[str], indices: Indices) -> None:
        """Nothing: there is one modality, and every object has it."""

    def score_block(self, indices: Indices) -> Signals:
        """Return the signals of a block of objects."""
        h = gather_block(self._modality, indices, self._buffer, self.row_step)
        h = _run(self._whole[: self._shared], h)
        members = ({FUSED: torch.log_softmax(z, dim=1)} for z in self._each_member(h))
        log_probs: dict[str, Tensor] = {}
        if asked_heads(self._request):
            logits = _run(self._whole[self._shared :], h)
            log_probs[FUSED] = torch.log_softmax(logits, dim=1)
        return block_signals(self._request, indices, log_probs, members, (FUSED,))

    def _each_member(self, shared: Tensor) -> Iterator[Tensor]:
        """Yield each member's logits (b, classes)."""
        at_once = max(1, _WIDEST // len(self._members[0][0].affine.weight))
        for start in range(0, len(self._members), at_once):
            several = self._members[start : start + at_once]
            first = [stages[0] for stages in several]
            weight = torch.cat([stage.affine.weight for stage in first])
            bias = torch.cat([stage.affine.bias for stage in first])
            outputs = SCORING.linear(shared, weight, bias, rectified=first[0].relu)
            by_member = outputs.view(len(shared), len(several), -1).unbind(1)
            for h, (_, *later) in zip(by_member, several, strict=True):
                yield _run(later, h)


def _run(stages: Sequence[_Stage], x: Tensor) -> Tensor:
    for stage in stages:
        x = stage(x)
    return x


def _fold(blocks: Sequence[Block], member: int | None) -> list[_Stage]:
    """Return the stages of a member, or of the whole network; the units that a member drops are multiplied by zero."""
    stages: list[_Stage] = []
    before: KeptUnits | None = None
    for block in blocks:
        affine = _folded_linear(block)
        if before is not None:
            affine = before.feed(affine)
        stages.append(_Stage(affine, block.relu))
        before = _behind_relu(block, member)
    return stages


def _folded_linear(block: Block) -> Affine:
    """Return a block's Linear with the BatchNorm before its ReLU."""
    weight = block.linear.weight
    bias = weight.new_zeros(len(weight)) if block.linear.bias is None else block.linear.bias
    if block.norm_before is None:
        return Affine(weight, bias)
    scale, shift = normalisation(block.norm_before)
    return Affine(weight * scale[:, None], bias * scale + shift)


def _behind_relu(block: Block, member: int | None) -> KeptUnits | None:
    """Return the scale and shift of the layers behind a block's ReLU, None where there are none."""
    norm = None if block.norm_after is None else normalisation(block.norm_after)
    if member is None or block.dropout is None or not block.drops:
        return None if norm is None else KeptUnits(None, *norm)
    weight = block.linear.weight
    mask = block.dropout.masks().of_shape((len(weight),))[member]
    if norm is None:
        return KeptUnits(None, mask, torch.zeros_like(mask))
    return KeptUnits(None, norm[0] * mask, norm[1] * mask)
