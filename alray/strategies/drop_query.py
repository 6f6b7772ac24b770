"""DropQuery: objects whose predicted class changes where inputs are dropped, spread out (Gupte et al. 2024)."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor
from typing_extensions import override

from alray.errors import SpecError
from alray.strategies.base import BatchStrategy, Query, given
from alray.strategies.checking import check_counts, check_finite
from alray.strategies.clusters import require_clusters, spread_of
from alray.strategies.signals import InputDropout, Request, Signals

ENOUGH = 25
"""Candidates for each object wanted, from which on the bar is not lowered."""


@dataclass(frozen=True)
class DropQuery(BatchStrategy):
    """Takes objects whose predicted class changes where inputs are dropped, and of as many clusters of them one each.

    Gupte et al. 2024, section 3.4, made for frozen embeddings: candidates are the objects of which more than half of
    the predictions with inputs dropped differ from the one without. Where these are fewer than 25 k, the bar is lowered
    by one prediction after the other, as in code that the authors released, but never below one: what does not change
    is no candidate. k-means of the pool's own features, each vector of length 1, makes k clusters, and the object
    nearest to each centre is taken; where there are k candidates or fewer, all are taken, and random objects make up
    for the rest. The paper begins with `initial_selection: centroid`.

    Attributes:
        times: Predictions of each object with inputs dropped.
        rate: Share of the features that is dropped.
    """

    times: int = 3
    rate: float = 0.75

    def __post_init__(self) -> None:
        check_counts(self, "times")
        if not 0 < self.rate < 1:
            raise SpecError(f"rate must lie between 0 and 1 (got {self.rate})")
        require_clusters("drop_query")

    @property
    @override
    def needs(self) -> Request:
        dropout = InputDropout(self.rate, self.times)
        return Request(log_probs=True, pool_features=True, input_dropout=dropout)

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        log_probs = given(signals.log_probs)
        check_finite("log-probabilities", log_probs)
        predicted = log_probs.argmax(1).cpu()
        changed = given(signals.dropped_classes).cpu() != predicted[:, None]
        changes = _often_enough(changed, k).numpy()
        chosen = spread_of(changes, given(signals.pool_features), k, rng)
        shares = changed.double().mean(1).numpy()
        return Query(signals.candidates[chosen], shares[chosen])


def _often_enough(changed: Bool[Tensor, "n times"], k: int) -> Bool[Tensor, " n"]:
    """Return which objects change in more than half of the predictions, or as often as `ENOUGH` x k do, but at all."""
    counts = changed.sum(1)
    often = changed.shape[1] // 2 + 1
    while often > 1 and int((counts >= often).sum()) < ENOUGH * k:
        often -= 1
    return counts >= torch.tensor(often)
