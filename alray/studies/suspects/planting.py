"""Make some labels wrong on purpose, to see how many of such are found."""

import numpy as np
import torch

from alray.assessors.confusable import alike, confusable_classes
from alray.networks.tensors import PoolTensors, side_by_side
from alray.pools.pool import Indices
from alray.settings.suspects import SuspectsSpec

ROWS = 8192
"""Objects whose features are read at once."""


def planted_labels(
    spec: SuspectsSpec, pool: PoolTensors, among: Indices, rng: np.random.Generator
) -> tuple[Indices, Indices]:
    """Return (objects,) the labels with `spec.plant` of them made wrong, and (plant,) the objects that have these.

    Args:
        spec: How many, and what they become.
        pool: The pool with the labels as they are.
        among: The objects whose labels may be made wrong, `spec.plant` at least.
        rng: Draws which, and what they become.
    """
    labels, classes = pool.pool.labels.copy(), pool.pool.class_count
    shares = alike(classes)
    if spec.plant_errors == "structured":
        shares = confusable_classes(_features(pool), labels, classes)
    chosen = rng.choice(among, size=spec.plant, replace=False)
    drawn = rng.random((len(chosen), 1))
    upto = shares[labels[chosen]].cumsum(1)
    labels[chosen] = (drawn * upto[:, -1:] >= upto).sum(1)
    return labels, np.sort(chosen)


@torch.no_grad()
def _features(pool: PoolTensors) -> np.ndarray:
    """Return (objects, d) the features of all modalities in a row, zeros where one is absent."""
    blocks = [
        side_by_side(pool.batch(np.arange(start, min(start + ROWS, len(pool.pool))))).numpy()
        for start in range(0, len(pool.pool), ROWS)
    ]
    return np.concatenate(blocks)
