"""Information density: doubtful objects that are like many others (Settles and Craven 2008)."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional
from typing_extensions import override

from alray.errors import SpecError
from alray.strategies.base import BatchStrategy, Query, given
from alray.strategies.checking import check_finite
from alray.strategies.scorers import SCORERS, ScoreName, wanted
from alray.strategies.selection import best
from alray.strategies.signals import Request, Signals


@dataclass(frozen=True)
class Density(BatchStrategy):
    """Largest score times mean similarity to all candidates first.

    Settles and Craven 2008, equation 13: s(x) (1/n sum_u sim(x, x_u))^beta, with the cosine of the inputs of the
    network's last layer as similarity, negative means taken for 0. The mean over all is one product with the mean of
    the normalised vectors, so it takes n d, not n x n.

    Attributes:
        score: Whose score.
        beta: How much density counts; 0 is the score alone.
    """

    score: ScoreName = "margin"
    beta: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.beta) and self.beta >= 0):
            raise SpecError(f"beta must be a number of at least 0 (got {self.beta})")

    @property
    @override
    def needs(self) -> Request:
        return replace(SCORERS[self.score].needs, features=True)

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        # One that is not would make the mean, and so each object's density, NaN.
        check_finite("features", given(signals.features))
        directions = functional.normalize(given(signals.features).double(), dim=1)
        similar = (directions @ directions.mean(0)).clamp_min(0)
        density = torch.pow(similar, self.beta).cpu().numpy()
        scores = wanted(self.score, signals) * density
        chosen = best(scores, k, rng, largest=True)
        return Query(signals.candidates[chosen], scores[chosen])
