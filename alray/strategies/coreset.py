"""CoreSet: batches that leave no object far from a labelled one (Sener and Savarese 2018)."""

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from alray.strategies.base import BatchStrategy, Query, given
from alray.strategies.checking import check_distances
from alray.strategies.distances import Points, nearest_squared
from alray.strategies.signals import Request, Signals


@dataclass(frozen=True)
class CoreSet(BatchStrategy):
    """Takes again and again the object that is farthest from every labelled and every chosen one.

    Sener and Savarese 2018, algorithm 1 (k-center greedy), by the inputs of the network's last layer. Its time
    grows with n x labels x width; distances are held block by block.
    """

    @property
    @override
    def needs(self) -> Request:
        return Request(features=True, labelled=True)

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        features, known = given(signals.features), given(given(signals.labelled).features)
        for values in (features, known):
            check_distances("features", values)
        # Near zero float32 resolves distances that it would not far from it.
        centre = features.mean(0)
        x, labelled = features - centre, known - centre
        points, nearest = Points(x), nearest_squared(x, labelled).double()
        chosen: list[int] = []
        scores: list[float] = []
        # Equal distances are in the order of a permutation, never of the file.
        order = rng.permutation(len(x))
        for _ in range(k):
            position = int(order[int(nearest[order].argmax())])
            chosen.append(position)
            scores.append(float(nearest[position]))
            nearest = nearest.minimum(points.squared_distances(x[position : position + 1])[0])
            # A chosen one is nearer than any other, even than its copies.
            nearest[position] = -1.0
        return Query(signals.candidates[chosen], np.array(scores))
