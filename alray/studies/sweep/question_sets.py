"""The questions of a run: the nodes of its tree of classes."""

import numpy as np
import torch

from alray.assessors.class_tree import Questions, built_sets, questions_of
from alray.networks.tensors import PoolTensors, side_by_side
from alray.settings.questions import AskedSpec

ROWS = 8192
"""Objects whose features are read at once."""


def questions_of_run(spec: AskedSpec, pool: PoolTensors) -> Questions:
    """Return the questions that a run asks; a tree that is built is that of its seed's train part."""
    classes = pool.pool.class_count
    sets = built_sets(class_means(pool)) if spec.sets is None else spec.sets
    return questions_of(sets, classes)


@torch.no_grad()
def class_means(pool: PoolTensors) -> np.ndarray:
    """Return (classes, features) float64 means of each class in the train part, zeros, the mean of all, of none."""
    train, sums = pool.pool.train, None
    counts = np.bincount(pool.pool.labels[train], minlength=pool.pool.class_count)
    for start in range(0, len(train), ROWS):
        objects = train[start : start + ROWS]
        features = side_by_side(pool.batch(objects)).double()
        if sums is None:
            sums = features.new_zeros(len(counts), features.shape[1])
        sums.index_add_(0, pool.labels(objects), features)
    if sums is None:
        return np.zeros((len(counts), 1))
    return np.asarray(sums.cpu().numpy() / np.maximum(counts, 1)[:, None])
