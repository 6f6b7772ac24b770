"""Choosing objects that cover others: the greedy choice by a sum of nearness, which never takes a gain twice."""

import heapq
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from alray.pools.pool import Indices
from alray.strategies.base import Query, given
from alray.strategies.distances import Points, nearest_squared
from alray.strategies.signals import Signals

Kernel = Callable[[Tensor], Tensor]
"""Nearness, between 0 and 1, for squared distances of any shape: the smaller these are, the larger."""

MOST = 35_000
"""Candidates that take part unless told otherwise: time grows with their square."""


def directions(signals: Signals) -> tuple[Tensor, Tensor]:
    """Return the candidates' and the labelled objects' own features (n, d), each vector of length 1."""
    found = (given(signals.pool_features), given(given(signals.labelled).pool_features))
    candidates, labelled = (functional.normalize(each.cpu(), dim=1) for each in found)
    return candidates, labelled


def some_of(n: int, most: int, rng: np.random.Generator) -> Indices:
    """Return the positions of the candidates that take part, ascending: all, or random ones of too many."""
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))


class Cover:
    """How near each of n candidates is to a labelled or chosen object, by the kernel, and what it counts."""

    def __init__(
        self,
        x: Float[Tensor, "n d"],
        labelled: Float[Tensor, "l d"],
        weights: Float[Tensor, " n"],
        kernel: Kernel,
    ) -> None:
        """Take the candidates, the labelled objects, how much each candidate counts, and what nearness is."""
        self._x, self._weights, self._kernel = x, weights, kernel
        self._points = Points(x)
        self._covered = kernel(nearest_squared(x, labelled))

    def choose(self, candidates: Indices, k: int, rng: np.random.Generator) -> Query:
        """Choose k of the (n,) candidates; their scores are their gains when chosen, means over candidates."""
        # Equal gains are in the order of a draw, never of the file.
        order = rng.permutation(len(self._x)).tolist()
        gains = enumerate(zip(self._first_gains(), order, strict=True))
        heap = [(-gain, at, position) for position, (gain, at) in gains]
        heapq.heapify(heap)
        chosen: list[int] = []
        found: list[float] = []
        while len(chosen) < k:
            _, at, position = heapq.heappop(heap)
            squared = self._points.squared_distances(self._x[position : position + 1])[0]
            near = self._kernel(squared)
            gain = float((near - self._covered).clamp_min_(0) @ self._weights) / len(self._x)
            if heap and (-gain, at, position) > heap[0]:
                heapq.heappush(heap, (-gain, at, position))
                continue
            chosen.append(position)
            found.append(gain)
            self._covered = torch.maximum(self._covered, near)
        return Query(candidates[chosen], np.array(found))

    def _first_gains(self) -> list[float]:
        """Return each candidate's gain before any is chosen."""
        found, covered, weights = torch.zeros(len(self._x)), self._covered, self._weights
        for rows, columns, squared in self._points.each_pair():
            near = self._kernel(squared)
            found[rows] += (near - covered[columns]).clamp_min_(0) @ weights[columns]
            if rows != columns:
                found[columns] += weights[rows] @ near.sub_(covered[rows, None]).clamp_min_(0)
        gains: list[float] = (found / len(self._x)).tolist()
        return gains
