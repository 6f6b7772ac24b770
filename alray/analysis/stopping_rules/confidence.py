"""Rules that go by how sure the network is of its predictions for the stop set."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from typing_extensions import override

from alray.analysis.stopping_rules.base import (
    Curve,
    StoppingRule,
    Stops,
    compared,
    require,
    windows,
)
from alray.analysis.wording import count, share


@dataclass(frozen=True)
class OverallUncertainty(StoppingRule):
    """Stop where the mean entropy of predictions is small (Zhu, Wang and Hovy 2008; Zhu et al. 2010).

    Entropy is divided by the largest there can be, as in small-text. The papers take the mean over the objects that are
    left to choose from; here it is over the stop set, from which nothing is chosen.

    Attributes:
        threshold: The mean below which it stops; .05 in small-text.
    """

    name: ClassVar[str] = "overall_uncertainty"
    threshold: float = 0.05

    def __post_init__(self) -> None:
        require(0 <= self.threshold < 1, "threshold", "0 or more and below 1", self.threshold)

    @property
    @override
    def needs(self) -> tuple[str, ...]:
        return ("stop_entropy",)

    @override
    def stops(self, curve: Curve) -> Stops:
        return curve["stop_entropy"] < self.threshold

    @override
    def says(self, curve: Curve) -> str:
        wanted = f"less than {share(self.threshold)} is wanted"
        return compared("mean entropy", curve["stop_entropy"], wanted, "a network is needed")


@dataclass(frozen=True)
class MaxUncertainty(StoppingRule):
    """Stop where even the least sure prediction is sure (max-confidence of Zhu and Hovy 2007).

    Attributes:
        threshold: Largest entropy, divided by the largest there can be; Pullar-Strecker et al. 2022 take .01.
    """

    name: ClassVar[str] = "max_uncertainty"
    threshold: float = 0.01

    def __post_init__(self) -> None:
        require(0 <= self.threshold < 1, "threshold", "0 or more and below 1", self.threshold)

    @property
    @override
    def needs(self) -> tuple[str, ...]:
        return ("stop_max_entropy",)

    @override
    def stops(self, curve: Curve) -> Stops:
        return curve["stop_max_entropy"] <= self.threshold

    @override
    def says(self, curve: Curve) -> str:
        wanted = f"{share(self.threshold)} at most is wanted"
        return compared(
            "largest entropy", curve["stop_max_entropy"], wanted, "a network is needed"
        )


@dataclass(frozen=True)
class ConfidenceDrop(StoppingRule):
    """Stop where the mean confidence falls in several rounds, one after the other (Vlachos 2008).

    Attributes:
        rounds: How many; 3 in the paper.
    """

    name: ClassVar[str] = "confidence_drop"
    rounds: int = 3

    def __post_init__(self) -> None:
        require(self.rounds >= 1, "rounds", "1 or more", self.rounds)

    @property
    @override
    def needs(self) -> tuple[str, ...]:
        return ("stop_confidence",)

    @override
    def stops(self, curve: Curve) -> Stops:
        changes = np.diff(windows(curve["stop_confidence"], self.rounds + 1), axis=1)
        return np.asarray((changes < 0).all(axis=1))

    @override
    def says(self, curve: Curve) -> str:
        falls = np.diff(curve["stop_confidence"]) < 0
        since = int(np.argmin(falls[::-1])) if not falls.all() else len(falls)
        return f"mean confidence has fallen in {count(since, 'round')} up to now; {self.rounds} wanted"


@dataclass(frozen=True)
class ConfidenceGap(StoppingRule):
    """Stop where the median confidence is near the largest: most predictions are as sure as the surest.

    Attributes:
        threshold: Largest difference of the two; no published default is known.
    """

    name: ClassVar[str] = "confidence_gap"
    threshold: float = 0.01

    def __post_init__(self) -> None:
        require(0 <= self.threshold <= 1, "threshold", "from 0 to 1", self.threshold)

    @property
    @override
    def needs(self) -> tuple[str, ...]:
        return "stop_max_confidence", "stop_median_confidence"

    @override
    def stops(self, curve: Curve) -> Stops:
        return curve["stop_max_confidence"] - curve["stop_median_confidence"] <= self.threshold

    @override
    def says(self, curve: Curve) -> str:
        gap = curve["stop_max_confidence"] - curve["stop_median_confidence"]
        wanted = f"{share(self.threshold)} at most is wanted"
        return compared("largest confidence minus the median", gap, wanted, "a network is needed")
