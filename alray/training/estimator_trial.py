"""A scikit-learn classifier is tried before a study: made, fitted as in its first round, and asked."""

import logging

import numpy as np
import torch

from alray.errors import SpecError
from alray.networks.generators import forked_rng, torch_generator
from alray.networks.network import FUSED, Network, Outputs
from alray.networks.sklearn_classifier import SklearnClassifier
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.settings.common import ModelSpec
from alray.settings.estimators import class_of
from alray.training.learner import try_network

_logger = logging.getLogger(__name__)


def tried_estimator(
    model: ModelSpec, pool: PoolTensors, seed: int, labels: int, asked: Indices
) -> Network:
    """Return a classifier that has been fitted on random labels as a study's first round fits it.

    What the fit warns of is logged here, once: of the fits of a study nothing is shown.

    Args:
        model: The network's settings.
        pool: The pool.
        seed: Of the objects and of what the estimator draws; it changes no draw of a study.
        labels: How many objects to fit on.
        asked: (n,) objects about which it is asked.

    Raises:
        SpecError: What is wrong with it.
    """
    network = try_network(model, pool.pool, seed)
    if not isinstance(network, SklearnClassifier):
        raise TypeError("only scikit-learn classifiers are tried here")
    train = pool.pool.train
    order = torch.randperm(len(train), generator=torch_generator(seed)).numpy()
    objects = train[order[:labels]]
    answer, warned = _answer(network, pool, seed, objects, asked)
    module = str(class_of(model.name))
    if not module.startswith("sklearn."):
        again, _ = _answer(network, pool, seed, objects, asked)
        if not torch.equal(answer, again):
            raise SpecError(
                f"model.name: {model.name!r} answers otherwise when the same fit is repeated: it draws random numbers "
                "that nobody seeds; draw them from sklearn.utils.check_random_state(self.random_state), with "
                "random_state as an argument of __init__"
            )
    for text in dict.fromkeys(warned):
        _logger.warning(
            "model.name: %r warns in a fit on %s labels: %s (this is said once: warnings of the runs' fits are not "
            "shown)",
            model.name,
            f"{labels:,}",
            text.rstrip(" .:"),
        )
    return network


@torch.no_grad()
def _answer(
    network: SklearnClassifier, pool: PoolTensors, seed: int, objects: Indices, asked: Indices
) -> tuple[torch.Tensor, list[str]]:
    """Fit, and return the logits of the objects that are asked about, and the fit's warnings."""
    with forked_rng(seed):
        warned = network.fit(pool.batch(objects), pool.labels(objects), seed % 2**31)
        outputs: Outputs = network(pool.batch(np.sort(asked)))
    return outputs.heads[FUSED].values, warned
