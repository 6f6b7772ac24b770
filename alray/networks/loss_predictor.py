"""The module of learning loss, which predicts a network's loss from its hidden layers."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from alray.networks.network import Values

WIDTH = 128
"""Units per tap, as in Yoo and Kweon 2019."""


class LossPredictor(nn.Module):
    """The predictor of learning loss (Yoo and Kweon 2019, section 3.2): Linear and ReLU per tap, then one Linear.

    Where a tap's modality is absent, its part of the last Linear's input is zero.
    """

    def __init__(self, tap_sizes: Sequence[int]) -> None:
        super().__init__()
        self._taps = nn.ModuleList(nn.Linear(size, WIDTH) for size in tap_sizes)
        self.output = nn.Linear(WIDTH * len(tap_sizes), 1)

    def tap_layers(self) -> list[nn.Linear]:
        """Return the Linear of each tap."""
        return cast("list[nn.Linear]", list(self._taps))

    @override
    def forward(self, taps: list[Values], size: int) -> Tensor:
        """Return (size,) the predicted loss of each object in the batch."""
        parts = []
        for layer, tap in zip(self._taps, taps, strict=True):
            part = functional.relu(layer(tap.values))
            if tap.rows is not None:
                part = part.new_zeros(size, part.shape[1]).index_copy(0, tap.rows, part)
            parts.append(part)
        predicted: Tensor = self.output(torch.cat(parts, dim=1))
        return predicted.squeeze(1)
