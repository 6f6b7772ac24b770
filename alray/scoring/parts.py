"""The pass of late fusion with unusual parts: residual and highway blocks, other encoders and joins.

What comes before the first mask of a chain of layers is the same for every member of a committee, and is computed once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from alray.networks.late_fusion import Encoder, LateFusion
from alray.networks.layers import Hidden
from alray.networks.loss_predictor import WIDTH, LossPredictor
from alray.networks.network import FUSED
from alray.networks.tensors import PoolTensors, Scaling
from alray.pools.pool import Indices
from alray.scoring.folded_layers import (
    AsItIs,
    Begun,
    Feeder,
    FoldedLayer,
    Reader,
    Scaled,
    affine_of,
    begin,
    finish,
    fold_layers,
)
from alray.scoring.folding import Affine, KeptUnits
from alray.scoring.passes import (
    BLOCK,
    ROW_STEP,
    asked_heads,
    block_buffers,
    block_signals,
    gather_block,
)
from alray.strategies.signals import Request, Signals


@dataclass(frozen=True)
class _Concatenated:
    """How a Linear behind a concatenation reads the present encodings.

    Attributes:
        parts: Per modality how its encoding is read, or None and the learned vector where it is absent.
    """

    parts: Sequence[tuple[Encoder, Reader | None]]

    def feed(self, reader: Affine) -> Affine:
        widths = [encoder.width for encoder, _ in self.parts]
        bias, weights = reader.bias, []
        columns = torch.split(reader.weight, widths, dim=1)
        for column, (encoder, read) in zip(columns, self.parts, strict=True):
            if read is not None:
                fed = read.feed(Affine(column, bias))
                weights.append(fed.weight)
                bias = fed.bias
            elif encoder.absent is not None:
                bias = bias + column @ encoder.absent
        return Affine(torch.cat(weights, dim=1), bias)


@dataclass(frozen=True)
class _Activations:
    """What a member's layers return for a block, and its logits.

    Attributes:
        encoded: Per present modality what each layer of its encoder returns.
        trunk: The same of the trunk.
        logits: Per head (b, classes), `fused` first.
    """

    encoded: Mapping[str, Sequence[Tensor]]
    trunk: Sequence[Tensor]
    logits: Mapping[str, Tensor]


class _Member:
    """A member, or the whole network, folded for objects that have exactly the modalities `present`."""

    def __init__(
        self,
        network: LateFusion,
        scalings: Mapping[str, Scaling | None],
        present: Sequence[str],
        member: int | None,
        heads: Sequence[str],
    ) -> None:
        self._network = network
        applied = network.join is not None
        self.encoders: dict[str, Sequence[FoldedLayer]] = {}
        self._readers: dict[str, Reader] = {}
        self._heads: dict[str, Affine] = {}
        for name, encoder in network.encoders():
            if name not in present:
                continue
            before = _scaled(scalings[name])
            layers = fold_layers(encoder.layers(), before, member, shared=True, applied=applied)
            self.encoders[name] = layers
            self._readers[name] = layers[-1].reader if layers else before
            if encoder.head is not None and name in heads:
                self._heads[name] = self._readers[name].feed(affine_of(encoder.head))
        self.shares_trunk = not any(
            layer.drops for each in self.encoders.values() for layer in each
        )
        joined: Feeder = AsItIs()
        if not applied:
            joined = _Concatenated(
                [(e, self._readers.get(name)) for name, e in network.encoders()]
            )
        self.trunk = fold_layers(
            network.trunk(), joined, member, shared=self.shares_trunk, applied=False
        )
        self._output = self.trunk[-1].reader.feed(affine_of(network.output))

    def join(self, encoded: Mapping[str, Sequence[Tensor]]) -> Tensor:
        """Return the trunk's input for what the encoders' layers return."""
        network = self._network
        if network.join is None:
            return torch.cat([outputs[-1] for outputs in encoded.values()], dim=1)
        size = len(next(iter(encoded.values()))[-1])
        encodings: list[Tensor] = []
        rows: list[Tensor | None] = []
        nobody = torch.empty(0, dtype=torch.int64)
        for name, encoder in network.encoders():
            if name in encoded:
                encodings.append(self._readers[name].applied(encoded[name][-1]))
                rows.append(None)
            else:
                encodings.append(encoder.with_absent(torch.empty(0, encoder.width), nobody, size))
                rows.append(nobody)
        joined: Tensor = network.join(encodings, rows)
        return joined

    def run(self, encoders: Mapping[str, Begun], trunk: Begun | None) -> _Activations:
        """Run what is begun to its end; a trunk that all members share is begun too."""
        encoded = {name: finish(self.encoders[name], begun) for name, begun in encoders.items()}
        if trunk is None:
            trunk = begin(self.trunk, self.join(encoded))
        outputs = finish(self.trunk, trunk)
        logits = {FUSED: self._output(outputs[-1])}
        logits |= {name: head(encoded[name][-1]) for name, head in self._heads.items()}
        return _Activations(encoded, outputs, logits)


def _scaled(scaling: Scaling | None) -> Reader:
    """Return how a Linear reads features as they lie in memory."""
    return AsItIs() if scaling is None else Scaled(KeptUnits(None, scaling.scale, scaling.shift))


class PartsPass:
    """Folds the network once per presence pattern and runs blocks through it."""

    block_size = BLOCK
    row_step = ROW_STEP

    def __init__(
        self,
        network: LateFusion,
        pool: PoolTensors,
        request: Request,
        predictor: LossPredictor | None = None,
    ) -> None:
        self._network, self._pool, self._request = network, pool, request
        self._predictor = predictor if request.predicted_loss else None
        self._scalings = {modality.name: modality.scaling for modality in pool.modalities}
        self._buffers = block_buffers(pool)
        self._whole: _Member | None = None
        self._members: list[_Member] = []

    def prepare(self, present: Sequence[str], indices: Indices) -> None:  # noqa: ARG002 -- the protocol's argument
        """Fold the whole network and each member for objects with exactly these modalities."""
        request, committee = self._request, self._request.committee
        heads = asked_heads(request)
        by_heads = committee is not None and committee.kind == "heads"
        # The whole network begins for all members.
        self._whole = self._fold(present, None, self._network.head_names if by_heads else heads)
        self._members = []
        if committee is not None and not by_heads:
            names = self._network.head_names if committee.kind == "both" else (FUSED,)
            self._members = [self._fold(present, k, names) for k in range(committee.members)]

    def _fold(self, present: Sequence[str], member: int | None, heads: Sequence[str]) -> _Member:
        return _Member(self._network, self._scalings, present, member, heads)

    def score_block(self, indices: Indices) -> Signals:
        """Return the signals of a block of objects of the prepared pattern."""
        whole, request = self._whole, self._request
        if whole is None:
            raise RuntimeError("prepare comes first")
        encoders = {
            modality.name: begin(
                whole.encoders[modality.name],
                gather_block(modality, indices, self._buffers[modality.name], self.row_step),
            )
            for modality in self._pool.modalities
            if modality.name in whole.encoders
        }
        trunk = self._begin_trunk(whole, encoders)
        log_probs: dict[str, Tensor] = {}
        others: dict[str, Tensor | None] = {}
        if not self._members or asked_heads(request) or request.features or self._predictor:
            activations = whole.run(encoders, trunk)
            log_probs = {h: torch.log_softmax(z, dim=1) for h, z in activations.logits.items()}
            if request.features:
                others["features"] = whole.trunk[-1].reader.applied(activations.trunk[-1])
            others["predicted_loss"] = self._predicted_loss(whole, activations)
        members = self._member_log_probs(encoders, trunk) if self._members else [log_probs]
        names = self._network.head_names
        return block_signals(request, indices, log_probs, members, names, **others)

    def _begin_trunk(self, whole: _Member, encoders: Mapping[str, Begun]) -> Begun | None:
        """Begin the trunk where all members have the same input of it."""
        if not whole.shares_trunk:
            return None
        encoded = {name: finish(whole.encoders[name], begun) for name, begun in encoders.items()}
        return begin(whole.trunk, whole.join(encoded))

    def _member_log_probs(
        self, encoders: Mapping[str, Begun], trunk: Begun | None
    ) -> Iterator[dict[str, Tensor]]:
        for member in self._members:
            logits = member.run(encoders, trunk).logits
            yield {head: torch.log_softmax(z, dim=1) for head, z in logits.items()}

    def _predicted_loss(self, whole: _Member, activations: _Activations) -> Tensor | None:
        """Return (b,) the predicted loss, None where it is not asked for; absent modalities add nothing."""
        predictor = self._predictor
        if predictor is None:
            return None
        chains = [
            (encoder.layers(), whole.encoders.get(name), activations.encoded.get(name))
            for name, encoder in self._network.encoders()
        ]
        chains.append((self._network.trunk(), whole.trunk, activations.trunk))
        taps = iter(
            zip(
                predictor.tap_layers(),
                torch.split(predictor.output.weight, WIDTH, dim=1),
                strict=True,
            )
        )
        predicted: Tensor = predictor.output.bias
        for layers, folded, outputs in chains:
            for number, layer in enumerate(layers):
                if not isinstance(layer, Hidden):
                    continue
                tap, row = next(taps)
                if folded is not None and outputs is not None:
                    read = folded[number].reader.feed(affine_of(tap))
                    predicted = predicted + read.rectified(outputs[number]) @ row.squeeze(0)
        return predicted
