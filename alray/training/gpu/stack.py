"""The runs that a GPU trains at once: one step of all of them is one call.

A step of a small network is some hundred kernels of a few microseconds: PyTorch takes longer to start each of them than
a GPU to run it, and each leaves most of the GPU idle. So the weights of several runs lie in one table, a row each, and
a CUDA graph starts all kernels of a step, for all rows, at once. The graph reads which objects each run's batch has
from a table on the device, takes their features there, and counts its steps itself: nothing waits for this process
within an epoch.

A run's numbers do not depend on the others: shapes are the same whether they are there or not, and its dropout masks
come from a generator of its own.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from alray.networks.kernels import round_up
from alray.networks.late_fusion import LateFusion
from alray.networks.layers import dropouts
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.training.gpu.stacked_adam import StackedAdam
from alray.training.gpu.stacked_network import StackedBatch, StackedNetwork
from alray.training.learner import Learner

EMPTY = -1
"""In a table of batches: a row that is no object."""

ROWS = 16
"""Batches are filled up to a multiple of this many rows."""

FEWEST_STEPS = 64
"""Steps that a table of batches has at least, so that few tables are needed as labels grow."""


@dataclass(frozen=True)
class Epoch:
    """An epoch of one run.

    Attributes:
        learner: It is in a stack.
        batches: The objects of each step.
        seed: Of the dropout masks.
        live: Whether BatchNorm takes the batches' statistics.
    """

    learner: Learner
    batches: Sequence[Indices]
    seed: int
    live: bool


@dataclass(frozen=True)
class Place:
    """Where a learner's tensors lie."""

    stack: "Stack"
    row: int


def can_stack(learner: Learner) -> bool:
    """Return whether a learner can train in a stack: one of plain late fusion without a loss predictor."""
    network = learner.network
    return isinstance(network, LateFusion) and network.plain and learner.predictor is None


class Stack:
    """Learners of equal settings that see the same arrays of a pool, each by its own split."""

    def __init__(self, rows: int, learner: Learner, pool: PoolTensors) -> None:
        """Make room for so many learners like this one."""
        network = learner.network
        if not isinstance(network, LateFusion):
            raise TypeError("only late fusion can be stacked")
        self._device = pool.device
        self._pool = pool
        self._loss = learner.loss
        self._batch_rows = round_up(2 * learner.spec.batch_size, ROWS)
        self._adam = _stacked_adam(rows, learner, _unused(network, pool))
        self._weights = _views(self._adam.weights, _trained(learner))
        self._buffers = {
            name: torch.zeros(rows, *each.shape, dtype=each.dtype, device=each.device)
            for name, each in learner.named_buffers()
        }
        self._network = StackedNetwork(network, self._buffers)
        self._scaling = {
            each.name: torch.ones(2, rows, 1, each.dimension, device=self._device)
            for each in pool.modalities
        }
        self._dropouts = [(layer.size or 0, layer.rate) for layer in dropouts(network)]
        self._generators = [torch.Generator(self._device) for _ in range(rows)]
        self._live = torch.zeros(rows, dtype=torch.bool, device=self._device)
        self._step = torch.zeros(1, dtype=torch.int64, device=self._device)
        self._totals = torch.zeros(rows, device=self._device)
        self._table = self._new_table(FEWEST_STEPS)
        self._replay: Callable[[], None] | None = None

    def place(self, learner: Learner, row: int, pool: PoolTensors) -> None:
        """Let a learner's tensors lie in this row from now on, with the values that they have.

        The learner that lay there before is not to be used any more.
        """
        parameters = dict(learner.named_parameters())
        with torch.no_grad():
            for name, stacked in self._weights.items():
                stacked[row].copy_(parameters[name])
                parameters[name].data = stacked[row]
            for path, module in learner.named_modules():
                for name, buffer in module.named_buffers(recurse=False):
                    stacked = self._buffers[f"{path}.{name}"][row]
                    module.register_buffer(name, stacked.copy_(buffer))
            means, squares = (
                [each[row] for each in _views(table, _trained(learner)).values()]
                for table in (self._adam.means, self._adam.squares)
            )
            learner.optimizer.move(means, squares, self._adam.steps[row])
        for modality in pool.modalities:
            self._scaling[modality.name][:, row].copy_(modality.linear_scaling())
        learner.place = Place(self, row)

    def run(self, epochs: Sequence[Epoch]) -> list[float]:
        """Take an epoch of each of some learners of the stack; return their mean losses per object."""
        places = [place_of(epoch.learner).row for epoch in epochs]
        steps = max(len(epoch.batches) for epoch in epochs)
        if steps > len(self._table):
            self._table, self._replay = self._new_table(steps), None
        filled = np.full((steps, *self._table.shape[1:]), EMPTY)
        live = np.zeros(len(self._generators), dtype=bool)
        for row, epoch in zip(places, epochs, strict=True):
            self._generators[row].manual_seed(epoch.seed)
            live[row] = epoch.live
            for step, batch in zip(filled, epoch.batches, strict=False):
                step[row, : len(batch)] = batch
        self._table[:steps].copy_(torch.from_numpy(filled))
        self._live.copy_(torch.from_numpy(live))
        if self._replay is None:
            self._replay = self._capture()
        self._begin()
        for _ in range(steps):
            self._replay()
        totals = self._totals.tolist()
        return [
            totals[row] / sum(len(batch) for batch in epoch.batches)
            for row, epoch in zip(places, epochs, strict=True)
        ]

    def _new_table(self, steps: int) -> Tensor:
        """Return a table of batches: (steps, learners, batch) objects."""
        size = max(FEWEST_STEPS, 1 << (steps - 1).bit_length())
        shape = (size, len(self._generators), self._batch_rows)
        return torch.full(shape, EMPTY, dtype=torch.int64, device=self._device)

    def _begin(self) -> None:
        self._step.zero_()
        self._totals.zero_()

    def _capture(self) -> Callable[[], None]:
        """Return what takes the next step; on a CPU, where tests run it, that is the step itself."""
        if self._device.type == "cpu":
            return self._take
        changing = [*self._buffers.values(), *self._adam.tensors()]
        kept = [each.clone() for each in changing]
        random = [each.get_state() for each in self._generators]
        # What libraries set up at a first call must not be captured.
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            self._begin()
            self._take()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        for generator in self._generators:
            graph.register_generator_state(generator)
        with torch.cuda.graph(graph):
            self._take()
        for tensor, before in zip(changing, kept, strict=True):
            tensor.copy_(before)
        for generator, state in zip(self._generators, random, strict=True):
            generator.set_state(state)
        return graph.replay

    @torch.no_grad()
    def _take(self) -> None:
        """Take one step of Adam on every learner's next batch."""
        objects = self._table.index_select(0, self._step).squeeze(0)
        self._step += 1
        filled = objects >= 0
        batch = self._batch(objects.clamp_min(0).flatten(), filled)
        masks = self._masks()
        leaves = [each.detach().requires_grad_() for each in self._weights.values()]
        with torch.enable_grad():
            loss = self._objective(leaves, batch, masks)
            gradients = torch.autograd.grad(loss.sum(), leaves, materialize_grads=True)
        flat = torch.cat([each.flatten(1) for each in gradients], dim=1)
        active = filled.any(dim=1, keepdim=True).to(torch.float32)
        self._adam.step(flat, active)
        self._totals += loss.detach() * filled.sum(1)
        self._loss.keep_in_range(self._weights.get("loss.log_variance"))

    def _batch(self, objects: Tensor, filled: Tensor) -> StackedBatch:
        features: dict[str, tuple[Tensor, Tensor | None]] = {}
        for modality in self._pool.modalities:
            x, present = modality.select(objects)
            scale, shift = self._scaling[modality.name]
            x = torch.addcmul(shift, x.view(*filled.shape, -1), scale)
            features[modality.name] = x, None if present is None else present.view_as(filled)
        labels = self._pool.all_labels.index_select(0, objects).view_as(filled)
        return StackedBatch(features, labels, filled, self._live)

    def _masks(self) -> list[Tensor]:
        """Draw the masks of every layer that drops something; a learner's by its own generator."""
        if not self._dropouts:
            return []
        widths, rates = zip(*self._dropouts, strict=True)
        kept = 1 - rates[0]
        drawn = torch.empty(
            len(self._generators), self._batch_rows, sum(widths), device=self._device
        )
        for row, generator in zip(drawn, self._generators, strict=True):
            row.uniform_(generator=generator)
        return list(torch.split(drawn.lt(kept).to(torch.float32).div_(kept), list(widths), dim=2))

    def _objective(
        self, leaves: Sequence[Tensor], batch: StackedBatch, masks: Sequence[Tensor]
    ) -> Tensor:
        """Return (learners,) the loss of each."""
        weights = dict(zip(self._weights, leaves, strict=True))
        heads = self._network.losses(weights, batch, masks)
        log_variance = weights.get("loss.log_variance")
        total = torch.zeros(len(self._generators), device=self._device)
        for position, name in enumerate(self._loss.head_names):
            s = None if log_variance is None else log_variance[:, position]
            weighted = self._loss.weighted(name, heads[name].mean, s)
            total = total + torch.where(heads[name].any, weighted, 0.0)
        return total


def place_of(learner: Learner) -> Place:
    """Return where a learner that is in a stack lies."""
    place = learner.place
    if not isinstance(place, Place):
        raise TypeError("the learner is in no stack")
    return place


def _trained(learner: Learner) -> dict[str, nn.Parameter]:
    """Return the parameters that Adam moves by their names, in its order."""
    names = {id(each): name for name, each in learner.named_parameters()}
    weights = [each for group in learner.optimizer.groups for each in group.weights]
    return {names[id(each)]: each for each in weights}


def _unused(network: LateFusion, pool: PoolTensors) -> set[str]:
    """Return the names of weights that no batch uses: the learned vectors of modalities that no object lacks."""
    complete = {modality.name for modality in pool.modalities if modality.complete}
    vectors = {id(encoder.absent) for name, encoder in network.encoders() if name in complete}
    return {f"network.{name}" for name, each in network.named_parameters() if id(each) in vectors}


def _stacked_adam(rows: int, learner: Learner, unused: Collection[str]) -> StackedAdam:
    """Return Adam for as many learners; weights that are unused do not decay, so that they stay as they are."""
    decays = [group.decay for group in learner.optimizer.groups for _ in group.weights]
    decay = torch.cat(
        [
            torch.full((each.numel(),), 0.0 if name in unused else decay, device=each.device)
            for decay, (name, each) in zip(decays, _trained(learner).items(), strict=True)
        ]
    )
    return StackedAdam(rows, len(decay), len(decays), decay, learner.optimizer.lr)


def _views(table: Tensor, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return each parameter's columns of a table (rows, weights), as (rows, *shape)."""
    sizes = [each.numel() for each in parameters.values()]
    parts = torch.split(table, sizes, dim=1)
    return {
        name: part.view(len(table), *each.shape)
        for part, (name, each) in zip(parts, parameters.items(), strict=True)
    }
