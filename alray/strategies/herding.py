"""Herding: objects that cover the pool best, all of it alike or what the model doubts (Bae et al. 2024, 2025)."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from alray.errors import SpecError
from alray.strategies import scores
from alray.strategies.base import BatchStrategy, Query, given
from alray.strategies.checking import check_counts, check_no_nan
from alray.strategies.cover import MOST, Cover, Kernel, directions, some_of
from alray.strategies.distances import Points
from alray.strategies.signals import Request, Signals

TEMPERATURES = (0.05, 20.0)
"""Range of temperatures."""

FARTHEST = -60.0
"""The least exponent of the kernel."""

LEAST_WIDTH = 1e-3
"""The least width of the kernel, of vectors of length 1: copies among the labelled would make it zero."""


@dataclass(frozen=True)
class MaxHerding(BatchStrategy):
    """Takes again and again the object that brings the most candidates near to a labelled or chosen one.

    Bae et al. 2024, section 3: the largest mean over candidates n of max(0, k(n, j) - max_l k(n, l)), l among what is
    labelled or chosen, with k = exp(-|x - y|^2 / width^2) of the pool's own features, each vector of length 1. Of more
    than `most` candidates a random part takes part. Gains only fall as objects are chosen, so each is computed anew
    only when it comes first (Minoux 1978).

    Attributes:
        width: Width of the kernel.
        most: Most candidates that take part; time grows with their square.
    """

    width: float = 1.0
    most: int = MOST

    def __post_init__(self) -> None:
        check_counts(self, "most")
        if not (math.isfinite(self.width) and self.width > 0):
            raise SpecError(f"width must be a number above 0 (got {self.width})")

    @property
    @override
    def needs(self) -> Request:
        return Request(pool_features=True, labelled=True)

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        x, labelled = directions(signals)
        part = some_of(len(x), max(self.most, k), rng)
        cover = Cover(x[part], labelled, torch.ones(len(part)), gaussian(self.width))
        return cover.choose(signals.candidates[part], k, rng)


@dataclass(frozen=True)
class UHerding(BatchStrategy):
    """Max-herding that counts each candidate by the model's doubt of it: 1 - margin.

    Bae et al. 2025, sections 3 and 4: probabilities at the temperature that suits the labelled objects best, and a
    kernel as wide as the smallest distance between two different labelled objects.

    Attributes:
        most: Most candidates that take part; time grows with their square.
    """

    most: int = MOST

    def __post_init__(self) -> None:
        check_counts(self, "most")

    @property
    @override
    def needs(self) -> Request:
        return Request(log_probs=True, pool_features=True, labelled=True)

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        for log_probs in (given(signals.log_probs), given(given(signals.labelled).log_probs)):
            check_no_nan("log-probabilities", log_probs)
        x, labelled = directions(signals)
        part = some_of(len(x), max(self.most, k), rng)
        log_probs = given(signals.log_probs)[part].cpu()
        doubt = 1 - scores.margin(torch.log_softmax(log_probs / _temperature(signals), dim=1))
        cover = Cover(x[part], labelled, doubt, gaussian(smallest_distance(labelled)))
        return cover.choose(signals.candidates[part], k, rng)


def gaussian(width: float) -> Kernel:
    """Return exp(-squared / width^2), exp(FARTHEST) at least: beside 1 neither that nor less counts in float32.

    Below it come numbers that a processor computes with five times as slowly, since they are not normal.
    """
    return lambda squared: torch.exp(squared.div(-(width**2)).clamp_min_(FARTHEST))


def _temperature(signals: Signals) -> float:
    """Return the temperature at which the labelled objects' labels are the most probable."""
    from scipy.optimize import minimize_scalar  # noqa: PLC0415 -- a study starts without it

    labelled = given(signals.labelled)
    log_probs, labels = given(labelled.log_probs).double(), given(labelled.labels)

    def loss(log_temperature: float) -> float:
        return float(functional.cross_entropy(log_probs / math.exp(log_temperature), labels))

    low, high = map(math.log, TEMPERATURES)
    bounds = (low, high)
    return math.exp(float(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def smallest_distance(x: Float[Tensor, "n d"]) -> float:
    """Return the smallest distance between two different rows, `LEAST_WIDTH` at least; 1 where all are alike."""
    smallest = math.inf
    for _, _, squared in Points(x).each_pair():
        smallest = min(smallest, float(squared.masked_fill_(squared == 0, math.inf).min()))
    return max(math.sqrt(smallest), LEAST_WIDTH) if math.isfinite(smallest) else 1.0
