"""The parts that scoring passes share: their protocol, the sizes of blocks, a block's signals."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor

from alray.networks.kernels import round_up
from alray.networks.network import FUSED
from alray.networks.tensors import ModalityTensors, PoolTensors
from alray.pools.pool import Indices
from alray.strategies import scores
from alray.strategies.signals import Request, Signals

BLOCK = 1024
"""Objects at a time: large enough for the machine's best matrix rate, small enough to stay in the cache."""

MODULE_BLOCK = 256
"""The same for a module of any kind: a convolution's maps are large, and memory that the allocator has to fetch anew
from the system for each block took longer than the arithmetic (28 x 28 images: 2.3 times the seconds at 1,024)."""

ROW_STEP = 256
"""Passes compute a multiple of this many objects; the surplus rows hold what the buffer held before."""

RECURRING_ROW_STEP = 16
"""The same where the same objects are scored again and again: there are few shapes anyway."""


@runtime_checkable
class Pass(Protocol):
    """A way to compute the signals of a request for a block of at most `block_size` objects.

    Attributes:
        block_size: Objects at a time.
        row_step: Of a block, a multiple of this many rows is computed.
    """

    block_size: int
    row_step: int

    def prepare(self, present: Sequence[str], indices: Indices) -> None:
        """Get ready for these objects, which have exactly these modalities."""

    def score_block(self, indices: Indices) -> Signals:
        """Return the signals of some of these objects; tensors may have more rows, which mean nothing."""


def block_buffers(pool: PoolTensors) -> dict[str, Tensor]:
    """Return memory for `gather_block`, by modality: fresh pages for each block would cost more than its arithmetic."""
    rows = round_up(BLOCK, ROW_STEP)
    return {modality.name: torch.zeros(rows, modality.dimension) for modality in pool.modalities}


def gather_block(
    modality: ModalityTensors, indices: Indices, buffer: Tensor, row_step: int
) -> Tensor:
    """Return at most `BLOCK` objects' features in the buffer, with surplus rows up to a multiple of `row_step`.

    The modality's `scaling` is left to the first layer.
    """
    modality.gather_unscaled(indices, out=buffer[: len(indices)])
    return buffer[: round_up(len(indices), row_step)]


def asked_heads(request: Request) -> tuple[str, ...]:
    """Return the heads whose log-probabilities a request needs, `fused` first."""
    if request.side_heads == "all":
        raise RuntimeError("the engine names a network's heads before a pass is made")
    fused = (FUSED,) if request.log_probs or request.true_loss else ()
    return (*fused, *request.side_heads)


def block_signals(
    request: Request,
    indices: Indices,
    log_probs: Mapping[str, Tensor],
    members: Iterable[Mapping[str, Tensor]],
    head_names: Sequence[str],
    **others: Tensor | None,
) -> Signals:
    """Return a block's signals, those of heads and committee only where requested.

    Args:
        request: The request.
        indices: (b,) the block's objects.
        log_probs: Per head that these objects have (b or more, classes).
        members: Log-probabilities (b or more, classes) by head of each dropout mask, or of the whole network for a
            committee of heads: a member is a head under a mask.
        head_names: The network's heads.
        others: Further signals by name.
    """
    log_mean: Tensor | None = None
    mean_entropy: Tensor | None = None
    each: Tensor | None = None
    if request.committee is not None:
        if request.members:
            members = list(members)
            heads = (FUSED,) if request.committee.kind == "dropout" else head_names
            # Members that an object lacks would put those of others in the wrong places.
            whole = [by_head.get(head, by_head[FUSED]) for by_head in members for head in heads]
            each = torch.stack(whole, dim=1)
        log_mean, mean_entropy = scores.summarise_committee(
            log_probs for by_head in members for log_probs in by_head.values()
        )
    return Signals(
        indices,
        log_probs=log_probs[FUSED] if FUSED in asked_heads(request) else None,
        committee_log_mean=log_mean,
        committee_mean_entropy=mean_entropy,
        members=each,
        side_log_probs={head: log_probs[head] for head in request.side_heads if head in log_probs},
        **cast("dict[str, Any]", others),
    )
