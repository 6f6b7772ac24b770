"""Fits of scikit-learn classifiers: of all labelled objects at once, by a fresh estimator each time."""

import numpy as np
import torch
from torch.nn import functional

from alray.networks.network import FUSED, Network, Outputs
from alray.networks.sklearn_classifier import SklearnClassifier
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices


def fit_anew(
    network: Network, pool: PoolTensors, labelled: Indices, rng: np.random.Generator
) -> list[str]:
    """Replace a classifier's estimator by one that is fitted on the labelled objects; return what the fit warned of.

    A network that has weights is left alone: its fits are steps. What `rng` has been before decides the result, so a
    run that goes on from a checkpoint, which holds no estimator, makes the same one again.

    Args:
        network: The network.
        pool: The pool.
        labelled: (labels,) objects to learn from, in their order.
        rng: Draws the estimator's `random_state`.
    """
    if not isinstance(network, SklearnClassifier):
        return []
    seed = int(rng.integers(2**31 - 1))
    return network.fit(pool.batch(labelled), pool.labels(labelled), seed)


@torch.no_grad()
def log_loss(network: SklearnClassifier, pool: PoolTensors, objects: Indices) -> float:
    """Return the mean negative log-likelihood of these objects' labels, nats."""
    outputs: Outputs = network(pool.batch(objects))
    return float(functional.cross_entropy(outputs.heads[FUSED].values, pool.labels(objects)))
