"""What rules for when to stop labelling need to know of a round: how predictions for a fixed set of objects change.

The stop set (Bloodgood and Vijay-Shanker 2009) is the same in all rounds, and its labels are not looked at. Here it is
drawn from the test and the validation part, which no query asks about and which a round predicts anyway: so it takes no
scoring pass of its own. It stands for objects as they come, not for those that are left to choose from: what is left
changes with every query.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from alray.pools.pool import Indices
from alray.scoring.metrics import LogProbs
from alray.settings.run import RunSpec
from alray.strategies import scores
from alray.studies.rounds.record import Record
from alray.studies.rounds.round_draws import RoundDraws

MOST = 2000
"""Objects of the stop set, or all that a round predicts where these are fewer; as in the paper."""

NOT_PREDICTED: Record = {
    "stop_objects": None,
    **dict.fromkeys(
        (
            *("stop_kappa", "stop_agreement", "stop_entropy", "stop_max_entropy"),
            *("stop_confidence", "stop_median_confidence", "stop_max_confidence"),
        ),
        math.nan,
    ),
}
"""The columns of a round that is not evaluated."""


class StopSet:
    """The stop set of a run, which all arms of its seed share.

    Attributes:
        predicted: (n,) the classes that were predicted for it last; None before the first time.
    """

    def __init__(self, run: RunSpec, predicted: Indices | None = None) -> None:
        """Begin with what was predicted last, where the run goes on from a state that has it."""
        self.predicted = predicted
        self._rng = RoundDraws(run, 0).numpy("stop_set")
        self._chosen: Indices | None = None

    def of(self, parts: Sequence[LogProbs]) -> Record:
        """Return the columns of `NOT_PREDICTED` for the network as it is.

        Args:
            parts: For each part of the pool that the round evaluates (n, classes) log-probabilities, in an order that
                is the same in all rounds.
        """
        log_probs = self._rows(parts)
        classes = log_probs.shape[1]
        highest, best = log_probs.max(dim=1)
        confidence = highest.exp().double()
        entropy = scores.entropy(log_probs) / math.log(classes) if classes > 1 else highest * 0
        numbers = torch.stack(
            [
                *(entropy.mean(), entropy.max(), confidence.mean()),
                *(confidence.quantile(0.5), confidence.max()),
            ]
        )
        of_predictions = torch.cat([numbers, best]).cpu().numpy()
        found, predicted = of_predictions[:5], of_predictions[5:].astype(np.int64)
        kappa, agreement = math.nan, math.nan
        if self.predicted is not None and len(self.predicted) == len(predicted):
            kappa = cohens_kappa(self.predicted, predicted, classes)
            agreement = float((self.predicted == predicted).mean())
        self.predicted = predicted
        values = (len(predicted), kappa, agreement, *map(float, found))
        return dict(zip(NOT_PREDICTED, values, strict=True))

    def _rows(self, parts: Sequence[LogProbs]) -> Tensor:
        """Return the log-probabilities of the stop set, which is drawn at the first call."""
        if self._chosen is None:
            objects = sum(len(part) for part in parts)
            chosen = np.sort(self._rng.permutation(objects)[:MOST])
            self._chosen = chosen
        found, first = [], 0
        for part in parts:
            here = self._chosen[(self._chosen >= first) & (self._chosen < first + len(part))]
            rows = torch.from_numpy(here - first)
            values = part if isinstance(part, Tensor) else torch.from_numpy(part)
            found.append(values[rows.to(values.device)])
            first += len(part)
        return torch.cat(found)


def cohens_kappa(one: Indices, other: Indices, classes: int) -> float:
    """Return how far two sets of predictions for the same objects agree beyond chance (Cohen 1960).

    (p_o - p_e) / (1 - p_e) with p_o the share of equal predictions and p_e what is expected of two that are independent
    and predict each class as often. At most 1; NaN where both predict one class only, the same.
    """
    n = len(one)
    observed = float((one == other).mean())
    shares: list[Float[np.ndarray, " class"]] = [
        np.bincount(each, minlength=classes) / n for each in (one, other)
    ]
    expected = float(shares[0] @ shares[1])
    if np.array_equal(one, other):
        # Of equal predictions kappa is 1 without the rounding of a quotient.
        return math.nan if len(np.unique(one)) == 1 else 1.0
    return (observed - expected) / (1 - expected)
