"""Custom networks and strategies, as a user might supply them by `package.module:name`."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from typing_extensions import override

from alray.strategies import Query, ScoreStrategy
from alray.strategies.signals import Needs, Signals


class OwnNetwork(nn.Module):
    """Concatenates the modalities, with one dropout layer that is called at two widths."""

    def __init__(self, shapes: dict[str, tuple[int, ...]], classes: int, width: int = 6) -> None:
        super().__init__()
        self.first = nn.Linear(sum(int(np.prod(shape)) for shape in shapes.values()), width)
        self.norm = nn.BatchNorm1d(width)
        self.second = nn.Linear(width, 2 * width)
        self.drop = nn.Dropout(0.5)
        self.last = nn.Linear(2 * width, classes)

    @override
    def forward(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
        for name, x in features.items():
            assert present[name].dtype == torch.bool
            assert (x[~present[name]] == 0).all()
        x = torch.cat([x.flatten(1) for x in features.values()], dim=1)
        h = self.drop(self.norm(self.first(x)).relu())
        logits: Tensor = self.last(self.drop(self.second(h).relu()))
        return logits


def linear_network(shapes: dict[str, tuple[int, ...]], classes: int) -> nn.Module:
    """Return a network without dropout, BatchNorm or anything to tap."""

    class Linear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(sum(int(np.prod(shape)) for shape in shapes.values()), classes)

        @override
        def forward(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
            logits: Tensor = self.layer(torch.cat(list(features.values()), dim=1))
            return logits

    return Linear()


def no_network(shapes: dict[str, tuple[int, ...]], classes: int) -> Any:
    return "not a module"


def broken_network(shapes: dict[str, tuple[int, ...]], classes: int) -> nn.Module:
    raise ZeroDivisionError("no weights today")


class _Failing(OwnNetwork):
    @override
    def forward(self, features: Any, present: Any) -> Any:
        logits = super().forward(features, present)
        if len(logits) > 16:
            raise ArithmeticError("this module cannot be called")
        return logits


def failing_forward(shapes: dict[str, tuple[int, ...]], classes: int) -> nn.Module:
    """Return a module that passes its trial, and cannot be called with more than a few objects."""
    return _Failing(shapes, classes)


@dataclass(frozen=True)
class PowerMargin(ScoreStrategy):
    """A strategy with an option that has to be given."""

    beta: float
    note: str = ""

    @property
    @override
    def needs(self) -> Needs:
        return Needs(log_probs=True)

    @override
    def score(self, signals: Signals) -> Tensor:
        assert signals.log_probs is not None
        return signals.log_probs[:, 0] * self.beta


class Plain:
    """A strategy that is no dataclass: it has no options."""

    oracle: ClassVar[bool] = False
    needs = Needs()
    loss_prediction = None
    take: ClassVar[Any] = staticmethod(lambda candidates, k: candidates[:k])

    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        chosen = self.take(signals.candidates, k)
        return Query(chosen, np.full(len(chosen), np.nan))


class Repeating(Plain):
    """Breaks the contract: names an object twice."""

    take = staticmethod(lambda candidates, k: np.append(candidates[: k - 1], candidates[0]))


class OneTooMany(Plain):
    """Breaks the contract: k distinct objects, but one of them twice."""

    take = staticmethod(lambda candidates, k: np.append(candidates[:k], candidates[0]))


class Stranger(Plain):
    """Breaks the contract: names an object that is not a candidate."""

    take = staticmethod(lambda candidates, k: np.append(candidates[: k - 1], 10_000))


class NoStrategy:
    oracle: ClassVar[bool] = False


class Choosing(Plain):
    """Needs log-probabilities, and gives no object a score."""

    needs = Needs(log_probs=True)


class NeedsFeatures(Plain):
    """Needs what a custom network does not offer."""

    needs = Needs(features=True)


class NeedsLastLayer(Plain):
    """Needs the weights of a last layer, which no custom network offers."""

    needs = Needs(last_layer=True)


class NeedsSound(Plain):
    """Needs a side head that only a pool with sound has."""

    needs = Needs(side_heads=("sound",))
