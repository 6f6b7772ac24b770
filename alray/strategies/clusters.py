"""Clusters of features by scikit-learn's k-means, equal to the bit for equal generators."""

import warnings
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional

from alray.errors import SpecError

SAMPLE = 20_000
"""Objects that centres are learnt from, at least ten for each; of more a random part, since all would take minutes.

Learning from batches instead (Sculley 2010, scikit-learn's MiniBatchKMeans) left most of 500 clusters of 22,000 objects
with one object or none.
"""


class Clusters(NamedTuple):
    """Clusters of objects.

    Attributes:
        numbers: (n,) each object's cluster.
        centres: (clusters, d).
    """

    numbers: Int64[np.ndarray, " n"]
    centres: Float[Tensor, "clusters d"]


def require_clusters(what: str) -> None:
    """Refuse what needs clusters where scikit-learn is not installed.

    Raises:
        SpecError: Says what needs it, and how to install it.
    """
    if find_spec("sklearn") is None:
        raise SpecError(
            f'{what} needs scikit-learn, which is not installed: pip install "alray[sklearn]"'
        )


def cluster(x: Float[Tensor, "n d"], count: int, rng: np.random.Generator) -> Clusters:
    """Return at most `count` clusters by k-means from one k-means++ start; of fewer different objects, fewer."""
    from sklearn.cluster import KMeans, kmeans_plusplus  # noqa: PLC0415 -- need not be installed
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 -- as above

    features = np.ascontiguousarray(x.cpu().numpy())
    seed = int(rng.integers(2**31 - 1))
    size = max(SAMPLE, 10 * count)
    learnt = features
    if size < len(features):
        learnt = features[np.sort(rng.choice(len(features), size, replace=False))]
    count = min(count, len(learnt))
    # Threads add their parts up in any order.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Of float32 it would copy a part to float64 for each trial: three times as long for 500 of 20,000 objects.
        begin, _ = kmeans_plusplus(learnt.astype(np.float64), count, random_state=seed)
        model = KMeans(count, init=begin.astype(learnt.dtype), n_init=1, random_state=seed)
        model.fit(learnt)
        numbers = model.labels_ if learnt is features else model.predict(features)
    return Clusters(numbers.astype(np.int64), torch.from_numpy(model.cluster_centers_).to(x))


def spread(
    x: Float[Tensor, "n d"], count: int, rng: np.random.Generator
) -> Int64[np.ndarray, " k"]:
    """Return the positions of `count` of n objects: of as many clusters, by directions, what is nearest to the centre.

    Each cluster gives one of its own objects, so none is given twice. Where k-means finds fewer clusters, as it does of
    copies, random objects make up for them.
    """
    order = rng.permutation(len(x))
    directions = functional.normalize(x[torch.from_numpy(order)], dim=1)
    numbers, centres = cluster(directions, count, rng)
    apart = (directions - centres[torch.from_numpy(numbers)]).square_().sum(1).cpu().numpy()
    # The nearest of each cluster comes first; of equally near ones that which the permutation has first.
    nearest = np.lexsort((apart, numbers))
    _, firsts = np.unique(numbers[nearest], return_index=True)
    chosen = order[nearest[firsts]]
    rest = rng.choice(np.setdiff1d(order, chosen), count - len(chosen), replace=False)
    return np.concatenate([chosen, rest])


def spread_of(
    candidates: Bool[np.ndarray, " n"], x: Float[Tensor, "n d"], k: int, rng: np.random.Generator
) -> Int64[np.ndarray, " k"]:
    """Return the positions of k of n objects, spread over those that are candidates.

    Where there are k candidates or fewer, all of them come first, and random other objects make up for the rest.
    """
    of, others = np.flatnonzero(candidates), np.flatnonzero(~candidates)
    if len(of) <= k:
        rest = rng.choice(others, k - len(of), replace=False)
        return np.concatenate([rng.permutation(of), rest])
    chosen: Int64[np.ndarray, " k"] = of[spread(x[torch.from_numpy(of)].cpu(), k, rng)]
    return chosen
