"""The margin of the product of all heads' probabilities: experts that each may object."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from alray.strategies import scores
from alray.strategies.base import ScoreStrategy, given
from alray.strategies.signals import Request, Signals


@dataclass(frozen=True)
class ProductMargin(ScoreStrategy):
    """Smallest margin first of the product of all heads' probabilities, made to sum to 1 again.

    A product of experts (Hinton 2002) of the fused head and the side head of each modality: a class that one head rules
    out has next to no probability, so the margin is small where heads object to each other's classes, or all doubt. The
    side heads of modalities that an object lacks are left out. It needs a network with several heads.
    """

    pointwise: ClassVar[bool] = True
    largest: ClassVar[bool] = False
    highest: ClassVar[float | None] = 1.0

    @property
    @override
    def needs(self) -> Request:
        return Request(log_probs=True, side_heads="all")

    @override
    def score(self, signals: Signals) -> Tensor:
        return scores.margin(product_of_heads(signals))


def product_of_heads(signals: Signals) -> Float[Tensor, "n classes"]:
    """Return log-probabilities proportional to the sum of those of the heads that each object has."""
    total = given(signals.log_probs)
    for side in signals.side_log_probs.values():
        # A row of NaN is of an absent modality; some NaN in a row would be an error, and stays one.
        absent = side.isnan().all(dim=1, keepdim=True)
        total = total + side.masked_fill(absent, 0.0)
    return torch.log_softmax(total, dim=1)
