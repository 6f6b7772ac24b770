"""The scoring engine: one pass over many objects, block by block, computing only the requested signals.

Objects are taken by presence pattern, so that within a block an absent modality costs nothing and every object has
the same committee. Late fusion runs folded (see `folding`), and so does a custom module that is one sequence of known
layers (see `sequential`); any other network, and every one on a GPU, is called as the module it is, with the same
meaning: one dropout mask per committee member, shared by all objects.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from alray.networks.custom_module import CustomModule
from alray.networks.late_fusion import LateFusion
from alray.networks.loss_predictor import LossPredictor
from alray.networks.network import Network
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring.agreement import check_committee
from alray.scoring.bf16 import Bf16Pass
from alray.scoring.folded import FoldedPass
from alray.scoring.int8 import Int8Pass
from alray.scoring.parts import PartsPass
from alray.scoring.passes import RECURRING_ROW_STEP, Pass
from alray.scoring.plain import ModulePass
from alray.scoring.rounded import RoundedPass
from alray.scoring.sequential import SequentialPass
from alray.scoring.some_objects import with_objects
from alray.settings.common import Precision
from alray.strategies import scores
from alray.strategies.base import ScoreStrategy
from alray.strategies.checking import checked_scores
from alray.strategies.signals import Committee, Request, Signals

ROUNDED: Mapping[Precision, type[RoundedPass]] = {"int8": Int8Pass, "bf16": Bf16Pass}
"""Precision: its pass."""

NOT_OF_BLOCKS = (
    "candidates",
    "shortlist",
    "targets",
    "side_log_probs",
    "labelled",
    "labels",
    "pool_features",
    "trial_loss",
    "dropped_classes",
    "last_layer",
)
"""Fields of signals that are no tensor of a block."""

_TENSORS = [f.name for f in fields(Signals) if f.name not in NOT_OF_BLOCKS]


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
        generator: Draws the committee's members; required for those by dropout or by bagging, and to draw targets and
            the order of a shortlist's ties.
        predictor: The network's loss predictor; without it there is no `predicted_loss`.

    Raises:
        SpecError: The network cannot form the committee.
    """
    network.eval()
    request = _by_name(request, network)
    with _committee(network, request.committee, generator):
        chosen = _fastest_pass(network, pool, request, predictor)
        found = _score_blocks(chosen, pool, indices, request)
        if not (request.shortlist or request.targets):
            return found
        asked = Request(committee=request.committee, members=True)
        by_member = _fastest_pass(network, pool, asked, None)

        def with_members(objects: Indices) -> Signals:
            return _score_blocks(by_member, pool, objects, asked)

        return with_objects(found, request, pool.pool.train, with_members, generator)


@torch.no_grad()
def scores_of(
    strategy: ScoreStrategy,
    network: Network,
    pool: PoolTensors,
    indices: Indices,
    generator: torch.Generator | None = None,
    predictor: LossPredictor | None = None,
) -> npt.NDArray[np.float64]:
    """Return a pointwise strategy's scores (n,), computed block by block; other arguments are as in `score`.

    Raises:
        ScoreError: The strategy's answer is not a number for each object of a block.
    """
    network.eval()
    request = _by_name(strategy.needs, network)
    with _committee(network, request.committee, generator):
        chosen = _fastest_pass(network, pool, request, predictor)
        return _scores_of_blocks(strategy, chosen, pool, indices, request)


@torch.no_grad()
def score_recurring(
    network: Network, pool: PoolTensors, indices: Indices, request: Request
) -> Signals:
    """Return the same, without a committee by dropout, for objects that are scored after each fit."""
    network.eval()
    request = _by_name(request, network)
    chosen = _fastest_pass(network, pool, request, None)
    chosen.row_step = min(chosen.row_step, RECURRING_ROW_STEP)
    return _score_blocks(chosen, pool, indices, request)


@torch.no_grad()
def score_rounded(
    network: Network,
    pool: PoolTensors,
    indices: Indices,
    request: Request,
    precision: Precision,
    generator: torch.Generator | None = None,
) -> Signals:
    """Return the same computed in a low precision on the CPU: near the exact signals, in less time.

    Raises:
        SpecError: No low precision knows the network or the signals (see `rounded.can_score`, `rounded.can_compute`).
    """
    network.eval()
    request = _by_name(request, network)
    with _committee(network, request.committee, generator):
        return _score_blocks(ROUNDED[precision](network, pool, request), pool, indices, request)


@torch.no_grad()
def rounded_scores_of(
    strategy: ScoreStrategy,
    network: Network,
    pool: PoolTensors,
    indices: Indices,
    precision: Precision,
    generator: torch.Generator | None = None,
) -> npt.NDArray[np.float64]:
    """Return a pointwise strategy's scores from `score_rounded`, computed block by block as in `scores_of`."""
    network.eval()
    request = _by_name(strategy.needs, network)
    with _committee(network, request.committee, generator):
        chosen = ROUNDED[precision](network, pool, request)
        return _scores_of_blocks(strategy, chosen, pool, indices, request)


def _by_name(request: Request, network: Network) -> Request:
    """Return the request with the names of all side heads, where it is of all."""
    if request.side_heads != "all":
        return request
    return replace(request, side_heads=network.head_names[1:])


def _fastest_pass(
    network: Network, pool: PoolTensors, request: Request, predictor: LossPredictor | None
) -> Pass:
    """Return the fastest exact pass for this network."""
    if pool.device.type != "cpu":
        # To fold takes longer there than it saves: a GPU waits for this process, not for its products.
        return ModulePass(network, pool, request, predictor)
    if isinstance(network, LateFusion):
        kind = FoldedPass if network.plain else PartsPass
        return kind(network, pool, request, predictor)
    if isinstance(network, CustomModule) and network.blocks:
        return SequentialPass(network.blocks, pool, request)
    return ModulePass(network, pool, request, predictor)


def _committee(
    network: Network, committee: Committee | None, generator: torch.Generator | None
) -> AbstractContextManager[None]:
    """Return the context in which the network has the members of this committee."""
    if committee is None:
        return nullcontext()
    check_committee(network, committee)
    if committee.kind == "heads":
        return nullcontext()
    if generator is None:
        raise ValueError("a dropout committee needs a generator for its masks")
    return network.committee(committee.members, generator)


def _blocks(
    chosen: Pass, pool: PoolTensors, indices: Indices, request: Request
) -> Iterator[tuple[Indices, Signals]]:
    """Yield the positions of the objects of each block, which ascend, and their signals, which may have more rows."""
    for present, positions in pool.by_pattern(indices):
        chosen.prepare(present, indices[positions])
        for start in range(0, len(positions), chosen.block_size):
            of_block = positions[start : start + chosen.block_size]
            block = chosen.score_block(indices[of_block])
            if request.true_loss and block.log_probs is not None:
                labels = pool.labels(block.candidates)
                true_loss = scores.true_loss(block.log_probs[: len(labels)], labels)
                block = replace(block, true_loss=true_loss)
            yield of_block, block


def _scores_of_blocks(
    strategy: ScoreStrategy, chosen: Pass, pool: PoolTensors, indices: Indices, request: Request
) -> npt.NDArray[np.float64]:
    found: dict[str, Tensor] = {}
    for positions, block in _blocks(chosen, pool, indices, request):
        signals = _whole_block(block, pool, request)
        values = checked_scores(strategy, strategy.score(signals), signals)
        _merge(found, {"score": torch.from_numpy(values)}, positions, len(indices))
    return found["score"].numpy() if found else np.empty(0)


def _score_blocks(chosen: Pass, pool: PoolTensors, indices: Indices, request: Request) -> Signals:
    n = len(indices)
    tensors: dict[str, Any] = {}
    side_log_probs: dict[str, Tensor] = {}
    for positions, block in _blocks(chosen, pool, indices, request):
        _merge(tensors, {name: getattr(block, name) for name in _TENSORS}, positions, n)
        _merge(side_log_probs, block.side_log_probs, positions, n)
    return Signals(indices, **tensors, side_log_probs=side_log_probs)


def _whole_block(block: Signals, pool: PoolTensors, request: Request) -> Signals:
    """Return a block's signals as the engine returns them of all objects: a row for each, and NaN of absent heads."""
    n = len(block.candidates)
    found = {name: getattr(block, name) for name in _TENSORS}
    tensors: dict[str, Any] = {
        name: values[:n] for name, values in found.items() if values is not None
    }
    side_log_probs = {head: values[:n] for head, values in block.side_log_probs.items()}
    for head in request.side_heads:
        if head not in side_log_probs:
            side_log_probs[head] = torch.full(
                (n, pool.pool.class_count), math.nan, device=pool.device
            )
    return Signals(block.candidates, **tensors, side_log_probs=side_log_probs)


def _merge(
    merged: dict[str, Tensor], block: Mapping[str, Tensor | None], positions: Indices, n: int
) -> None:
    """Copy a block's tensors to its positions among n objects; where no block writes (an absent head), NaN stays."""
    first, last = int(positions[0]), int(positions[-1])
    rows: slice | Tensor = torch.from_numpy(positions)
    if last - first + 1 == len(positions):
        # Positions ascend: without a gap they are a slice, which takes a fraction of the time to copy to.
        rows = slice(first, last + 1)
    for name, values in block.items():
        if values is None:
            continue
        if name not in merged:
            merged[name] = values.new_full((n, *values.shape[1:]), math.nan)
        merged[name][rows] = values[: len(positions)]
