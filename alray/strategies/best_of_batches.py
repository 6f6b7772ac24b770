"""An oracle by trial: of several strategies' batches the one that the network learns most from."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from alray.errors import SpecError
from alray.pools.pool import Indices
from alray.strategies.badge import Badge
from alray.strategies.base import BatchStrategy, Query, Strategy, given
from alray.strategies.class_balanced import ClassBalanced
from alray.strategies.coreset import CoreSet
from alray.strategies.density import Density
from alray.strategies.random import Random
from alray.strategies.signals import Request, Signals
from alray.strategies.uncertainty import Margin

PROPOSERS: tuple[Strategy, ...] = (
    Margin(),
    Badge(),
    Random(),
    ClassBalanced(),
    Density(),
    CoreSet(),
)
"""The strategies whose batches are tried, in turn."""


@dataclass(frozen=True)
class BestOfBatches(BatchStrategy):
    """Takes the batch after whose labels the network has the smallest loss on the validation part: an oracle.

    Margin, badge, random, class_balanced, density and coreset propose batches in turn: the first time from all
    candidates, then each time from a random half of them, so that their batches differ. The round's fit is tried with
    each, its labels known. After the best-of-strategies oracle BoSS (2603.13109): no batch is searched for, so a still
    better one may exist, and it looks one round ahead.

    Attributes:
        batches: How many batches are tried; each takes a fit and an evaluation.
    """

    oracle: ClassVar[bool] = True
    batches: int = 12

    def __post_init__(self) -> None:
        if self.batches < 2:
            raise SpecError(
                f"batches must be at least 2 (got {self.batches}): there is nothing to choose from"
            )

    @property
    @override
    def needs(self) -> Request:
        # Of labelled objects class_balanced takes the labels, and coreset the features.
        of_labelled = Request(features=True)
        return Request(log_probs=True, features=True, labelled=of_labelled, trial_loss=True)

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        loss_after = given(signals.trial_loss)
        found: tuple[float, Query] | None = None
        for number in range(self.batches):
            shown = signals if number < len(PROPOSERS) else _half(signals, k, rng)
            query = PROPOSERS[number % len(PROPOSERS)].select(shown, k, rng)
            loss = loss_after(query.indices)
            # The first of equals; a fit that diverged comes to NaN, which is never less.
            if found is None or loss < found[0] or np.isnan(found[0]):
                found = loss, query
        assert found is not None
        loss, query = found
        return Query(query.indices, np.full(k, loss))


def _half(signals: Signals, k: int, rng: np.random.Generator) -> Signals:
    """Return the signals of a random half of the candidates, of k at least."""
    n = len(signals.candidates)
    rows = np.sort(rng.choice(n, max(k, n // 2), replace=False))
    return _of_rows(signals, rows)


def _of_rows(signals: Signals, rows: Indices) -> Signals:
    """Return the signals of some candidates, by their (m,) positions among all."""
    chosen = torch.from_numpy(rows)
    tensors: dict[str, Any] = {
        name: value[chosen] for name, value in vars(signals).items() if isinstance(value, Tensor)
    }
    return replace(signals, candidates=signals.candidates[rows], **tensors)
