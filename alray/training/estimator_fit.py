"""Fits of scikit-learn classifiers: of all labelled objects at once, by a fresh estimator each time."""

import numpy as np
import torch

from alray.networks.network import FUSED, Network, Outputs
from alray.networks.sklearn_classifier import SklearnClassifier
from alray.networks.targets import Known, classes_of, mean_target_loss
from alray.networks.tensors import PoolTensors


def fit_anew(
    network: Network, pool: PoolTensors, labelled: Known, rng: np.random.Generator
) -> list[str]:
    """Replace a classifier's estimator by one that is fitted on the labelled objects; return what the fit warned of.

    A network that has weights is left alone: its fits are steps. What `rng` has been before decides the result, so a
    run that goes on from a checkpoint, which holds no estimator, makes the same one again.

    Args:
        network: The network.
        pool: The pool.
        labelled: The objects to learn from; of each it learns the likeliest class.
        rng: Draws the estimator's `random_state`.
    """
    if not isinstance(network, SklearnClassifier):
        return []
    seed = int(rng.integers(2**31 - 1))
    classes = classes_of((labelled.targets or pool.labels)(labelled.objects))
    return network.fit(pool.batch(labelled.objects), classes, seed)


@torch.no_grad()
def log_loss(network: SklearnClassifier, pool: PoolTensors, labelled: Known) -> float:
    """Return the mean loss of these objects' targets, by default the negative log-likelihood of their labels, nats."""
    outputs: Outputs = network(pool.batch(labelled.objects))
    wanted = (labelled.targets or pool.labels)(labelled.objects)
    return float(mean_target_loss(outputs.heads[FUSED].values, wanted))
