"""What another library's strategy is given of a round: arrays of the labelled objects, then of the candidates."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from alray.errors import SpecError
from alray.pools.pool import Indices
from alray.strategies.base import given
from alray.strategies.checking import check_distances, check_no_nan
from alray.strategies.libraries.catalogue import Features
from alray.strategies.signals import Signals

Numbers = npt.NDArray[np.floating]


class NotGivenError(SpecError):
    """A strategy has asked for what alray gives to no other library."""


@dataclass(frozen=True)
class Given:
    """The labelled objects and then the candidates, l + n in all.

    Attributes:
        x: (l + n, d) their features; their positions (d = 1) where a strategy does not look at features.
        labels: (l,) int64 classes of the labelled objects.
        probabilities: (l + n, classes) float64 of the model; None where a strategy has no use for them.
    """

    x: Numbers
    labels: npt.NDArray[np.int64]
    probabilities: Numbers | None

    @property
    def labelled(self) -> int:
        """The number of labelled objects, l."""
        return len(self.labels)

    @property
    def classes(self) -> int:
        """The number of classes."""
        return int(self.known_probabilities.shape[1])

    @property
    def known_probabilities(self) -> Numbers:
        """The probabilities of a strategy that is given some."""
        if self.probabilities is None:
            raise NotGivenError("it asks a model, and is known as a strategy that does without")
        return self.probabilities


def arrays_of(
    signals: Signals,
    order: Indices,
    features: Features | None,
    *,
    unit_length: bool,
    probabilities: bool,
) -> Given:
    """Return what a strategy is given of these signals, the candidates in this order.

    Raises:
        ScoreError: What the network makes of some objects is no number: libraries would choose by it without a word.
    """
    known = given(signals.labelled)
    for each in (known, signals):
        if features == "last":
            check_distances("features", given(each.features))
        if probabilities:
            check_no_nan("log-probabilities", given(each.log_probs))
    x: Numbers
    if features is None:
        x = np.arange(len(known.candidates) + len(signals.candidates), dtype=np.float64)[:, None]
    elif features == "last":
        x = _joined(given(known.features), given(signals.features), order)
    else:
        x = _joined(given(known.pool_features), given(signals.pool_features), order)
    if unit_length:
        lengths = np.linalg.norm(x, axis=1, keepdims=True)
        x = np.divide(x, lengths, out=np.zeros_like(x), where=lengths > 0)
    found = None
    if probabilities:
        logs = _joined(given(known.log_probs), given(signals.log_probs), order)
        found = np.exp(logs.astype(np.float64))
        # float32 rounds their sum.
        found /= found.sum(1, keepdims=True)
    return Given(x, given(known.labels).cpu().numpy(), found)


def _joined(labelled: Tensor, candidates: Tensor, order: Indices) -> Numbers:
    joined: Numbers = np.concatenate([labelled.cpu().numpy(), candidates.cpu().numpy()[order]])
    return joined
