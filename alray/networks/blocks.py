"""Hidden layers that pass their input on, beside the plain one: residual and highway."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from alray.networks.layers import Hidden
from alray.settings.common import Block

GATE_BIAS = -1.0
"""Where a highway's gates begin, so that it passes on most of its input (Srivastava et al. 2015, section 2)."""


def make_hidden(kind: Block, inputs: int, outputs: int, dropout: float | None) -> Hidden:
    """Return a hidden layer of this kind; its weights come from the global generator."""
    return HIDDEN[kind](inputs, outputs, dropout)


class Residual(Hidden):
    """The input and a plain hidden layer's output, added (He et al. 2016).

    Where the input has another width than the output, a matrix brings it there.
    """

    def __init__(self, inputs: int, outputs: int, dropout: float | None) -> None:
        super().__init__(inputs, outputs, dropout)
        self.shortcut = None if inputs == outputs else nn.Linear(inputs, outputs, bias=False)

    def passed_on(self, x: Float[Tensor, "n inputs"]) -> Float[Tensor, "n outputs"]:
        """Return the input as it is added."""
        return x if self.shortcut is None else self.shortcut(x)

    @override
    def forward(self, x: Float[Tensor, "n inputs"]) -> Float[Tensor, "n outputs"]:
        return self.passed_on(x) + super().forward(x)


class Highway(Residual):
    """A plain hidden layer's output and the input, mixed unit by unit by a learned gate (Srivastava et al. 2015).

    y = g h(x) + (1 - g) x with g = sigmoid(G x + b), equation 3 there.
    """

    def __init__(self, inputs: int, outputs: int, dropout: float | None) -> None:
        super().__init__(inputs, outputs, dropout)
        self.gate = nn.Linear(inputs, outputs)
        nn.init.constant_(self.gate.bias, GATE_BIAS)

    @override
    def forward(self, x: Float[Tensor, "n inputs"]) -> Float[Tensor, "n outputs"]:
        opened = torch.sigmoid(self.gate(x))
        return torch.lerp(self.passed_on(x), Hidden.forward(self, x), opened)


HIDDEN: dict[Block, type[Hidden]] = {"plain": Hidden, "residual": Residual, "highway": Highway}
"""Kind of block: its hidden layer."""
