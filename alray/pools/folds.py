"""Cut all objects into folds, each of which is left out once: stratified by class, groups whole."""

import numpy as np
import numpy.typing as npt

from alray.pools.pool import Indices, Parts
from alray.pools.split import stratify


def folds_of(
    labels: Indices, groups: Indices | None, folds: int, rng: np.random.Generator
) -> Parts:
    """Return (objects,) the fold of each object, from 0; objects of a group share theirs.

    Each fold gets as many objects of a class as any other, or one more, as far as groups let it; what a class leaves
    over begins where the class before ended, so that folds are of one size.

    Args:
        labels: (objects,) classes, from 0.
        groups: (objects,) codes, or None where each object stands alone.
        folds: How many, two at least.
        rng: Draws who goes where.
    """
    sizes = np.bincount(labels)
    target = np.tile(sizes // folds, (folds, 1)).astype(np.float64)
    rest = sizes % folds
    first = np.cumsum(rest) - rest
    for label in np.flatnonzero(rest):
        target[(first[label] + np.arange(rest[label])) % folds, label] += 1
    return stratify(labels, groups, target, rng)


def judged_objects(labels: Indices, folds: Parts) -> npt.NDArray[np.bool_]:
    """Return (objects,) False where no object outside of an object's fold has its class: nothing teaches the class."""
    here = np.zeros((int(folds.max()) + 1, int(labels.max()) + 1), dtype=np.int64)
    np.add.at(here, (folds, labels), 1)
    return np.asarray(here.sum(0)[labels] > here[folds, labels])
