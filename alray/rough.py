"""Layers in 8-bit integers: near the truth, in about a quarter of the time on processors with such instructions.

A number v stands as the byte v / step + zero, rounded; a weight as one of -127 to 127, with a step per output. Sums are
exact integers, so the same input gives the same bits (Jacob et al. 2018, section 2).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from alray.folding import Affine

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


_PLAIN = Scale(1.0, 0)


def scale_of(*activations: Tensor) -> Scale:
    """Return a scale that holds these numbers, none of them negative."""
    return Scale(max(max(float(h.max()) for h in activations) / _LEVELS, _LEAST), 0)


def signed_scale_of(x: Tensor) -> Scale:
    """Return a scale that holds these numbers of either sign."""
    return Scale(max(float(x.abs().max()) / _SIGNED_LEVELS, _LEAST), _SIGNED_LEVELS + 1)


def has_rough_products() -> bool:
    """Return whether this build of PyTorch has oneDNN's products of bytes."""
    available: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]  # not typed in PyTorch
    return available and hasattr(torch.ops.onednn, "qlinear_pointwise")


class RoughAffine:
    """A matrix and a bias for activations that are bytes.

    Args:
        affine: The same in float32.
        taken: How the input stands.
        given: How the output of `rectified` is to stand.
    """

    def __init__(self, affine: Affine, taken: Scale, given: Scale = _PLAIN) -> None:
        self._taken, self._given, self._bias = taken, given, affine.bias.detach()
        self._steps = (affine.weight.abs().amax(1) / _SIGNED_LEVELS).clamp_min(_LEAST)
        levels = torch.round(affine.weight / self._steps[:, None]).to(torch.int8)
        self._packed = torch.ops.onednn.qlinear_prepack(levels, None)
        self._zeros = torch.zeros(len(levels), dtype=torch.int32)

    def __call__(self, x: Tensor) -> Tensor:
        """Return (n, outputs) float32 for bytes of (n, inputs)."""
        return self._product(x, _PLAIN, torch.float32, "none")

    def rectified(self, x: Tensor) -> Tensor:
        """Return the same as bytes, with zero for what is negative."""
        return self._product(x, self._given, torch.uint8, "relu")

    def _product(self, x: Tensor, given: Scale, kind: torch.dtype, activation: str) -> Tensor:
        found: Tensor = torch.ops.onednn.qlinear_pointwise(
            x,
            self._taken.step,
            self._taken.zero,
            self._packed,
            self._steps,
            self._zeros,
            self._bias,
            given.step,
            given.zero,
            kind,
            activation,
            [],
            "",
        )
        return found
