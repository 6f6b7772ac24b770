"""Which classes are easily taken for each other, by the pool's own features."""

import numpy as np
import numpy.typing as npt

from alray.pools.pool import Indices

Shares = npt.NDArray[np.float64]
"""(classes, classes): of each class the shares of the others, which add up to 1; zeros on the diagonal."""

SMOOTHING = 1.0
"""Objects that are added to each pair of classes, spread over the other classes: none is impossible."""


def confusable_classes(
    features: npt.NDArray[np.floating], labels: Indices, classes: int
) -> Shares:
    """Return for each class how often each other class is the nearest wrong one to its objects.

    Nearest is the mean of a class by Euclidean distance, so it takes n x classes x d operations and no training: errors
    do not depend on the network that is compared. A class without objects is confused with all others alike.

    Args:
        features: (n, d) standardised features, zeros where a modality is absent.
        labels: (n,) the objects' classes.
        classes: How many classes there are, two at least.
    """
    counts = np.bincount(labels, minlength=classes)
    members = np.split(np.argsort(labels, kind="stable"), np.cumsum(counts)[:-1])
    sums = np.stack([features[each].sum(0, dtype=np.float64) for each in members])
    means = sums / np.maximum(counts, 1)[:, None]
    # |x|^2 is the same for all means.
    distances = (means**2).sum(1) - 2 * (features @ means.T)
    distances[:, counts == 0] = np.inf
    distances[np.arange(len(labels)), labels] = np.inf
    nearest = distances.argmin(1)
    found = np.zeros((classes, classes))
    np.add.at(found, (labels, nearest), 1.0)
    return normalised(found)


def alike(classes: int) -> Shares:
    """Return the shares where every other class is as likely."""
    return normalised(np.zeros((classes, classes)))


def normalised(counts: npt.NDArray[np.float64]) -> Shares:
    """Return the shares of (classes, classes) counts off the diagonal, smoothed."""
    classes = len(counts)
    smoothed = counts + SMOOTHING / (classes - 1)
    np.fill_diagonal(smoothed, 0.0)
    return np.asarray(smoothed / smoothed.sum(1, keepdims=True))
