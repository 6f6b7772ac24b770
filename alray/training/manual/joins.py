"""The join of late fusion's encodings on a batch, forward and backward."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from alray.networks.joins import Join
from alray.networks.kernels import padded_rows
from alray.networks.late_fusion import LateFusion


@runtime_checkable
class JoinStep(Protocol):
    """A join on a batch.

    Attributes:
        output: (batch or more, width) the trunk's input.
    """

    output: Tensor

    def backward(self, gradient: Tensor) -> Sequence[Tensor]:
        """Set the gradients of its parameters, for that of its output (batch, width); return each encoding's."""


def join_step(
    network: LateFusion, encodings: Sequence[tuple[Tensor, Tensor | None]], size: int
) -> JoinStep:
    """Join the encodings of `size` objects: per modality (size or more, width) and the rows that have it."""
    outputs = [output for output, _ in encodings]
    if network.join is None:
        return _Concatenation(outputs)
    return _OtherJoin(network.join, outputs, [rows for _, rows in encodings], size)


class _Concatenation:
    def __init__(self, encodings: Sequence[Tensor]) -> None:
        self._widths = [encoding.shape[1] for encoding in encodings]
        self.output = torch.cat(list(encodings), dim=1)

    def backward(self, gradient: Tensor) -> Sequence[Tensor]:
        return torch.split(gradient, self._widths, dim=1)


class _OtherJoin:
    """Calls the join with a graph of its own: beside encoders and trunk it is small."""

    def __init__(
        self,
        join: Join,
        encodings: Sequence[Tensor],
        rows: Sequence[Tensor | None],
        size: int,
    ) -> None:
        self._join = join
        self._encodings = [each[:size].detach().requires_grad_() for each in encodings]
        with torch.enable_grad():
            self._joined: Tensor = join(self._encodings, rows)
        self.output = padded_rows(self._joined.detach(), len(encodings[0]))

    def backward(self, gradient: Tensor) -> Sequence[Tensor]:
        self._joined.backward(gradient)  # type: ignore[no-untyped-call]  # not typed in PyTorch
        return [encoding.grad for encoding in self._encodings if encoding.grad is not None]
