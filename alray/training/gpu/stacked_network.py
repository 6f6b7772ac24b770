"""Late fusion of several runs at once, on batches of a fixed size of which some rows are empty.

A CUDA graph repeats the same kernels on the same memory, so shapes may not depend on the data. Absent modalities, and
rows that only fill a batch up, are computed like all others, and left out of every mean: of BatchNorm's statistics and
of the losses.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from alray.networks.late_fusion import LateFusion
from alray.networks.layers import Hidden
from alray.networks.network import FUSED
from alray.training.gpu.masked_norm import NormState, Rows, masked_norm


@dataclass(frozen=True)
class StackedBatch:
    """A batch of each network.

    Attributes:
        features: Per modality (networks, batch, dimension), and (networks, batch) whether an object has it, None where
            every object of the pool has.
        labels: (networks, batch) classes.
        filled: (networks, batch) which rows are objects.
        live: (networks,) whether BatchNorm takes the batch's statistics.
    """

    features: Mapping[str, tuple[Tensor, Tensor | None]]
    labels: Tensor
    filled: Tensor
    live: Tensor


@dataclass(frozen=True)
class HeadLoss:
    """A head's mean cross-entropy over its objects, (networks,), and whether there are any, (networks,)."""

    mean: Tensor
    any: Tensor


class StackedNetwork:
    """Calls several networks of one structure with stacked weights and statistics.

    Args:
        network: One of them, for the structure.
        buffers: By the learner's names (networks, *shape).
    """

    def __init__(self, network: LateFusion, buffers: Mapping[str, Tensor]) -> None:
        self._network = network
        self._buffers = buffers
        self._weights: Mapping[str, Tensor] = {}
        self._names = {module: f"network.{name}" for name, module in network.named_modules()}

    def losses(
        self, weights: Mapping[str, Tensor], batch: StackedBatch, masks: Sequence[Tensor]
    ) -> dict[str, HeadLoss]:
        """Return each head's loss.

        Where no object of a batch lacks a modality that others of the pool lack, the gradient of its learned vector is
        zero, so that Adam moves it on; a network that is called itself leaves it alone.

        Args:
            weights: By the learner's names (networks, *shape).
            batch: The objects.
            masks: Per layer with dropout (networks, batch, units).
        """
        self._weights, remaining = weights, iter(masks)
        heads: dict[str, tuple[Tensor, Rows]] = {}
        encoded: list[Tensor] = []
        for name, encoder in self._network.encoders():
            x, present = batch.features[name]
            filled = batch.filled if present is None else batch.filled & present
            rows = self._rows(filled, batch.live, encoder.first)
            h = self._hidden(encoder.first, x, rows, remaining)
            h = self._hidden(encoder.second, h, rows, remaining)
            if encoder.head is not None:
                heads[name] = self._linear(self._names[encoder.head], h), rows
            if encoder.absent is not None and present is not None:
                absent = weights[f"{self._names[encoder]}.absent"].unsqueeze(1)
                h = torch.where(filled.unsqueeze(2), h, absent)
            encoded.append(h)
        rows = self._rows(batch.filled, batch.live, self._network.fuse)
        h = self._hidden(self._network.fuse, torch.cat(encoded, dim=2), rows, remaining)
        h = self._hidden(self._network.last, h, rows, remaining)
        heads = {FUSED: (self._linear(self._names[self._network.output], h), rows), **heads}
        return {name: _loss(*each, batch.labels) for name, each in heads.items()}

    def _rows(self, filled: Tensor, live: Tensor, layer: Hidden) -> Rows:
        weights = filled.to(torch.float32).unsqueeze(2)
        count = weights.sum(1, keepdim=True)
        # A single object has no variance of its own.
        live = live.view(-1, 1, 1) & (count > 1)
        return Rows(weights, count, live, live * (layer.norm.momentum or 0.0))

    def _linear(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))

    def _hidden(self, layer: Hidden, x: Tensor, rows: Rows, masks: Iterator[Tensor]) -> Tensor:
        name = self._names[layer]
        scale, shift = (self._weights[f"{name}.norm.{part}"] for part in ("weight", "bias"))
        mean, variance, batches = (
            self._buffers[f"{name}.norm.{part}"]
            for part in ("running_mean", "running_var", "num_batches_tracked")
        )
        norm = NormState(*(each.unsqueeze(1) for each in (scale, shift, mean, variance)))
        h = functional.relu(self._linear(f"{name}.linear", x)).float()
        h = masked_norm(norm, h, rows, layer.norm.eps)
        with torch.no_grad():
            batches += (rows.follow > 0).flatten()
        return h if layer.dropout is None or layer.dropout.rate == 0 else h * next(masks)


def _loss(logits: Tensor, rows: Rows, labels: Tensor) -> HeadLoss:
    each = functional.cross_entropy(
        logits.float().flatten(0, 1), labels.flatten(), reduction="none"
    )
    total = (each.view_as(labels) * rows.weights.squeeze(2)).sum(1)
    count = rows.count.flatten()
    return HeadLoss(total / count.clamp_min(1), count > 0)
