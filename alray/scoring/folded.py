"""The pass of late fusion: oneDNN's matrix products over activations that lie one object a row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from alray.networks.late_fusion import LateFusion
from alray.networks.loss_predictor import LossPredictor
from alray.networks.network import FUSED
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
    with_scaling,
)
from alray.scoring.passes import (
    BLOCK,
    ROW_STEP,
    asked_heads,
    block_buffers,
    block_signals,
    gather_block,
)
from alray.strategies.signals import Request, Signals


class FoldedPass:
    """Folds the network once per presence pattern and runs blocks through it."""

    block_size = BLOCK
    row_step = ROW_STEP
    fewest_units = 0
    """Units that folding leaves of a layer at least, where a member drops them all."""

    def __init__(
        self,
        network: LateFusion,
        pool: PoolTensors,
        request: Request,
        predictor: LossPredictor | None = None,
    ) -> None:
        self._network = network
        self._pool = pool
        self._request = request
        self._predictor = predictor if request.predicted_loss else None
        first = first_layers(network)
        self._first: Mapping[str, Layer] = {
            modality.name: with_scaling(first[modality.name], modality.scaling)
            for modality in pool.modalities
        }
        self._taps = fold_taps(network, self._predictor) if self._predictor is not None else []
        self._last = kept_units(network.last, None)
        self._buffers = block_buffers(pool)
        self._present: list[str] = []
        self._whole: FoldedMember[Layer] | None = None
        self._members: Sequence[FoldedMember[Layer]] = []

    def prepare(self, present: Sequence[str], indices: Indices) -> None:  # noqa: ARG002 -- the protocol's argument
        """Fold the whole network and each member for objects with exactly these modalities."""
        self._present = list(present)
        self._whole, self._members = self._fold(present)

    def _fold(
        self, present: Sequence[str]
    ) -> tuple[FoldedMember[Affine] | None, list[FoldedMember[Affine]]]:
        request, committee = self._request, self._request.committee
        heads = asked_heads(request)
        if committee is not None and committee.kind == "heads":
            heads = self._network.head_names
        needs_whole = heads or request.features or self._predictor is not None
        whole = fold_member(self._network, present, None, heads) if needs_whole else None
        if committee is None or committee.kind == "heads":
            return whole, []
        names = self._network.head_names if committee.kind == "both" else (FUSED,)
        return whole, [
            fold_member(self._network, present, member, names, fewest=self.fewest_units)
            for member in range(committee.members)
        ]

    def score_block(self, indices: Indices) -> Signals:
        """Return the signals of a block of objects of the prepared pattern."""
        request = self._request
        first = self._first_activations(indices)
        log_probs: dict[str, Tensor] = {}
        others: dict[str, Tensor | None] = {}
        if self._whole is not None:
            activations = forward(self._whole, first)
            log_probs = {h: torch.log_softmax(z, dim=1) for h, z in activations.logits.items()}
            if request.features:
                others["features"] = activations.trunk[-1] * self._last.scale + self._last.shift
            others["predicted_loss"] = self._predicted_loss(activations, first)
        members: Iterable[Mapping[str, Tensor]] = [log_probs]
        if self._members:
            members = (
                {h: torch.log_softmax(z, dim=1) for h, z in forward(member, first).logits.items()}
                for member in self._members
            )
        names = self._network.head_names
        return block_signals(request, indices, log_probs, members, names, **others)

    def _first_activations(self, indices: Indices) -> dict[str, Tensor]:
        """Return each present encoder's first ReLU, (b, units): the part that all members share."""
        activations: dict[str, Tensor] = {}
        for modality in self._pool.modalities:
            if modality.name not in self._present:
                continue
            x = gather_block(modality, indices, self._buffers[modality.name], self.row_step)
            x = self._first_input(modality, x)
            activations[modality.name] = self._first[modality.name].rectified(x)
        return activations

    def _first_input(self, _modality: ModalityTensors, x: Tensor) -> Tensor:
        """Return a modality's features, which lack their `scaling`, in the form that its first layer takes."""
        return x

    def _predicted_loss(
        self, activations: "Activations", first: Mapping[str, Tensor]
    ) -> Tensor | None:
        """Return (b,) the predicted loss, None where it is not asked for; absent modalities add nothing."""
        if self._predictor is None:
            return None
        hidden: list[Tensor | None] = []
        for name, _ in self._network.encoders():
            hidden += [first.get(name), activations.encoded.get(name)]
        predicted: Tensor = self._predictor.output.bias
        for (tap, row), h in zip(self._taps, [*hidden, *activations.trunk], strict=True):
            if h is not None:
                predicted = predicted + tap.rectified(h) @ row.squeeze(0)
        return predicted


@dataclass(frozen=True)
class Activations:
    """A member's ReLU outputs (b, units) before the scales folded into the next layer, and its logits.

    Attributes:
        encoded: Per present modality that of its encoder's second layer.
        trunk: Those of the trunk's two layers.
        logits: Per head (b, classes), `fused` first.
    """

    encoded: dict[str, Tensor]
    trunk: list[Tensor]
    logits: dict[str, Tensor]


def forward(member: FoldedMember[Layer], first: Mapping[str, Tensor]) -> Activations:
    """Run one member from the first activations (b, units) by modality to the logits of its heads."""
    encoded: dict[str, Tensor] = {}
    for name, encoder in member.encoders.items():
        h, units = first[name], encoder.first_units
        encoded[name] = encoder.second.rectified(h if units is None else h.index_select(1, units))
    fused = member.fuse.rectified(torch.cat(list(encoded.values()), dim=1))
    last = member.second.rectified(fused)
    logits = {FUSED: member.output(last)}
    for name, encoder in member.encoders.items():
        if encoder.head is not None:
            logits[name] = encoder.head(encoded[name])
    return Activations(encoded, [fused, last], logits)
