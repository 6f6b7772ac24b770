"""ALFA-Mix: objects whose prediction changes as their features are mixed with others' (Parvaneh et al. 2022)."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from typing_extensions import override

from alray.errors import SpecError
from alray.strategies.base import BatchStrategy, Query, given
from alray.strategies.checking import check_distances, check_finite
from alray.strategies.clusters import require_clusters, spread_of
from alray.strategies.distances import Points, row_blocks
from alray.strategies.signals import LastLayer, Request, Signals


@dataclass(frozen=True)
class AlfaMix(BatchStrategy):
    """Takes objects whose predicted class changes as their features move a little, and of k clusters of them one each.

    Parvaneh et al. 2022, sections 3.1 and 3.2: the features z, the inputs of the last layer, are mixed with the mean z*
    of each class's labelled objects, alpha z* + (1 - alpha) z, where alpha has the closed form of equation 5 for eps =
    `step` / sqrt(width). Objects whose prediction differs for the mix with some class are the candidates; k-means of
    their features, each vector of length 1, makes k clusters, and the object nearest to each centre is taken. Where
    there are fewer candidates, random objects make up for them. A class without labels has no mean.

    By equation 5 alpha (z* - z) = eps |z* - z| g / |g| for any z*, with the loss's gradient g for the predicted class,
    so the logits are those of z plus eps |z* - z| W g / |g|. What moves farther along one line changes whenever what
    moves less does: the farthest mean decides, and no mix is held. Units that are alike in all objects do not move.

    Attributes:
        step: How far features move, as a share of the distance to the class mean for a width of 1.
    """

    step: float = 0.2

    def __post_init__(self) -> None:
        if not (math.isfinite(self.step) and self.step > 0):
            raise SpecError(f"step must be a number above 0 (got {self.step})")
        require_clusters("alfa_mix")

    @property
    @override
    def needs(self) -> Request:
        of_labelled = Request(features=True)
        return Request(log_probs=True, features=True, labelled=of_labelled, last_layer=True)

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        features, log_probs = given(signals.features).cpu(), given(signals.log_probs).cpu()
        labelled = given(signals.labelled)
        known, labels = given(labelled.features).cpu(), given(labelled.labels).cpu()
        for values in (features, known):
            check_distances("features", values)
        check_finite("log-probabilities", log_probs)
        step = self.step / math.sqrt(features.shape[1])
        means = Points(_class_means(known, labels))
        changes = _changing(features, log_probs, means, _on_the_cpu(signals.last_layer), step)
        chosen = spread_of(changes, features, k, rng)
        return Query(signals.candidates[chosen], np.full(k, np.nan))


def _on_the_cpu(layer: LastLayer | None) -> Float[Tensor, "classes width"]:
    return given(layer).weight.cpu()


def _class_means(
    x: Float[Tensor, "l width"], labels: Tensor
) -> Float[Tensor, "classes_with_labels width"]:
    counts = torch.bincount(labels)
    sums = x.new_zeros(len(counts), x.shape[1]).index_add_(0, labels, x)
    there = counts > 0
    return sums[there] / counts[there][:, None]


def _changing(
    x: Float[Tensor, "n width"],
    log_probs: Float[Tensor, "n classes"],
    means: Points,
    weight: Float[Tensor, "classes width"],
    step: float,
) -> Bool[np.ndarray, " n"]:
    """Return whether each object's prediction changes by a step towards larger loss, as long as the farthest mean lets.

    The loss is that of the predicted class, and its gradient W (p - onehot).
    """
    varies = (x.amax(0) > x.amin(0)).to(x)
    found = []
    for block in row_blocks(len(x), x.shape[1] + 2 * len(weight)):
        errors = log_probs[block].exp()
        predicted = log_probs[block].argmax(1, keepdim=True)
        errors.scatter_add_(1, predicted, errors.new_full(predicted.shape, -1))
        gradients = errors @ weight
        sizes = gradients.norm(dim=1, keepdim=True)
        # Where the network is certain to the last digit no direction is left: nothing moves.
        directions = torch.where(sizes > 0, gradients / sizes, 0.0) * varies
        farthest = means.squared_distances(x[block]).amax(1, keepdim=True).sqrt()
        moved = log_probs[block] + step * farthest * (directions @ weight.t())
        found.append(moved.amax(1) > moved.gather(1, predicted).squeeze(1))
    return torch.cat(found).numpy()
