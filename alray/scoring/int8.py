"""Layers in 8-bit integers: near the truth, in about a quarter of the time on processors with such instructions.

A number v stands as the byte v / step + zero, rounded; a weight as one of -127 to 127, with a step per output. Sums are
exact integers, so the same input gives the same bits (Jacob et al. 2018, section 2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from alray.errors import SpecError
from alray.networks.kernels import int8_linear, int8_weights
from alray.networks.models import LateFusion
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring.folded import FoldedPass, forward
from alray.scoring.folding import Affine, FoldedEncoder, FoldedMember, first_layers
from alray.scoring.request import Request

_LEVELS, _SIGNED_LEVELS = 255, 127

_LEAST = 1e-12
"""Steps stay above this: a layer may be silent."""


@dataclass(frozen=True)
class Scale:
    """How numbers stand as bytes.

    Attributes:
        step: What one more means.
        zero: The byte that stands for 0.
    """

    step: float
    zero: int

    def bytes_of(self, x: Tensor) -> Tensor:
        """Return numbers of either sign as bytes, those beyond the range at its ends; x is overwritten.

        By way of signed integers, for which PyTorch has vector instructions.
        """
        signed = x.mul_(1 / self.step).clamp_(-self.zero, _SIGNED_LEVELS).round_().to(torch.int8)
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
        taken: How the input stands.
        given: How the output of `rectified` is to stand; without it there is only the call.
    """

    def __init__(self, affine: Affine, taken: Scale, given: Scale | None = None) -> None:
        self._taken, self._given = taken, given
        steps = (affine.weight.abs().amax(1) / _SIGNED_LEVELS).clamp_min(_LEAST)
        levels = torch.round(affine.weight / steps[:, None]).to(torch.int8)
        self._weights = int8_weights(levels, steps, affine.bias.detach())

    def __call__(self, x: Tensor) -> Tensor:
        """Return (n, outputs) float32 for bytes of (n, inputs)."""
        return int8_linear(x, self._taken.step, self._taken.zero, self._weights)

    def rectified(self, x: Tensor) -> Tensor:
        """Return the same as bytes, with zero for what is negative."""
        if self._given is None:
            raise RuntimeError("this layer was made without a scale for its outputs")
        step, zero = self._taken.step, self._taken.zero
        return int8_linear(x, step, zero, self._weights, self._given.step)


SAMPLE = 512
"""Objects whose activations decide the scales; those that go beyond are cut to the range."""


class Int8Pass(FoldedPass):
    """Folds as the exact pass does, looks at some objects exactly, and computes the others in bytes."""

    def __init__(self, network: LateFusion, pool: PoolTensors, request: Request) -> None:
        if request.features or request.predictor is not None:
            raise SpecError("features and predicted losses have no rough pass")
        super().__init__(network, pool, request)
        self._exact_first = first_layers(network)
        self._entering: Mapping[str, Scale] = {}

    @override
    def prepare(self, present: Sequence[str], indices: Indices) -> None:
        self._present = list(present)
        self._first, self._entering = self._exact_first, {}
        # From the whole of the objects: a pool may be sorted.
        sample = indices[np.linspace(0, len(indices) - 1, min(len(indices), SAMPLE)).astype(int)]
        exact = {name: h[: len(sample)] for name, h in self._first_activations(sample).items()}
        first = {name: scale_of(h) for name, h in exact.items()}
        self._entering = {
            name: signed_scale_of(self._rooms[name][: len(sample)]) for name in present
        }
        self._first = {
            name: Int8Affine(self._exact_first[name], self._entering[name], scale)
            for name, scale in first.items()
        }
        whole, members = self._fold(present)
        self._whole = None if whole is None else _roughen(whole, exact, first)
        self._members = [_roughen(member, exact, first) for member in members]

    @override
    def _enter(self, modality: str, x: Tensor) -> Tensor:
        scale = self._entering.get(modality)
        return x if scale is None else scale.bytes_of(x)


def _roughen(
    member: FoldedMember[Affine], exact: Mapping[str, Tensor], first: Mapping[str, Scale]
) -> FoldedMember[Int8Affine]:
    """Return a member in bytes.

    Args:
        member: In float32.
        exact: (sample, units) the first activations of some objects, by modality.
        first: How first activations stand as bytes.
    """
    passed = forward(member, exact)
    encoded = scale_of(*passed.encoded.values())
    fused, last = (scale_of(h) for h in passed.trunk)
    encoders = {
        name: FoldedEncoder(
            None,
            Int8Affine(
                _whole_width(encoder.second, encoder.first_units, exact[name].shape[1]),
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


def _whole_width(affine: Affine, units: Tensor | None, width: int) -> Affine:
    """Return the same for all units of the layer before: to pick bytes takes longer than to multiply them by zero."""
    if units is None:
        return affine
    weight = affine.weight.new_zeros(len(affine.weight), width)
    weight[:, units] = affine.weight
    return Affine(weight, affine.bias)
