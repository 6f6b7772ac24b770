"""Random choice: what every other strategy has to beat."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from alray.settings.common import LossPredictionSpec
from alray.strategies.base import Query
from alray.strategies.signals import Needs, Signals


@dataclass(frozen=True)
class Random:
    """Every candidate is equally likely; the model is not asked."""

    oracle: ClassVar[bool] = False

    @property
    def needs(self) -> Needs:
        """Nothing."""
        return Needs()

    @property
    def loss_prediction(self) -> LossPredictionSpec | None:
        """No loss predictor."""
        return None

    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        """Draw k candidates without replacement."""
        chosen = rng.choice(signals.candidates, size=k, replace=False)
        return Query(chosen, np.full(k, np.nan))
