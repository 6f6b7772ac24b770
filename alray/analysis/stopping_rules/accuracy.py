"""Rules that go by accuracy on labels that a campaign has set aside, and one that looks at nothing."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Int
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
from alray.analysis.wording import count, share


@dataclass(frozen=True)
class ValidationPatience(StoppingRule):
    """Stop where validation has not become better for several rounds, as fits are stopped early.

    It needs labels for a validation part, which no budget here counts.

    Attributes:
        patience: Rounds without a new best value; no published default is known.
        least: By how much a value must be better to count.
        metric: On the validation part.
    """

    name: ClassVar[str] = "validation_patience"
    patience: int = 5
    least: float = 0.0
    metric: Literal["accuracy", "macro_f1", "balanced_accuracy", "nll"] = "accuracy"

    def __post_init__(self) -> None:
        require(self.patience >= 1, "patience", "1 or more", self.patience)
        require(0 <= self.least < np.inf, "least", "0 or more", self.least)

    @property
    @override
    def needs(self) -> tuple[str, ...]:
        return (f"validation_{self.metric}",)

    def _upward(self, curve: Curve) -> Values:
        # Of NLL, the only one of these metrics, less is better.
        return curve[self.needs[0]] * (-1 if self.metric == "nll" else 1)

    @override
    def says(self, curve: Curve) -> str:
        values = self._upward(curve)
        if np.isnan(values).all():
            return f"{self.needs[0]} is not known yet"
        since = self._since_best(values)[-1]
        return f"{count(int(since), 'round')} without a new best value; {self.patience} wanted"

    @override
    def stops(self, curve: Curve) -> Stops:
        values = self._upward(curve)
        return np.asarray((self._since_best(values) >= self.patience) & ~np.isnan(values))

    def _since_best(self, values: Values) -> Int[np.ndarray, " round"]:
        """Return for each round how many known values came since the last that was a new best one."""
        found = np.zeros(len(values), dtype=np.int64)
        best, since = -np.inf, 0
        for number, value in enumerate(values):
            if value > best + self.least:
                best, since = value, 0
            elif not np.isnan(value):
                since += 1
            found[number] = since
        return found


@dataclass(frozen=True)
class PredictedGain(StoppingRule):
    """Stop where further labels promise too little: a straight line through the end of the curve says what they bring.

    The line is fitted by least squares to validation accuracy over the logarithm of labels, in which learning curves
    bend less. It needs labels for a validation part, which no budget here counts.

    Attributes:
        labels: So many more labels are asked about.
        least: The accuracy that they must bring; what a label is worth decides, so there is no published default.
        window: Evaluated rounds that the line is fitted to.
    """

    name: ClassVar[str] = "predicted_gain"
    labels: int = 100
    least: float = 0.005
    window: int = 10

    def __post_init__(self) -> None:
        require(self.labels >= 1, "labels", "1 or more", self.labels)
        require(bool(np.isfinite(self.least)), "least", "a number", self.least)
        require(self.window >= 2, "window", "2 or more", self.window)

    @property
    @override
    def needs(self) -> tuple[str, ...]:
        return ("validation_accuracy",)

    @override
    def stops(self, curve: Curve) -> Stops:
        return np.asarray(self._gains(curve) < self.least)

    @override
    def says(self, curve: Curve) -> str:
        return compared(
            f"what {self.labels} more labels promise",
            self._gains(curve),
            f"less than {share(self.least)} is wanted",
            f"{self.window} rounds are needed",
        )

    def _gains(self, curve: Curve) -> Values:
        """Return for each round what the labels are to bring; NaN before there are enough rounds."""
        labels = curve["labels"]
        x = windows(np.log(labels), self.window)
        y = windows(curve["validation_accuracy"], self.window)
        x = x - x.mean(axis=1, keepdims=True)
        slope = (x * y).sum(axis=1) / (x * x).sum(axis=1)
        return np.asarray(slope * np.log1p(self.labels / labels))


@dataclass(frozen=True)
class FixedRounds(StoppingRule):
    """Stop after a number of rounds, whatever happens: what the other rules have to beat.

    Attributes:
        rounds: How many, the passive phase not counted.
    """

    name: ClassVar[str] = "fixed_rounds"
    rounds: int = 30

    def __post_init__(self) -> None:
        require(self.rounds >= 1, "rounds", "1 or more", self.rounds)

    @property
    @override
    def needs(self) -> tuple[str, ...]:
        return ()

    @override
    def stops(self, curve: Curve) -> Stops:
        return curve["round"] >= self.rounds

    @override
    def says(self, curve: Curve) -> str:
        return f"{count(int(curve['round'][-1]), 'round')}; {self.rounds} wanted"
