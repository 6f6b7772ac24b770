"""Score strategies of one's own that go by what no block of candidates has, with and without `pointwise`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from alray.strategies import ScoreStrategy
from alray.strategies.base import given
from alray.strategies.signals import Committee, InputDropout, Request, Signals

REQUESTS = {
    "labelled": Request(log_probs=True, labelled=True),
    "pool_features": Request(log_probs=True, pool_features=True),
    "input_dropout": Request(log_probs=True, input_dropout=InputDropout()),
    "last_layer": Request(features=True, last_layer=True),
    "shortlist": Request(committee=Committee(2), shortlist=40),
    "targets": Request(log_probs=True, committee=Committee(2), targets=7),
    "trial_loss": Request(log_probs=True, trial_loss=True),
}
"""What it goes by: what it asks for."""


def _on_shortlist(signals: Signals) -> Tensor:
    found = torch.from_numpy(given(signals.shortlist).candidates)
    return torch.isin(torch.from_numpy(signals.candidates), found).float()


def _changed(signals: Signals) -> Tensor:
    predicted = given(signals.log_probs).argmax(dim=1)
    return (given(signals.dropped_classes) != predicted[:, None]).float().mean(dim=1)


def _of_most_frequent_label(signals: Signals) -> Tensor:
    labels = given(given(signals.labelled).labels)
    return given(signals.log_probs)[:, labels.mode().values]


def _like_targets(signals: Signals) -> Tensor:
    members = given(given(signals.targets).members)
    return given(signals.log_probs) @ members.exp().mean(dim=(0, 1))


def _by_trial(signals: Signals) -> Tensor:
    given(signals.trial_loss)
    return given(signals.log_probs)[:, 0]


SCORES: dict[str, Callable[[Signals], Tensor]] = {
    "labelled": _of_most_frequent_label,
    "pool_features": lambda signals: given(signals.pool_features).norm(dim=1),
    "input_dropout": _changed,
    "last_layer": lambda signals: given(signals.features) @ given(signals.last_layer).weight[0],
    "shortlist": _on_shortlist,
    "targets": _like_targets,
    "trial_loss": _by_trial,
}
"""What it goes by: (n,) scores by it."""


@dataclass(frozen=True)
class AllAtOnce(ScoreStrategy):
    """Goes by one of these signals.

    Attributes:
        by: Which one.
    """

    oracle: ClassVar[bool] = True  # trial_loss takes labels
    by: str

    @property
    @override
    def needs(self) -> Request:
        return REQUESTS[self.by]

    @override
    def score(self, signals: Signals) -> Tensor:
        return SCORES[self.by](signals)


@dataclass(frozen=True)
class ByBlock(AllAtOnce):
    """The same, and says that it scores each object alone."""

    pointwise: ClassVar[bool] = True
