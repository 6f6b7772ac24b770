"""The interface of strategies: frozen dataclasses whose fields are their options, with one method, `select`."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol, TypeGuard, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt
from torch import Tensor
from typing_extensions import override

from alray.pools.pool import Indices
from alray.settings.common import LossPredictionSpec
from alray.strategies.checking import checked_scores
from alray.strategies.selection import best
from alray.strategies.signals import Request, Signals

AnySignal = TypeVar("AnySignal")


class Query(NamedTuple):
    """The objects chosen in a round.

    Attributes:
        indices: (k,) distinct pool indices, the most wanted first.
        scores: (k,) float64 by which they were chosen; NaN where a strategy has no score.
    """

    indices: Indices
    scores: npt.NDArray[np.float64]


@runtime_checkable
class Strategy(Protocol):
    """The rule that chooses the objects of a round. Oracles need the labels: diagnostics, not for real labelling."""

    oracle: ClassVar[bool]

    @property
    def needs(self) -> Request:
        """Signals to compute for every candidate."""

    @property
    def loss_prediction(self) -> LossPredictionSpec | None:
        """The loss predictor to train beside the network, or None."""

    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        """Choose k of the candidates; `rng` is the only source of randomness."""


@dataclass(frozen=True)
class StrategyBase:
    """What the bases of strategies have in common.

    Attributes:
        oracle: Whether it needs the labels.
    """

    oracle: ClassVar[bool] = False

    @property
    def needs(self) -> Request:
        """Signals to compute for every candidate."""
        raise NotImplementedError

    @property
    def loss_prediction(self) -> LossPredictionSpec | None:
        """None: no loss predictor is trained."""
        return None


@dataclass(frozen=True)
class RankingStrategy(StrategyBase):
    """Base of strategies that take the k best by a number for each candidate, however they come by the numbers.

    Attributes:
        largest: Whether large scores are best.
        lowest: The least score there can be, or None where there is no limit: where large ones are best,
            `stochastic=power` needs one of at least 0.
        highest: The largest score there can be; where small ones are best, `stochastic=power` needs it.
    """

    largest: ClassVar[bool] = True
    lowest: ClassVar[float | None] = 0.0
    highest: ClassVar[float | None] = None

    def scored(self, signals: Signals) -> npt.NDArray[np.float64]:
        """Return (n,) a score per candidate, checked."""
        raise NotImplementedError  # each kind of ranking has its own

    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        """Choose the k best scores."""
        return self.choose(signals.candidates, self.scored(signals), k, rng)

    def choose(
        self,
        candidates: Indices,
        scores: npt.NDArray[np.float64],
        k: int,
        rng: np.random.Generator,
    ) -> Query:
        """Choose the k best of (n,) candidates by their (n,) scores."""
        chosen = best(scores, k, rng, largest=self.largest)
        return Query(candidates[chosen], scores[chosen])


@dataclass(frozen=True)
class ScoreStrategy(RankingStrategy):
    """Base of strategies that give each candidate a score and take the k best.

    Attributes:
        pointwise: Whether an object's score depends on its own signals alone. It is then computed block by block, while
            the signals are in the cache, unless `needs` asks for what is not computed by block. It holds for the class
            that names it: one that inherits says it anew.
    """

    pointwise: ClassVar[bool] = False

    @property
    def scorer(self) -> RankingStrategy:
        """The strategy whose class decides the scores: this one, unless it chooses by another's."""
        return self

    def score(self, signals: Signals) -> Tensor:
        """Return (n,) a score per candidate."""
        raise NotImplementedError

    @override
    def scored(self, signals: Signals) -> npt.NDArray[np.float64]:
        return checked_scores(self, self.score(signals), signals)


@dataclass(frozen=True)
class BatchStrategy(StrategyBase):
    """Base of strategies that choose a round's objects together, not each by a score of its own."""

    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        """Choose k of the candidates; `rng` is the only source of randomness."""
        raise NotImplementedError


def is_pointwise(strategy: Strategy) -> TypeGuard[ScoreStrategy]:
    """Return whether a strategy can be scored block by block.

    Its class itself says that it scores each object alone, it chooses by the scores, and a block has all that it needs.
    """
    if not isinstance(strategy, ScoreStrategy):
        return False
    scorer = strategy.scorer
    inherited = all(type(each).select is RankingStrategy.select for each in (strategy, scorer))
    says_so = bool(vars(type(scorer)).get("pointwise"))
    return inherited and says_so and strategy.needs.of_blocks


def given(signal: AnySignal | None) -> AnySignal:
    """Return a signal that `needs` asked for."""
    if signal is None:
        raise RuntimeError("a strategy used a signal that its `needs` does not name")
    return signal
