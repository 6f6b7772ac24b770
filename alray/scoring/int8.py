"""Late fusion in 8-bit integers: near the exact signals, in about a quarter of the time on processors made for it.

A number v is the byte v / step + zero, rounded; a weight is a level from -127 to 127, with a step per output. Sums are
exact integers, so the same input gives the same bits (Jacob et al. 2018, section 2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from alray.networks.kernels import int8_linear, int8_weights
from alray.networks.network import Network
from alray.networks.tensors import ModalityTensors, PoolTensors, Scaling
from alray.pools.pool import Indices
from alray.scoring.folded import forward
from alray.scoring.folding import Affine, FoldedEncoder, FoldedMember
from alray.scoring.rounded import RoundedPass, for_all_units
from alray.settings.common import Precision
from alray.strategies.signals import Request

_LEVELS, _SIGNED_LEVELS = 255, 127

_LEAST = 1e-12
"""The smallest step: all of a layer's outputs may be zero."""

SAMPLE = 512
"""Objects whose activations decide the scales; those of others beyond a scale's range are cut to it."""


@dataclass(frozen=True)
class Scale:
    """A scale of numbers in bytes: a byte means (byte - zero) * step."""

    step: float
    zero: int

    def bytes_of(self, x: Tensor, scaling: Scaling | None = None) -> Tensor:
        """Return numbers of either sign, after a scaling if any, as bytes, those beyond the range at its ends.

        x is overwritten. By way of signed integers, for which PyTorch has vector instructions.
        """
        if scaling is None:
            x.mul_(1 / self.step)
        else:
            torch.addcmul(scaling.shift / self.step, x, scaling.scale / self.step, out=x)
        signed = x.clamp_(-self.zero, _SIGNED_LEVELS).round_().to(torch.int8)
        return signed.view(torch.uint8).bitwise_xor_(self.zero)


def scale_of(*activations: Tensor) -> Scale:
    """Return a scale that holds these numbers, none of them negative."""
    return Scale(max(max(float(h.max()) for h in activations) / _LEVELS, _LEAST), 0)


def signed_scale_of(x: Tensor) -> Scale:
    """Return a scale that holds these numbers of either sign."""
    return Scale(max(float(x.abs().max()) / _SIGNED_LEVELS, _LEAST), _SIGNED_LEVELS + 1)


class Int8Affine:
    """A matrix and a bias for activations that are bytes.

    Args:
        affine: The same in float32.
        inputs: Scale of the inputs.
        outputs: Scale of the bytes that `rectified` returns; without it there is only the call.
    """

    def __init__(self, affine: Affine, inputs: Scale, outputs: Scale | None = None) -> None:
        self._inputs, self._outputs = inputs, outputs
        steps = (affine.weight.abs().amax(1) / _SIGNED_LEVELS).clamp_min(_LEAST)
        levels = torch.round(affine.weight / steps[:, None]).to(torch.int8)
        self._weights = int8_weights(levels, steps, affine.bias.detach())

    def __call__(self, x: Tensor) -> Tensor:
        """Return (n, outputs) float32 for bytes of (n, inputs)."""
        return int8_linear(x, self._inputs.step, self._inputs.zero, self._weights)

    def rectified(self, x: Tensor) -> Tensor:
        """Return its positive part as bytes."""
        if self._outputs is None:
            raise RuntimeError("this layer was made without a scale for its outputs")
        step, zero = self._inputs.step, self._inputs.zero
        return int8_linear(x, step, zero, self._weights, self._outputs.step)


class Int8Pass(RoundedPass):
    """Folds as the exact pass does, scales by a sample of objects that it computes exactly, and computes in int8."""

    precision: ClassVar[Precision] = "int8"

    def __init__(self, network: Network, pool: PoolTensors, request: Request) -> None:
        super().__init__(network, pool, request)
        self._exact_first = self._first
        self._feature_scales: Mapping[str, Scale] = {}

    @override
    def prepare(self, present: Sequence[str], indices: Indices) -> None:
        self._present = list(present)
        self._first, self._feature_scales = self._exact_first, {}
        # Spread over all objects: a pool may be sorted.
        sample = indices[np.linspace(0, len(indices) - 1, min(len(indices), SAMPLE)).astype(int)]
        exact = {name: h[: len(sample)] for name, h in self._first_activations(sample).items()}
        first = {name: scale_of(h) for name, h in exact.items()}
        self._feature_scales = {
            modality.name: signed_scale_of(modality.gather(sample))
            for modality in self._pool.modalities
            if modality.name in present
        }
        self._first = {
            name: Int8Affine(self._of_standardised[name], self._feature_scales[name], scale)
            for name, scale in first.items()
        }
        whole, members = self._fold(present)
        self._whole = None if whole is None else _quantised(whole, exact, first)
        self._members = [_quantised(member, exact, first) for member in members]

    @override
    def _first_input(self, modality: ModalityTensors, x: Tensor) -> Tensor:
        scale = self._feature_scales.get(modality.name)
        return x if scale is None else scale.bytes_of(x, modality.scaling)


def _quantised(
    member: FoldedMember[Affine], exact: Mapping[str, Tensor], first: Mapping[str, Scale]
) -> FoldedMember[Int8Affine]:
    """Return a member in int8.

    Args:
        member: In float32.
        exact: (sample, units) the first activations of some objects, by modality.
        first: Scales of the first activations, by modality.
    """
    activations = forward(member, exact)
    encoded = scale_of(*activations.encoded.values())
    fused, last = (scale_of(h) for h in activations.trunk)
    encoders = {
        name: FoldedEncoder(
            None,
            Int8Affine(
                for_all_units(encoder.second, encoder.first_units, exact[name].shape[1]),
                first[name],
                encoded,
            ),
            None if encoder.head is None else Int8Affine(encoder.head, encoded),
        )
        for name, encoder in member.encoders.items()
    }
    return FoldedMember(
        encoders,
        Int8Affine(member.fuse, encoded, fused),
        Int8Affine(member.second, fused, last),
        Int8Affine(member.output, last),
    )
