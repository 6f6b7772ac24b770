"""Late fusion in bfloat16: float32's range with 8 significant bits, near the exact signals.

Weights, biases, features and activations of hidden layers are rounded to it; sums are of float32 and rounded once.
Logits and all that follows are float32.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from alray.networks.kernels import bf16_linear
from alray.networks.network import Network
from alray.networks.tensors import ModalityTensors, PoolTensors
from alray.pools.pool import Indices
from alray.scoring.folding import Affine, FoldedEncoder, FoldedMember, Layer
from alray.scoring.rounded import RoundedPass, for_all_units
from alray.settings.common import Precision
from alray.strategies.signals import Request


class Bf16Affine:
    """A matrix and a bias for activations in bfloat16.

    Hidden layers compute in it. Logits are computed in float32: the product is small, and to round what differs little
    between objects, beside what they have in common, would double the error of a margin.
    """

    def __init__(self, affine: Affine) -> None:
        self._exact = affine
        self._weight = affine.weight.detach().bfloat16()
        self._bias = affine.bias.detach().bfloat16()

    def __call__(self, x: Tensor) -> Tensor:
        """Return (n, outputs) float32 for bfloat16 of (n, inputs)."""
        return self._exact(x.float())

    def rectified(self, x: Tensor) -> Tensor:
        """Return its positive part in bfloat16."""
        return bf16_linear(x, self._weight, self._bias)


class Bf16Pass(RoundedPass):
    """Folds as the exact pass does, and computes in bfloat16."""

    precision: ClassVar[Precision] = "bf16"

    def __init__(self, network: Network, pool: PoolTensors, request: Request) -> None:
        super().__init__(network, pool, request)
        self._first: dict[str, Layer] = {
            name: Bf16Affine(affine) for name, affine in self._of_standardised.items()
        }
        self._widths = {name: len(affine.weight) for name, affine in self._of_standardised.items()}

    @override
    def prepare(self, present: Sequence[str], indices: Indices) -> None:
        self._present = list(present)
        whole, members = self._fold(present)
        self._whole = None if whole is None else self._rounded(whole)
        self._members = [self._rounded(member) for member in members]

    @override
    def _first_input(self, modality: ModalityTensors, x: Tensor) -> Tensor:
        scaling = modality.scaling
        if scaling is not None:
            # Before it is rounded: an offset that is left in would take the bits of the differences.
            torch.addcmul(scaling.shift, x, scaling.scale, out=x)
        return x.bfloat16()

    def _rounded(self, member: FoldedMember[Affine]) -> FoldedMember[Bf16Affine]:
        encoders = {
            name: FoldedEncoder(
                None,
                Bf16Affine(for_all_units(encoder.second, encoder.first_units, self._widths[name])),
                None if encoder.head is None else Bf16Affine(encoder.head),
            )
            for name, encoder in member.encoders.items()
        }
        rounded = (Bf16Affine(each) for each in (member.fuse, member.second, member.output))
        return FoldedMember(encoders, *rounded)
