"""Choosing by loss: predicted by a module trained beside the network, or the true one as a diagnostic."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from typing_extensions import override

from alray.settings.base import validate
from alray.settings.common import LossPredictionSpec
from alray.strategies.base import ScoreStrategy, given
from alray.strategies.signals import Request, Signals


@dataclass(frozen=True)
class LearningLoss(ScoreStrategy):
    """Largest predicted loss first (Yoo and Kweon 2019); trains the module that predicts it.

    Attributes:
        margin: Margin of the ranking hinge.
        weight: Weight of the ranking loss beside the network's.
        detach_after: Share of a fit's epochs after which its gradient stops at the network; where a round is one epoch
            only the passive phase reaches it, and rounds run detached.
    """

    pointwise: ClassVar[bool] = True
    # The module that predicts it ends in a linear layer.
    lowest: ClassVar[float | None] = None
    margin: float = 1.0
    weight: float = 1.0
    detach_after: float = 0.6

    def __post_init__(self) -> None:
        self._as_settings()

    @property
    @override
    def needs(self) -> Request:
        return Request(predicted_loss=True)

    @property
    @override
    def loss_prediction(self) -> LossPredictionSpec:
        return self._as_settings()

    @override
    def score(self, signals: Signals) -> Tensor:
        return given(signals.predicted_loss)

    def _as_settings(self) -> LossPredictionSpec:
        values = {"margin": self.margin, "weight": self.weight, "detach_after": self.detach_after}
        return validate(LossPredictionSpec, values, "learning_loss")


@dataclass(frozen=True)
class IdealLoss(ScoreStrategy):
    """Largest true loss first, as learning loss would choose if it predicted perfectly. An oracle."""

    pointwise: ClassVar[bool] = True
    oracle: ClassVar[bool] = True

    @property
    @override
    def needs(self) -> Request:
        return Request(true_loss=True)

    @override
    def score(self, signals: Signals) -> Tensor:
        return given(signals.true_loss)


@dataclass(frozen=True)
class ReverseIdealLoss(IdealLoss):
    """Smallest true loss first. An oracle."""

    pointwise: ClassVar[bool] = True
    largest: ClassVar[bool] = False
