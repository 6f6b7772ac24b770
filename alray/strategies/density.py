"""Information density: doubtful objects that are like many others (Settles and Craven 2008)."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional
from typing_extensions import override

from alray.errors import SpecError
from alray.strategies.base import RankingStrategy, given
from alray.strategies.checking import check_finite
from alray.strategies.scorers import ScoreOption, wanted
from alray.strategies.signals import Request, Signals


@dataclass(frozen=True)
class Density(ScoreOption, RankingStrategy):
    """Largest score times mean similarity to all candidates first.

    Settles and Craven 2008, equation 13: s(x) (1/n sum_u sim(x, x_u))^beta, with the cosine of the inputs of the
    network's last layer as similarity, negative means taken for 0. The mean over all is one product with the mean of
    the normalised vectors, so it takes n d, not n x n. Small margins are best, so s is 1 - margin. The predicted loss
    and the smallest true loss cannot be counted from zero: s is the share of candidates that are no better.

    Attributes:
        beta: How much density counts; 0 is the score alone. Draws by these scores (`stochastic`) have a beta of 1.
    """

    beta: float = 1.0

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        if not (math.isfinite(self.beta) and self.beta >= 0):
            raise SpecError(f"beta must be a number of at least 0 (got {self.beta})")

    @property
    @override
    def needs(self) -> Request:
        return replace(super().needs, features=True)

    @override
    def scored(self, signals: Signals) -> npt.NDArray[np.float64]:
        # One that is not would make the mean, and so each object's density, NaN.
        check_finite("features", given(signals.features))
        directions = functional.normalize(given(signals.features).double(), dim=1)
        similar = (directions @ directions.mean(0)).clamp_min(0)
        density = torch.pow(similar, self.beta).cpu().numpy()
        scores = wanted(self.scorer, signals)
        # A loss may be infinite, and infinity times 0 is no number.
        found = np.zeros_like(scores)
        np.multiply(scores, density, out=found, where=density > 0)
        return found
