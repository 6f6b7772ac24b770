"""BADGE: batches whose gradients are large and point in different directions (Ash et al. 2020)."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from alray.strategies.base import BatchStrategy, Query, given
from alray.strategies.checking import check_distances
from alray.strategies.distances import ROUNDING, draw_far
from alray.strategies.selection import best
from alray.strategies.signals import Request, Signals


@dataclass(frozen=True)
class Badge(BatchStrategy):
    """Draws by k-means++ among the gradients that the objects would have if their predicted classes were true.

    Ash et al. 2020, algorithm 1: the gradient of the last layer is g = (p - onehot(argmax p)) outer h with its input h.
    The first object has the largest one; each next one is drawn with a probability proportional to the squared distance
    to the nearest one that is chosen. It never holds a gradient: with q = p - onehot, |g_i - g_j|^2 = |q_i|^2 |h_i|^2 +
    |q_j|^2 |h_j|^2 - 2 (q_i q_j)(h_i h_j), which takes n (classes + width) numbers, and k times as many operations.
    """

    @property
    @override
    def needs(self) -> Request:
        return Request(log_probs=True, features=True)

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        # As lengths of gradients these would be infinite, and the draws mean nothing.
        check_distances("features", given(signals.features))
        errors = given(signals.log_probs).exp()
        errors[torch.arange(len(errors)), errors.argmax(1)] -= 1
        gradients = _Gradients(errors, given(signals.features))
        first = best(gradients.squares.double().cpu().numpy(), 1, rng, largest=True)
        return draw_far(signals.candidates, gradients.squared_distances, first, k, rng)


class _Gradients:
    """Gradients (n, classes x width), as the two factors of each.

    Attributes:
        squares: (n,) their squared norms.
    """

    def __init__(
        self, errors: Float[Tensor, "n classes"], inputs: Float[Tensor, "n width"]
    ) -> None:
        self._errors, self._inputs = errors, inputs
        self.squares = errors.square().sum(1) * inputs.square().sum(1)

    def squared_distances(self, position: int) -> Float[Tensor, " n"]:
        """Return each gradient's squared distance to this one's; what is no more than rounding is zero."""
        products = (self._errors @ self._errors[position]) * (
            self._inputs @ self._inputs[position]
        )
        squares = self.squares + self.squares[position]
        found = squares - 2 * products
        return torch.where(found > ROUNDING * squares, found, 0.0)
