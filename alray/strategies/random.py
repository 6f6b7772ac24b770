"""Random choice: the baseline of every other strategy."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from alray.settings.common import LossPredictionSpec
from alray.strategies.base import Query
from alray.strategies.signals import Request, Signals


@dataclass(frozen=True)
class Random:
    """Every candidate is equally likely; nothing is scored."""

    oracle: ClassVar[bool] = False

    @property
    def needs(self) -> Request:
        """No signals."""
        return Request()

    @property
    def loss_prediction(self) -> LossPredictionSpec | None:
        """None: no loss predictor is trained."""
        return None

    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        """Draw k candidates without replacement."""
        chosen = rng.choice(signals.candidates, size=k, replace=False)
        return Query(chosen, np.full(k, np.nan))
