"""Choosing objects far from each other: what strategies that compare features have in common."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from alray.pools.pool import Indices
from alray.strategies.base import Query

ROUNDING = 1e-5
"""Share of two squared norms that is taken for rounding in the squared distance of two vectors: float32 resolves a
hundredth of it."""

BLOCK_NUMBERS = 1 << 20
"""Distances that are held at a time, 4 MB: more would leave the cache."""

SIDE = 512
"""Points on either side of a square of distances, 1 MB: kernels and comparisons of it stay in the cache."""

Distances = Callable[[int], Tensor]
"""The (n,) squared distances of all candidates to the one at this position."""


def row_blocks(rows: int, columns: int) -> Iterator[slice]:
    """Yield the rows of a table of distances in blocks, each small enough to be held."""
    at_once = max(1, BLOCK_NUMBERS // max(1, columns))
    for start in range(0, rows, at_once):
        yield slice(start, start + at_once)


def squared_distances(
    x: Float[Tensor, "n d"], others: Float[Tensor, "m d"]
) -> Float[Tensor, "n m"]:
    """Return squared distances; what is no more than rounding is zero, so copies are no distance apart."""
    return Points(others).squared_distances(x)


class Points:
    """Points (m, d) that others are compared with again and again."""

    def __init__(self, points: Float[Tensor, "m d"]) -> None:
        self._points = points
        self._squares = points.square().sum(1)

    def squared_distances(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n m"]:
        """Return those of each row of x, as `squared_distances` does."""
        return _expanded(x, x.square().sum(1), self._points, self._squares)

    def each_pair(self) -> Iterator[tuple[slice, slice, Tensor]]:
        """Yield all points in squares: which are its rows, which its columns, and (rows, columns) squared distances.

        Rows never come after columns: a square off the diagonal holds for its columns too, by which the work is halved.
        """
        blocks = [slice(at, at + SIDE) for at in range(0, len(self._points), SIDE)]
        for number, rows in enumerate(blocks):
            one = self._points[rows], self._squares[rows]
            for columns in blocks[number:]:
                yield rows, columns, _expanded(*one, self._points[columns], self._squares[columns])


def _expanded(x: Tensor, squares: Tensor, others: Tensor, of_others: Tensor) -> Tensor:
    """Return (n, m) squared distances by |x|^2 + |y|^2 - 2 x y; what is no more than rounding is zero."""
    both = squares[:, None] + of_others
    found = torch.addmm(both, x, others.t(), alpha=-2)
    return found.masked_fill_(found <= both.mul_(ROUNDING), 0.0)


def nearest_squared(x: Float[Tensor, "n d"], others: Float[Tensor, "m d"]) -> Float[Tensor, " n"]:
    """Return each row's squared distance to the nearest of others, infinity where there are none."""
    found = x.new_full((len(x),), math.inf)
    if len(others) == 0:
        return found
    squares, of_others = x.square().sum(1), others.square().sum(1)
    for block in row_blocks(len(x), len(others)):
        found[block] = torch.addmm(of_others, x[block], others.t(), alpha=-2).amin(1)
    found += squares
    # Where the nearest one is a copy, both squares are this one.
    return torch.where(found > 2 * ROUNDING * squares, found, 0.0)


def draw_far(
    candidates: Indices, distances: Distances, first: Indices, k: int, rng: np.random.Generator
) -> Query:
    """Choose k candidates by k-means++ (Arthur and Vassilvitskii 2007), beginning with those at the positions `first`.

    Each next one is drawn with a probability proportional to its squared distance to the nearest chosen one, which is
    its score; where all that are left lie upon chosen ones, each is as likely as any other.
    """
    chosen = first[:k].tolist()
    scores = [math.nan] * len(chosen)
    nearest = np.full(len(candidates), np.inf)
    for position in chosen:
        _come_nearer(nearest, distances(position), position)
    while len(chosen) < k:
        weights = np.where(np.isfinite(nearest), nearest, 0.0).cumsum()
        if weights[-1] > 0:
            position = int(np.searchsorted(weights, rng.random() * weights[-1], side="right"))
        else:
            left = np.setdiff1d(np.arange(len(candidates)), chosen)
            position = int(rng.choice(left))
        scores.append(float(max(nearest[position], 0.0)))
        chosen.append(position)
        _come_nearer(nearest, distances(position), position)
    return Query(candidates[chosen], np.array(scores))


def _come_nearer(nearest: np.ndarray, distances: Tensor, position: int) -> None:
    np.minimum(nearest, distances.double().cpu().numpy(), out=nearest)
    nearest[position] = 0.0
