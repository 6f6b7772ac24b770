"""ProbCover: objects whose neighbourhoods hold the most others (Yehuda et al. 2022)."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from typing_extensions import override

from alray.errors import SpecError
from alray.strategies.base import BatchStrategy, Query, given
from alray.strategies.checking import check_counts
from alray.strategies.clusters import cluster, require_clusters
from alray.strategies.cover import Cover, directions, some_of
from alray.strategies.distances import Points
from alray.strategies.signals import Request, Signals

IMPURE = 0.05
"""Share of the objects whose ball may hold another cluster's (Yehuda et al. 2022, section 3.4: purity .95)."""


@dataclass(frozen=True)
class ProbCover(BatchStrategy):
    """Takes again and again the object with the most uncovered candidates within a ball around it.

    Yehuda et al. 2022, algorithm 1, by the pool's own features, each vector of length 1. The ball's radius is the
    largest for which 95 % of the balls hold objects of one cluster only; there are as many clusters as classes known so
    far. Of more than `most` candidates a random part takes part.

    Attributes:
        radius: Radius of a ball; 0 finds it as said.
        most: Most candidates that take part; time grows with their square.
    """

    radius: float = 0.0
    most: int = 20_000

    def __post_init__(self) -> None:
        check_counts(self, "most")
        if not (math.isfinite(self.radius) and self.radius >= 0):
            raise SpecError(f"radius must be a number of at least 0 (got {self.radius})")
        require_clusters("probcover")

    @property
    @override
    def needs(self) -> Request:
        return Request(pool_features=True, labelled=True)

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        x, labelled = directions(signals)
        part = some_of(len(x), max(self.most, k), rng)
        radius = self.radius
        if radius == 0:
            classes = len(np.unique(given(given(signals.labelled).labels).cpu().numpy()))
            radius = pure_radius(x[part], cluster(x[part], max(2, classes), rng).numbers)
        squared_radius = radius**2

        def within(squared: Tensor) -> Tensor:
            return (squared < squared_radius).float()

        cover = Cover(x[part], labelled, torch.ones(len(part)), within)
        return cover.choose(signals.candidates[part], k, rng)


def pure_radius(x: Float[Tensor, "n d"], numbers: Int64[np.ndarray, " n"]) -> float:
    """Return the largest radius for which at most `IMPURE` of the balls around objects hold another cluster's object.

    A ball is pure up to the distance of the nearest object of another cluster, so it is a quantile of these distances.
    """
    clusters = torch.from_numpy(numbers)
    nearest = x.new_full((len(x),), math.inf)
    for rows, columns, squared in Points(x).each_pair():
        squared.masked_fill_(clusters[rows, None] == clusters[columns], math.inf)
        nearest[rows] = nearest[rows].minimum(squared.amin(1))
        nearest[columns] = nearest[columns].minimum(squared.amin(0))
    at = int(IMPURE * len(x))
    found = float(nearest.sort().values[at].sqrt())
    # Where all objects are of one cluster every ball is pure.
    return found if math.isfinite(found) else 2.0
