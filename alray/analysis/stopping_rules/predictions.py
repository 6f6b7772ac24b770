"""Rules that go by how much predictions for the stop set change from round to round."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from typing_extensions import override

from alray.analysis.stopping_rules.base import (
    Curve,
    StoppingRule,
    Stops,
    Values,
    compared,
    require,
    windows,
)
from alray.analysis.wording import share

EXACT = 1e-9
"""Shares of objects are compared with this tolerance: 1 - .1 is no whole number of objects in binary."""


@dataclass(frozen=True)
class Kappa(StoppingRule):
    """Stop where predictions are stable: the mean of the last kappas is large (Bloodgood and Vijay-Shanker 2009).

    small-text's KappaAverage since 1.3.3, but where only one class is predicted: that is no reason to stop here.

    Attributes:
        window: Kappas, each of two successive rounds, that the mean is of; 3 in the paper.
        threshold: Least mean; .99 in the paper.
    """

    name: ClassVar[str] = "kappa"
    window: int = 3
    threshold: float = 0.99

    def __post_init__(self) -> None:
        require(self.window >= 1, "window", "1 or more", self.window)
        require(-1 <= self.threshold <= 1, "threshold", "from -1 to 1", self.threshold)

    @property
    @override
    def needs(self) -> tuple[str, ...]:
        return ("stop_kappa",)

    @override
    def stops(self, curve: Curve) -> Stops:
        return np.asarray(self._means(curve) >= self.threshold - EXACT)

    @override
    def says(self, curve: Curve) -> str:
        return compared(
            f"mean of the last {self.window} kappas",
            self._means(curve),
            f"{share(self.threshold)} or more is wanted",
            f"{self.window + 1} networks, one after the other, are needed",
        )

    def _means(self, curve: Curve) -> Values:
        return np.asarray(windows(curve["stop_kappa"], self.window).mean(axis=1))


@dataclass(frozen=True)
class ClassificationChange(StoppingRule):
    """Stop where no prediction has changed since the round before (Zhu, Wang and Hovy 2008).

    Attributes:
        threshold: Share of the stop set that may change; 0 in the paper.
    """

    name: ClassVar[str] = "classification_change"
    threshold: float = 0.0

    def __post_init__(self) -> None:
        require(0 <= self.threshold <= 1, "threshold", "from 0 to 1", self.threshold)

    @property
    @override
    def needs(self) -> tuple[str, ...]:
        return ("stop_agreement",)

    @override
    def stops(self, curve: Curve) -> Stops:
        return curve["stop_agreement"] >= 1 - self.threshold - EXACT

    @override
    def says(self, curve: Curve) -> str:
        changed = 1 - curve["stop_agreement"]
        wanted = f"{share(self.threshold)} at most is wanted"
        return compared(
            "share of predictions that changed", changed, wanted, "two networks are needed"
        )
