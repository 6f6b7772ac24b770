"""Uncertainty sampling: scores of the predicted probabilities of one forward pass."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from typing_extensions import override

from alray.strategies import scores
from alray.strategies.base import ScoreStrategy, given
from alray.strategies.signals import Request, Signals


@dataclass(frozen=True)
class _Uncertainty(ScoreStrategy):
    @property
    @override
    def needs(self) -> Request:
        return Request(log_probs=True)


@dataclass(frozen=True)
class LeastConfidence(_Uncertainty):
    """Largest 1 - max p first (Lewis and Gale 1994)."""

    pointwise: ClassVar[bool] = True

    @override
    def score(self, signals: Signals) -> Tensor:
        return scores.least_confidence(given(signals.log_probs))


@dataclass(frozen=True)
class Margin(_Uncertainty):
    """Smallest distance of the two largest probabilities first (Scheffer et al. 2001)."""

    pointwise: ClassVar[bool] = True
    largest: ClassVar[bool] = False
    highest: ClassVar[float | None] = 1.0

    @override
    def score(self, signals: Signals) -> Tensor:
        return scores.margin(given(signals.log_probs))


@dataclass(frozen=True)
class Entropy(_Uncertainty):
    """Largest entropy of the predicted distribution first (Shannon 1948)."""

    pointwise: ClassVar[bool] = True

    @override
    def score(self, signals: Signals) -> Tensor:
        return scores.entropy(given(signals.log_probs))
