"""Committees: dropout masks, heads, or every head under every mask, as members (query by committee)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from typing_extensions import override

from alray.errors import SpecError
from alray.strategies import scores
from alray.strategies.base import ScoreStrategy, StrategyBase, given
from alray.strategies.signals import Committee, CommitteeKind, Request, Signals


@dataclass(frozen=True)
class CommitteeOptions(StrategyBase):
    """The options of strategies that ask a committee.

    Attributes:
        members: Number of dropout masks, each shared by all objects of a round; at least 2. Not used by
            `committee=heads`.
        committee: `dropout`, `heads`, or `both`.
    """

    members: int = 10
    committee: CommitteeKind = "dropout"

    def __post_init__(self) -> None:
        if self.members < 2 and self.committee != "heads":
            raise SpecError(
                f"members must be at least 2 (got {self.members}): a single member cannot disagree"
            )

    @property
    @override
    def needs(self) -> Request:
        return Request(committee=Committee(self.members, self.committee))


@dataclass(frozen=True)
class CommitteeStrategy(CommitteeOptions, ScoreStrategy):
    """Base of strategies that score by a committee."""


@dataclass(frozen=True)
class CommitteeLeastConfidence(CommitteeStrategy):
    """Largest 1 - max of the committee's mean probability first."""

    pointwise: ClassVar[bool] = True

    @override
    def score(self, signals: Signals) -> Tensor:
        return scores.least_confidence(given(signals.committee_log_mean))


@dataclass(frozen=True)
class CommitteeMargin(CommitteeStrategy):
    """Smallest margin of the committee's mean probabilities first."""

    pointwise: ClassVar[bool] = True
    largest: ClassVar[bool] = False
    highest: ClassVar[float | None] = 1.0

    @override
    def score(self, signals: Signals) -> Tensor:
        return scores.margin(given(signals.committee_log_mean))


@dataclass(frozen=True)
class CommitteeEntropy(CommitteeStrategy):
    """Largest entropy of the committee's mean probability first."""

    pointwise: ClassVar[bool] = True

    @override
    def score(self, signals: Signals) -> Tensor:
        return scores.entropy(given(signals.committee_log_mean))


@dataclass(frozen=True)
class Bald(CommitteeStrategy):
    """Largest disagreement first: H(mean p) - mean H(p) (Houlsby et al. 2011, Gal et al. 2017)."""

    pointwise: ClassVar[bool] = True

    @override
    def score(self, signals: Signals) -> Tensor:
        return scores.bald(
            given(signals.committee_log_mean), given(signals.committee_mean_entropy)
        )
