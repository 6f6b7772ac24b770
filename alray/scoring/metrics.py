"""Metrics of predictions: numbers from log-probabilities and labels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from alray.errors import ScoreError
from alray.pools.pool import Indices

CALIBRATION_BINS = 15


@dataclass(frozen=True)
class Metrics:
    """Metrics of one part of the pool.

    Attributes:
        accuracy: Share of right predictions, in [0, 1].
        macro_f1: Mean over the classes that occur of 2 TP / (2 TP + FP + FN), in [0, 1].
        nll: Mean -log p of the true class, in nats.
        ece: Expected calibration error, in [0, 1].
        balanced_accuracy: Mean recall of the classes that occur, in [0, 1]; NaN in records from before it was kept.
    """

    accuracy: float
    macro_f1: float
    nll: float
    ece: float
    balanced_accuracy: float = float("nan")


LogProbs = npt.NDArray[np.float32] | Tensor
"""(n, classes) log-probabilities: an array, or a tensor on a GPU, from which only what metrics need is copied."""


def rows_of(log_probs: LogProbs, rows: npt.NDArray[np.bool_]) -> LogProbs:
    """Return the log-probabilities of some objects, where (n,) `rows` is true."""
    if isinstance(log_probs, Tensor):
        return log_probs[torch.from_numpy(rows)]
    return log_probs[rows]


def predicted_classes(log_probs: LogProbs) -> Indices:
    """Return (n,) the most probable class of each object."""
    if isinstance(log_probs, Tensor):
        found: Indices = log_probs.argmax(dim=1).cpu().numpy()
        return found
    predicted: Indices = log_probs.argmax(axis=1)
    return predicted


def _found(
    log_probs: LogProbs, labels: Indices
) -> tuple[Indices, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return (n,) predicted classes, and the log-probabilities of these and of the true classes."""
    if not isinstance(log_probs, Tensor):
        predicted, objects = predicted_classes(log_probs), np.arange(len(labels))
        highest, true = (log_probs[objects, each] for each in (predicted, labels))
        return predicted, highest.astype(np.float64), true.astype(np.float64)
    highest_, predicted_ = log_probs.max(dim=1)
    wanted = torch.from_numpy(labels).to(log_probs.device)
    true_ = log_probs.gather(1, wanted[:, None]).squeeze(1)
    on_host = torch.stack([highest_, true_]).double().cpu().numpy()
    return predicted_.cpu().numpy(), on_host[0], on_host[1]


def measure(log_probs: LogProbs, labels: Indices) -> Metrics:
    """Compute all metrics for (n, classes) log-probabilities and (n,) labels, n >= 1.

    Raises:
        ScoreError: Some log-probabilities are NaN: the fit has diverged.
    """
    predicted, highest, true = _found(log_probs, labels)
    # NaN counts as a row's greatest value: the maxima show it without a pass over all values.
    if np.isnan(highest).any():
        raise ScoreError("the model's outputs are not finite; try a smaller training.lr")
    right = predicted == labels
    return Metrics(
        accuracy=float(right.mean()),
        macro_f1=macro_f1(predicted, labels, log_probs.shape[1]),
        nll=float(-true.mean()),
        ece=calibration_error(np.exp(highest), right),
        balanced_accuracy=mean_recall(predicted, labels),
    )


def macro_f1(predicted: Indices, labels: Indices, classes: int) -> float:
    """Return the unweighted mean of the F1 of each class that occurs among the labels."""
    occurs = np.bincount(labels, minlength=classes)
    claimed = np.bincount(predicted, minlength=classes)
    hits = np.bincount(labels[predicted == labels], minlength=classes)
    known = occurs > 0
    return float((2 * hits[known] / (occurs[known] + claimed[known])).mean())


def calibration_error(confidence: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> float:
    """Return sum over equal-width bins of (share of objects) x |accuracy - mean confidence|.

    Guo et al. 2017, equation 3, with 15 bins.
    """
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    gap = np.bincount(bins, weights=right - confidence, minlength=CALIBRATION_BINS)
    return float(np.abs(gap).sum() / len(right))


def rarest_classes(labels: Indices) -> Indices:
    """Return the rarest fifth, rounded down but at least one, of the classes that occur among these labels.

    Of equally rare classes the smaller labels are returned.
    """
    classes, counts = np.unique(labels, return_counts=True)
    return np.asarray(classes[np.argsort(counts, kind="stable")[: max(1, len(classes) // 5)]])


def mean_recall(predicted: Indices, labels: Indices) -> float:
    """Return the unweighted mean over the classes among the labels of the share found; NaN without labels."""
    if len(labels) == 0:
        return float("nan")
    occurs = np.bincount(labels)
    hits = np.bincount(labels[predicted == labels], minlength=len(occurs))
    known = occurs > 0
    return float((hits[known] / occurs[known]).mean())
