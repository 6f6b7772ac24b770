"""Late fusion's way to score roughly: the folded pass with its layers in 8-bit integers, for a first look at candidates."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor
from typing_extensions import override

from alray.errors import SpecError
from alray.folded_pass import FoldedPass, forward
from alray.folding import Affine, FoldedEncoder, FoldedMember, first_layers
from alray.models import LateFusion
from alray.passes import Request
from alray.pool import Indices
from alray.rough import RoughAffine, Scale, scale_of, signed_scale_of
from alray.tensors import PoolTensors

SAMPLE = 512
"""Objects whose activations decide the scales; those that go beyond are cut to the range."""


class RoughPass(FoldedPass):
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
            name: RoughAffine(self._exact_first[name], self._entering[name], scale)
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
) -> FoldedMember[RoughAffine]:
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
            RoughAffine(
                _whole_width(encoder.second, encoder.first_units, exact[name].shape[1]),
                first[name],
                encoded,
            ),
            None if encoder.head is None else RoughAffine(encoder.head, encoded),
        )
        for name, encoder in member.encoders.items()
    }
    return FoldedMember(
        encoders,
        RoughAffine(member.fuse, encoded, fused),
        RoughAffine(member.second, fused, last),
        RoughAffine(member.output, last),
    )


def _whole_width(affine: Affine, units: Tensor | None, width: int) -> Affine:
    """Return the same for all units of the layer before: to pick bytes takes longer than to multiply them by zero."""
    if units is None:
        return affine
    weight = affine.weight.new_zeros(len(affine.weight), width)
    weight[:, units] = affine.weight
    return Affine(weight, affine.bias)
