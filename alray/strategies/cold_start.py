"""Which objects to label before there is a network: at random, or spread over the pool's own features."""

from typing import Literal

import numpy as np
from jaxtyping import Float
from torch import Tensor

from alray.pools.pool import Indices
from alray.strategies.clusters import Clusters, cluster
from alray.strategies.distances import Points, row_blocks
from alray.strategies.typiclust import typical

Spread = Literal["centroid", "typiclust", "stratified"]

STRATA = 50
"""Clusters that `stratified` draws from, each by its share of the objects."""

MOST_CLUSTERS = 500
"""Clusters of typiclust."""


def spread_out(
    kind: Spread, x: Float[Tensor, "n d"], count: int, rng: np.random.Generator
) -> Indices:
    """Return the positions of `count` objects to begin with.

    Args:
        kind: `centroid`: as many clusters, of each the object nearest to its centre; `typiclust`: as the strategy
            chooses without labels; `stratified`: at random within clusters, of each as many as its share.
        x: Features of the objects.
        count: Number of objects, at most n.
        rng: Draws.
    """
    if kind == "typiclust":
        return typical(x, 0, count, MOST_CLUSTERS, rng)
    if kind == "centroid":
        return _nearest_to_centres(x, cluster(x, count, rng), count, rng)
    return _by_share(cluster(x, min(STRATA, count), rng), count, rng)


def _nearest_to_centres(
    x: Float[Tensor, "n d"], clusters: Clusters, count: int, rng: np.random.Generator
) -> Indices:
    """Return each centre's nearest object that is no other's; where there are fewer centres, random ones besides."""
    taken = np.zeros(len(x), dtype=bool)
    chosen: list[int] = []
    points = Points(x)
    for block in row_blocks(len(clusters.centres), len(x)):
        distances = points.squared_distances(clusters.centres[block]).cpu().numpy()
        for of_centre in distances:
            nearest = int(np.where(taken, np.inf, of_centre).argmin())
            taken[nearest] = True
            chosen.append(nearest)
    rest = rng.choice(np.flatnonzero(~taken), count - len(chosen), replace=False)
    return np.concatenate([np.array(chosen, dtype=np.int64), rest])


def _by_share(clusters: Clusters, count: int, rng: np.random.Generator) -> Indices:
    """Return objects drawn within each cluster, by its share of all (largest remainders)."""
    sizes = np.bincount(clusters.numbers)
    exact = count * sizes / sizes.sum()
    numbers = np.floor(exact).astype(int)
    missing = count - int(numbers.sum())
    numbers[np.argsort(numbers - exact, kind="stable")[:missing]] += 1
    drawn = [
        rng.choice(np.flatnonzero(clusters.numbers == each), number, replace=False)
        for each, number in enumerate(numbers)
    ]
    return rng.permutation(np.concatenate(drawn))
