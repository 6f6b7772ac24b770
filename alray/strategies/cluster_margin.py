"""Cluster-margin: small margins from as many clusters as possible, for large queries (Citovsky et al. 2021)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from alray.pools.pool import Indices
from alray.strategies import scores
from alray.strategies.base import BatchStrategy, Query, given
from alray.strategies.checking import check_counts, check_distances
from alray.strategies.cover import some_of
from alray.strategies.distances import Points, row_blocks
from alray.strategies.selection import best
from alray.strategies.signals import Request, Signals

MARGINS = 10
"""Objects with the smallest margins that clusters are made of, for each object of the query."""

MOST_CLUSTERED = 5_000
"""Candidates that are clustered: their distances take 100 MB, twice while they are joined."""


@dataclass(frozen=True)
class ClusterMargin(BatchStrategy):
    """Takes the 10 k smallest margins and goes round their clusters, the smallest first, a random one of each in turn.

    Citovsky et al. 2021, algorithms 1 and 2: average-linkage clusters of the inputs of the network's last layer, of
    `size` objects on average, and of each cluster what is among the 10 k smallest margins; the cluster with the fewest
    of these comes first. The paper clusters the whole pool once, after the passive phase. Here each round clusters its
    candidates anew by the network as it is, since a strategy keeps nothing from round to round (a run that goes on
    repeats to the bit). Of more than `most` candidates a random part is clustered, and each of the 10 k that is not in
    it joins the cluster with the nearest mean.

    Attributes:
        size: Mean number of objects of a cluster, at least.
        most: Most candidates that are clustered; time and memory grow with their square.
    """

    size: int = 10
    most: int = MOST_CLUSTERED

    def __post_init__(self) -> None:
        check_counts(self, "most", "size")

    @property
    @override
    def needs(self) -> Request:
        return Request(log_probs=True, features=True)

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        features = given(signals.features).cpu()
        check_distances("features", features)
        margins = scores.margin(given(signals.log_probs)).double().cpu().numpy()
        small = best(margins, min(MARGINS * k, len(margins)), rng, largest=False)
        part = some_of(len(features), self.most, rng)
        numbers = linked(features[part], len(part) // self.size)
        of_small = _clusters_of(features, small, part, numbers)
        chosen = small[_in_turn(of_small, k, rng)]
        return Query(signals.candidates[chosen], margins[chosen])


def linked(x: Float[Tensor, "n d"], count: int) -> npt.NDArray[np.int64]:
    """Return (n,) the numbers of at most `count` clusters, and one at least, by average linkage of distances."""
    from scipy.cluster.hierarchy import fcluster, linkage  # noqa: PLC0415 -- a study starts without it

    if len(x) < 2:
        return np.zeros(len(x), dtype=np.int64)
    tree = linkage(_distances(x), method="average")
    return np.asarray(fcluster(tree, max(count, 1), criterion="maxclust"), dtype=np.int64) - 1


def _distances(x: Float[Tensor, "n d"]) -> npt.NDArray[np.float64]:
    """Return the distances of each object to all later ones, row after row: the form that `linkage` takes."""
    n = len(x)
    # Near zero float32 resolves distances that it would not far from it.
    x = x - x.mean(0)
    points, found, end = Points(x), np.empty(n * (n - 1) // 2), 0
    for block in row_blocks(n, n):
        rows = points.squared_distances(x[block]).sqrt_().numpy()
        for position, row in enumerate(rows, start=block.start):
            later = row[position + 1 :]
            found[end : end + len(later)] = later
            end += len(later)
    return found


def _clusters_of(
    x: Float[Tensor, "n d"], small: Indices, part: Indices, numbers: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return each small margin's cluster: its own, or the one with the nearest mean."""
    of_all = np.full(len(x), -1, dtype=np.int64)
    of_all[part] = numbers
    found = of_all[small]
    outside = np.flatnonzero(found < 0)
    if len(outside) == 0:
        return found
    codes = torch.from_numpy(numbers)
    sums = torch.zeros(int(numbers.max()) + 1, x.shape[1]).index_add_(0, codes, x[part])
    means = Points(sums / torch.bincount(codes)[:, None])
    for block in row_blocks(len(outside), len(sums)):
        rows = x[small[outside[block]]]
        found[outside[block]] = means.squared_distances(rows).argmin(1).numpy()
    return found


def _in_turn(
    numbers: npt.NDArray[np.int64], k: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Return k positions: a random one of each cluster in turn, clusters with the fewest objects first."""
    sizes = np.bincount(numbers)
    place = np.empty(len(sizes), dtype=np.int64)
    # Clusters of one size come in a random order, the same in each turn.
    place[np.lexsort((rng.permutation(len(sizes)), sizes))] = np.arange(len(sizes))
    order = rng.permutation(len(numbers))
    order = order[np.argsort(place[numbers[order]], kind="stable")]
    # Within a cluster the order is random: the first one belongs to the first turn.
    starts = np.flatnonzero(np.diff(place[numbers[order]], prepend=-1))
    turn = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return order[np.lexsort((place[numbers[order]], turn))][:k]
