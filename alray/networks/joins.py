"""Ways to join the encodings of several modalities into one vector, besides concatenation.

Each takes a tensor (size, width) for every modality, in the pool's order. Where an object lacks the modality its row
holds the modality's learned vector, so that what an absent modality might hold never matters.
"""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from typing_extensions import override

from alray.errors import SpecError
from alray.settings.common import Fusion

RANK = 4
"""Rank of a product's tensor of weights, the best one in Liu et al. 2018, section 5.6."""

FULL_PRODUCT = 4096
"""The most products of units that are taken one by one; of more, a low-rank tensor of weights is learned."""


class Join(nn.Module):
    """Interface of a join.

    Attributes:
        width: Units of its result.
    """

    width: int

    @override
    def forward(self, encodings: Sequence[Tensor], rows: Sequence[Tensor | None]) -> Tensor:
        """Return (size, width).

        Args:
            encodings: Per modality (size, its width).
            rows: Per modality the positions of objects that have it, None where all have.
        """
        raise NotImplementedError


class Sum(Join):
    """The encodings' sum."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.width = widths[0]

    @override
    def forward(self, encodings: Sequence[Tensor], rows: Sequence[Tensor | None]) -> Tensor:
        total = encodings[0]
        for encoding in encodings[1:]:
            total = total + encoding
        return total


class Gated(Join):
    """A gated multimodal unit (Arevalo et al. 2017, section 3.1): sum_m sigmoid(G_m [e_1, e_2, ...]) tanh(T_m e_m)."""

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__()
        self.width = width
        self.gates = nn.Linear(sum(widths), width * len(widths))
        self._hidden = nn.ModuleList(nn.Linear(each, width) for each in widths)

    @override
    def forward(self, encodings: Sequence[Tensor], rows: Sequence[Tensor | None]) -> Tensor:
        gates = torch.sigmoid(self.gates(torch.cat(list(encodings), dim=1)))
        by_modality = torch.split(gates, self.width, dim=1)
        total: Tensor | None = None
        for layer, encoding, gate in zip(self._hidden, encodings, by_modality, strict=True):
            part = gate * torch.tanh(layer(encoding))
            total = part if total is None else total + part
        return cast("Tensor", total)


class Attention(Join):
    """A mean of the encodings that an object has, by learned weights: softmax over m of v tanh(U e_m + b).

    Bahdanau et al. 2015, section 3.1, with modalities in the place of words. The weight of an absent modality is zero.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.width = widths[0]
        self.hidden = nn.Linear(self.width, self.width)
        self.score = nn.Linear(self.width, 1, bias=False)

    @override
    def forward(self, encodings: Sequence[Tensor], rows: Sequence[Tensor | None]) -> Tensor:
        stacked = torch.stack(list(encodings), dim=1)
        scores = self.score(torch.tanh(self.hidden(stacked))).squeeze(2)
        absent = torch.zeros_like(scores, dtype=torch.bool)
        for position, there in enumerate(rows):
            if there is not None:
                absent[:, position] = absent.new_ones(len(scores)).index_fill(0, there, 0)
        weights = torch.softmax(scores.masked_fill(absent, -math.inf), dim=1)
        # An object without any modality has no weights, and its vector is zero.
        weights = weights.masked_fill(absent, 0.0)
        return (weights[:, :, None] * stacked).sum(1)


class Product(Join):
    """Products of the modalities' units: all of them where they are few, else a low-rank tensor of weights.

    All: the outer product of [e_m, 1] (Zadeh et al. 2017, section 3.2). Else: sum_r prod_m W_m^(r) [e_m, 1] (Liu et al.
    2018, equation 6).
    """

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__()
        products = math.prod(each + 1 for each in widths)
        self.full = products <= FULL_PRODUCT
        self.width = products if self.full else width
        ranks = () if self.full else widths
        self._factors = nn.ModuleList(nn.Linear(each, RANK * width) for each in ranks)

    @override
    def forward(self, encodings: Sequence[Tensor], rows: Sequence[Tensor | None]) -> Tensor:
        if self.full:
            return _outer(encodings)
        product: Tensor | None = None
        for layer, encoding in zip(self._factors, encodings, strict=True):
            factor = layer(encoding)
            product = factor if product is None else product * factor
        return cast("Tensor", product).view(-1, RANK, self.width).sum(1)


def _outer(encodings: Sequence[Tensor]) -> Tensor:
    """Return (size, product of widths + 1) every product of one unit, or 1, of each encoding."""
    size = len(encodings[0])
    product = encodings[0].new_ones(size, 1)
    for encoding in encodings:
        extended = torch.cat([encoding, encoding.new_ones(size, 1)], dim=1)
        product = (product[:, :, None] * extended[:, None, :]).flatten(1)
    return product


def make_join(fusion: Fusion, widths: dict[str, int], width: int) -> Join | None:
    """Return the join of modalities with encodings of these widths, None for concatenation.

    Args:
        fusion: Its kind.
        widths: Modality: width of its encoding.
        width: Units of the result where the kind leaves them open.

    Raises:
        SpecError: The kind needs encodings of one width, and these have several.
    """
    each = list(widths.values())
    if fusion in ("sum", "attention"):
        if len(set(each)) > 1:
            found = ", ".join(f"{name} {units}" for name, units in widths.items())
            raise SpecError(
                f"model.fusion: {fusion} needs vectors of one width, and these modalities have: {found}; use "
                "model.encoder mlp or linear, or another fusion"
            )
        return Sum(each) if fusion == "sum" else Attention(each)
    if fusion == "gated":
        return Gated(each, width)
    return Product(each, width) if fusion == "matrix" else None
