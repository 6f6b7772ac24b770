"""Whose score a strategy goes by that chooses by more than one: its option `score`, with the score's own options."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, get_type_hints

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from alray.errors import SpecError
from alray.settings.base import unknown_name
from alray.settings.common import LossPredictionSpec
from alray.settings.option_texts import read_options
from alray.strategies.base import ScoreStrategy, StrategyBase
from alray.strategies.committee import (
    Bald,
    CommitteeEntropy,
    CommitteeLeastConfidence,
    CommitteeMargin,
)
from alray.strategies.loss import IdealLoss, LearningLoss, ReverseIdealLoss
from alray.strategies.product_margin import ProductMargin
from alray.strategies.selection import refuse_nan
from alray.strategies.signals import Request, Signals
from alray.strategies.uncertainty import Entropy, LeastConfidence, Margin

SCORERS: Mapping[str, type[ScoreStrategy]] = {
    "least_confidence": LeastConfidence,
    "margin": Margin,
    "entropy": Entropy,
    "product_margin": ProductMargin,
    "committee_least_confidence": CommitteeLeastConfidence,
    "committee_margin": CommitteeMargin,
    "committee_entropy": CommitteeEntropy,
    "bald": Bald,
    "learning_loss": LearningLoss,
    "ideal_loss": IdealLoss,
    "reverse_ideal_loss": ReverseIdealLoss,
}
"""Name: the built-in strategy whose score it is."""

BY_NAME = frozenset({"margin", "entropy", "least_confidence", "bald", "committee_margin"})
"""Scores that runs are identified by with their name alone: they could be chosen before others, and without options."""


@dataclass(frozen=True)
class ScoreOption(StrategyBase):
    """The option of strategies that go by another one's score.

    Attributes:
        score: Whose score: least_confidence, margin, entropy, product_margin, committee_least_confidence,
            committee_margin, committee_entropy, bald, learning_loss, ideal_loss or reverse_ideal_loss. Its own options
            stand beside it: `score=bald:members=20`. By the last two it is an oracle.
    """

    score: str = "margin"

    def __post_init__(self) -> None:
        object.__setattr__(self, "score", _text_of(scorer_of(self.score)))
        # What a class says of itself, this one says of the strategy whose score it is.
        object.__setattr__(self, "oracle", self.scorer.oracle)

    @property
    def scorer(self) -> ScoreStrategy:
        """The strategy whose score it is."""
        return scorer_of(self.score)

    @property
    @override
    def needs(self) -> Request:
        return self.scorer.needs

    @property
    @override
    def loss_prediction(self) -> LossPredictionSpec | None:
        return self.scorer.loss_prediction


@cache
def scorer_of(text: str) -> ScoreStrategy:
    """Return the strategy of a text such as `bald:members=20`.

    Raises:
        SpecError: There is no such score, or an option is unknown or does not fit.
    """
    name, *words = text.split(":")
    options = read_options(words, score_options(name), "score", name, text)
    return SCORERS[name](**options)


def score_options(name: str) -> dict[str, Any]:
    """Return the options of the score of this name with their types.

    Raises:
        SpecError: There is no such score.
    """
    if name not in SCORERS:
        raise SpecError(f"option score: {unknown_name('built-in score', name, [*SCORERS])}")
    kind = SCORERS[name]
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _text_of(scorer: ScoreStrategy) -> str:
    """Return the text of a score, without options that have their defaults."""
    name = next(name for name, kind in SCORERS.items() if kind is type(scorer))
    values = [(field, getattr(scorer, field.name)) for field in fields(scorer)]
    options = [f"{field.name}={value}" for field, value in values if value != field.default]
    return ":".join([name, *options])


def wanted(scorer: ScoreStrategy, signals: Signals) -> npt.NDArray[np.float64]:
    """Return (n,) a score of at least 0 per candidate, the largest best: 1 - margin where small margins are best.

    Where a score has no limit from which on it could be counted, the share of candidates that are no better stands in:
    a predicted loss has no zero, and the smallest true loss is best without there being a largest one.

    Raises:
        ScoreError: Some are NaN.
    """
    scores = scorer.scored(signals)
    refuse_nan(scores)
    if scorer.largest:
        return scores if scorer.lowest is not None else _share_no_better(scores)
    if scorer.highest is None:
        return _share_no_better(-scores)
    return np.maximum(scorer.highest - scores, 0.0)


def _share_no_better(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    ranks = np.searchsorted(np.sort(scores), scores, side="right")
    shares: npt.NDArray[np.float64] = ranks / len(scores)
    return shares
