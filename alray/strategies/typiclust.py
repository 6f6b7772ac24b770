"""TypiClust: typical objects of clusters without labels, for few labels (Hacohen et al. 2022)."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from alray.pools.pool import Indices
from alray.strategies.base import BatchStrategy, Query, given
from alray.strategies.checking import check_counts
from alray.strategies.clusters import cluster, require_clusters
from alray.strategies.distances import Points, row_blocks
from alray.strategies.signals import Request, Signals

NEIGHBOURS = 20
SMALLEST = 5
"""Clusters of so many objects and fewer are passed over."""

MOST_COMPARED = 20_000
"""Objects of a cluster that are compared with all of it; of a larger one a random part."""


@dataclass(frozen=True)
class TypiClust(BatchStrategy):
    """Takes the most typical object of each cluster that has the fewest labels, the largest cluster first.

    Hacohen et al. 2022, algorithm 1, by the pool's own features: as many clusters as labels after the query, at most
    `clusters`. Typical is what lies near its neighbours: 1 / (mean distance to the 20 nearest, or to half of the
    cluster where that is less). The network plays no role, so a query costs the same with any network.

    Large pools are sampled: k-means learns from 20,000 random objects at most (10 for each cluster where that is more),
    each other one joining the nearest centre, and of a cluster at most 20,000 random objects are compared with all of
    it to find the most typical.

    Attributes:
        clusters: Most clusters.
    """

    clusters: int = 500

    def __post_init__(self) -> None:
        check_counts(self, "clusters")
        require_clusters("typiclust")

    @property
    @override
    def needs(self) -> Request:
        return Request(pool_features=True, labelled=True)

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        known = given(given(signals.labelled).pool_features)
        x = torch.cat([known, given(signals.pool_features)])
        chosen = typical(x, len(known), k, self.clusters, rng) - len(known)
        return Query(signals.candidates[chosen], np.full(k, np.nan))


def typical(
    x: Float[Tensor, "n d"], labelled: int, k: int, most: int, rng: np.random.Generator
) -> Indices:
    """Return the positions of k typical objects, most wanted first; the first `labelled` of n have labels already."""
    numbers = cluster(x, min(labelled + k, most), rng).numbers
    sizes = np.bincount(numbers)
    inside = np.bincount(numbers[:labelled], minlength=len(sizes))
    order = np.lexsort((rng.permutation(len(sizes)), -sizes, inside))
    # Small clusters come last, so that there are k objects in any case.
    order = np.concatenate([order[sizes[order] > SMALLEST], order[sizes[order] <= SMALLEST]])
    large = int((sizes > SMALLEST).sum())
    left = {each: np.flatnonzero(numbers == each) for each in order.tolist()}
    left = {each: members[members >= labelled] for each, members in left.items()}
    chosen: list[int] = []
    for turn in (order[:large], order[large:]):
        while len(chosen) < k and any(len(left[each]) for each in turn.tolist()):
            for each in turn.tolist():
                members = left[each]
                if len(members) and len(chosen) < k:
                    best = _most_typical(x, members, rng)
                    chosen.append(int(members[best]))
                    left[each] = np.delete(members, best)
    return np.array(chosen, dtype=np.int64)


def _most_typical(x: Float[Tensor, "n d"], members: Indices, rng: np.random.Generator) -> int:
    """Return the position among the members of the one that lies nearest to its neighbours."""
    count = min(NEIGHBOURS, len(members) // 2)
    if count == 0:
        return 0
    order = rng.permutation(len(members))[:MOST_COMPARED]
    inside = x[torch.from_numpy(members)]
    # Near zero float32 resolves distances that it would not far from it.
    inside = inside - inside.mean(0)
    points = Points(inside)
    distances = [
        # The nearest one is the object itself.
        points.squared_distances(inside[torch.from_numpy(order[block])])
        .topk(count + 1, dim=1, largest=False)
        .values[:, 1:]
        .sqrt()
        .mean(1)
        for block in row_blocks(len(order), len(members))
    ]
    return int(order[int(torch.cat(distances).argmin())])
