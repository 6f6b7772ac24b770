"""Late fusion's way to score: oneDNN's matrix products over activations that lie one object a row."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from alray.networks.kernels import round_up
from alray.networks.models import FUSED, LateFusion
from alray.networks.tensors import ModalityTensors, PoolTensors
from alray.pools.pool import Indices
from alray.scoring.folding import (
    Affine,
    FoldedMember,
    Layer,
    first_layers,
    fold_member,
    fold_taps,
    kept_units,
)
from alray.scoring.request import BLOCK, ROWS, BlockResult, Request
from alray.strategies import scores


class FoldedPass:
    """Folds the network once per presence pattern and runs blocks through it."""

    block_size = BLOCK

    def __init__(self, network: LateFusion, pool: PoolTensors, request: Request) -> None:
        self._network = network
        self._pool = pool
        self._request = request
        self._first: Mapping[str, Layer] = first_layers(network)
        self._taps = fold_taps(network, request.predictor) if request.predictor else []
        self._last = kept_units(network.last, None)
        self._rooms: dict[str, Tensor] = {}
        self._present: list[str] = []
        self._whole: FoldedMember[Layer] | None = None
        self._members: Sequence[FoldedMember[Layer]] = []

    def prepare(self, present: Sequence[str], indices: Indices) -> None:  # noqa: ARG002 -- as passes are asked
        """Fold the whole network and each member for objects with exactly these modalities."""
        self._present = list(present)
        self._whole, self._members = self._fold(present)

    def _fold(
        self, present: Sequence[str]
    ) -> tuple[FoldedMember[Affine] | None, list[FoldedMember[Affine]]]:
        request, committee = self._request, self._request.committee
        heads = list(request.heads)
        if committee is not None and committee.kind == "heads":
            heads = list(self._network.head_names)
        whole_wanted = heads or request.features or request.predictor
        whole = fold_member(self._network, present, None, heads) if whole_wanted else None
        if committee is None or committee.kind == "heads":
            return whole, []
        names = self._network.head_names if committee.kind == "both" else (FUSED,)
        return whole, [
            fold_member(self._network, present, member, names)
            for member in range(committee.members)
        ]

    def block(self, indices: Indices) -> BlockResult:
        """Compute one block of objects of the prepared pattern."""
        first = self._first_activations(indices)
        result = BlockResult()
        members: Iterable[Tensor] = ()
        committee = self._request.committee
        if self._whole is not None:
            activations = forward(self._whole, first)
            wanted = set(self._request.heads)
            by_head = {head: torch.log_softmax(z, dim=1) for head, z in activations.logits.items()}
            result.log_probs = {head: p for head, p in by_head.items() if head in wanted}
            self._add_extras(result, activations, first)
            if committee is not None and committee.kind == "heads":
                members = by_head.values()
        if self._members:
            members = (
                torch.log_softmax(logits, dim=1)
                for member in self._members
                for logits in forward(member, first).logits.values()
            )
        if committee is not None:
            result.committee = scores.summarise_committee(members)
        return result

    def _first_activations(self, indices: Indices) -> dict[str, Tensor]:
        """Return each present encoder's first ReLU, (b, units): the part that all members share."""
        activations: dict[str, Tensor] = {}
        for modality in self._pool.modalities:
            if modality.name not in self._present:
                continue
            rows = torch.from_numpy(modality.rows[indices].astype(np.int64))
            room = self._room(modality)
            modality.gather(rows, out=room[: len(rows)])
            x = room[: round_up(len(rows), ROWS)]
            x = self._enter(modality.name, x.to(self._pool.device))
            activations[modality.name] = self._first[modality.name].rectified(x)
        return activations

    def _enter(self, _modality: str, x: Tensor) -> Tensor:
        """Return features as the first layer takes them."""
        return x

    def _room(self, modality: ModalityTensors) -> Tensor:
        """Return memory that every block uses again: fresh pages for each would cost more than their arithmetic."""
        if modality.name not in self._rooms:
            rows = round_up(self.block_size, ROWS)
            self._rooms[modality.name] = torch.zeros(rows, modality.dimension)
        return self._rooms[modality.name]

    def _add_extras(
        self, result: BlockResult, activations: "Activations", first: dict[str, Tensor]
    ) -> None:
        if self._request.features:
            last = activations.trunk[-1]
            result.features = last * self._last.scale + self._last.shift
        if self._request.predictor is not None:
            hidden: list[Tensor | None] = []
            for name, _ in self._network.encoders():
                hidden += [first.get(name), activations.encoded.get(name)]
            predicted: Tensor = self._request.predictor.output.bias
            for (tap, row), h in zip(self._taps, [*hidden, *activations.trunk], strict=True):
                if h is not None:
                    predicted = predicted + tap.rectified(h) @ row.squeeze(0)
            result.predicted_loss = predicted


class Activations:
    """ReLU outputs (b, units) on the way through one member, before the scales folded into the next layer."""

    def __init__(self) -> None:
        self.encoded: dict[str, Tensor] = {}
        self.trunk: list[Tensor] = []
        self.logits: dict[str, Tensor] = {}


def forward(member: FoldedMember[Layer], first: Mapping[str, Tensor]) -> Activations:
    """Run one member from the first activations to the logits (b, classes) of its heads, `fused` first."""
    passed = Activations()
    side: dict[str, Layer] = {}
    for name, encoder in member.encoders.items():
        h = first[name]
        h = h if encoder.first_units is None else h.index_select(1, encoder.first_units)
        passed.encoded[name] = encoder.second.rectified(h)
        if encoder.head is not None:
            side[name] = encoder.head
    h = member.fuse.rectified(torch.cat(list(passed.encoded.values()), dim=1))
    h2 = member.second.rectified(h)
    passed.trunk = [h, h2]
    passed.logits = {FUSED: member.output(h2)}
    passed.logits |= {name: head(passed.encoded[name]) for name, head in side.items()}
    return passed
