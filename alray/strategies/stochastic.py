"""Choosing at random, better scores more often: batches that are less alike than the k best (Kirsch et al. 2023).

The k largest of a score plus independent Gumbel noise are k draws without replacement, each with a probability
proportional to the exponential of the score (Kool et al. 2019). "Stochastic Batch Acquisition", section 3, takes three
such scores from a score s: `softmax` beta s, `power` beta log s, `softrank` -beta log r with r the rank, 1 of the best.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from typing_extensions import override

from alray.errors import ScoreError, SpecError
from alray.pools.pool import Indices
from alray.settings.common import LossPredictionSpec
from alray.strategies.base import Query, RankingStrategy, ScoreStrategy
from alray.strategies.selection import best, refuse_nan
from alray.strategies.signals import Request, Signals

Kind = Literal["power", "softmax", "softrank"]

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stochastic(ScoreStrategy):
    """Draws by another strategy's scores: `margin:stochastic=power:beta=2`.

    Attributes:
        of: The strategy whose scores these are.
        stochastic: How probabilities follow from scores.
        beta: How much better scores are preferred; 0 is random choice.
    """

    of: RankingStrategy
    stochastic: Kind
    beta: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.beta) and self.beta >= 0):
            raise SpecError(f"beta must be a number of at least 0 (got {self.beta})")
        if self.stochastic == "power":
            _check_power(self.of)
        # What a class says of itself, this one says of the strategy that it was made with.
        for name in ("oracle", "largest", "lowest", "highest"):
            object.__setattr__(self, name, getattr(self.of, name))

    @property
    @override
    def needs(self) -> Request:
        return self.of.needs

    @property
    @override
    def loss_prediction(self) -> LossPredictionSpec | None:
        return self.of.loss_prediction

    @property
    @override
    def scorer(self) -> RankingStrategy:
        return self.of

    @override
    def score(self, signals: Signals) -> Tensor:
        return torch.from_numpy(self.of.scored(signals))

    @override
    def choose(
        self, candidates: Indices, scores: Scores, k: int, rng: np.random.Generator
    ) -> Query:
        """Draw k of (n,) candidates by their (n,) scores.

        Raises:
            ScoreError: Some are NaN, or `power` was given a negative score.
        """
        # Ranks of these would be numbers.
        refuse_nan(scores)
        noise = rng.gumbel(size=len(scores))
        noisy = (
            self._by_rank(scores, noise, rng)
            if self.stochastic == "softrank"
            else self.drawn(scores, noise)
        )
        chosen = best(noisy, k, rng, largest=True)
        return Query(candidates[chosen], scores[chosen])

    def _wanted(self, scores: Scores) -> Scores:
        """Return (n,) scores of which large ones are best."""
        return scores if self.largest else (self.highest or 0.0) - scores

    def _by_rank(self, scores: Scores, noise: Scores, rng: np.random.Generator) -> Scores:
        wanted = self._wanted(scores)
        order = np.lexsort((rng.permutation(len(wanted)), -wanted))
        ranks = np.empty(len(wanted))
        ranks[order] = np.arange(1, len(wanted) + 1)
        return noise - self.beta * np.log(ranks)

    def drawn(self, scores: Scores, noise: Scores) -> Scores:
        """Return (n,) numbers whose k largest are the draws, by (n,) scores and standard Gumbel noise.

        Each depends on its own object alone, which `softrank` does not allow.

        Raises:
            ScoreError: `power` was given a negative score.
        """
        wanted = self._wanted(scores)
        if self.stochastic == "softmax":
            return self.beta * wanted + noise
        if (wanted < 0).any():
            raise ScoreError(
                f"stochastic=power needs scores of at least 0, and there is {wanted.min():.3g}; use stochastic=softmax "
                "or stochastic=softrank"
            )
        if self.beta == 0:
            return noise
        with np.errstate(divide="ignore"):
            return self.beta * np.log(wanted) + noise


def _check_power(of: RankingStrategy) -> None:
    """Refuse scores that have no logarithm."""
    if not of.largest:
        if of.highest is None:
            raise SpecError(
                "stochastic=power needs scores of which large ones are best; use stochastic=softrank"
            )
    elif of.lowest is None or of.lowest < 0:
        raise SpecError(
            "stochastic=power needs scores of at least 0, which these need not be; use stochastic=softmax or "
            "stochastic=softrank"
        )
