"""Clusters of features by scikit-learn's k-means, equal to the bit for equal generators."""

import warnings
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from alray.errors import SpecError

IN_BATCHES = 20_000
"""From so many objects on, k-means learns from batches (Sculley 2010): all of them in each step would take minutes."""


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
    # They need not be installed.
    from sklearn.cluster import KMeans, MiniBatchKMeans  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    features = np.ascontiguousarray(x.cpu().numpy())
    seed = int(rng.integers(2**31 - 1))
    kind = KMeans if len(features) < IN_BATCHES else MiniBatchKMeans
    options = {} if kind is KMeans else {"batch_size": 4096, "max_no_improvement": 5}
    model = kind(min(count, len(features)), n_init=1, random_state=seed, **options)
    # Threads add their parts up in any order.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        numbers = model.fit_predict(features)
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
