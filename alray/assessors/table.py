"""The confusions of workers whose answers a table gives."""

import numpy as np
import numpy.typing as npt

from alray.assessors.answers import Answers
from alray.assessors.beliefs import Beliefs
from alray.assessors.crowd import Confusions
from alray.assessors.dawid_skene import dawid_skene
from alray.errors import SpecError
from alray.pools.answer_table import UNKNOWN, AnswerTable

Counts = npt.NDArray[np.float64]

WEIGHT = 10.0
"""Answers for which the mean confusion counts in each class of a worker, and the usual share of errors in his own."""

MOST_NUMBERS = 200_000_000
"""Most numbers in all confusions, 1.6 GB."""

MOST_ERRORS = 1 - 1e-6
"""No worker errs more often: nothing is impossible."""

IMPOSSIBLE = -1e9
"""Log-probability of a class that is known not to be the true one."""


def confusions_of(table: AnswerTable, classes: int, origin: str) -> Confusions:
    """Return (workers, classes, classes) P(answer | truth), all of them positive.

    Counts of answers by truth are added to `WEIGHT` answers by the mean confusion of all workers (a Dirichlet prior),
    whose errors are as many as this worker makes: where he has answered about few objects of a class, he errs towards
    the usual classes, as often as he errs elsewhere.

    Where the truth of a task is not known, it is what the answers say (Dawid and Skene 1979), and they count by its
    probabilities.

    Args:
        table: The answers.
        classes: How many classes.
        origin: The table's name, for messages.

    Raises:
        SpecError: Nothing tells right answers from wrong ones, or there are too many workers and classes.
    """
    workers = len(table.workers)
    if workers * classes**2 > MOST_NUMBERS:
        raise SpecError(
            f"{origin} has {workers:,} workers, and {classes:,} classes: that are too many confusions to hold; keep "
            f"the {MOST_NUMBERS // classes**2:,} workers with the most answers"
        )
    counts = _counts(table, classes, origin)
    usual = _mean_confusion(counts.sum(0))
    objects = counts.sum(2)
    wrong = objects.sum(1) - np.trace(counts, axis1=1, axis2=2)
    expected = objects @ (1 - np.diagonal(usual))
    # How many times as many errors as usual, in the classes that he saw.
    factors = (wrong + WEIGHT * _errors(counts)) / (expected + WEIGHT * _errors(counts))
    own = _with_errors(usual, factors)
    smoothed = counts + WEIGHT * own
    return np.asarray(smoothed / smoothed.sum(2, keepdims=True))


def _counts(table: AnswerTable, classes: int, origin: str) -> Counts:
    """Return (workers, classes, classes) expected numbers of answers by worker, truth and answer."""
    known = table.truths != UNKNOWN
    # An answer about a task that has no other and no known truth agrees with itself: it says nothing.
    tells = known[table.tasks] | (np.bincount(table.tasks)[table.tasks] > 1)
    if not tells.any():
        raise SpecError(
            f"{origin} says no truth, and no task has two answers: nothing tells right answers from wrong ones; add a "
            "column truth, or tasks with several answers"
        )
    tasks, workers, labels = table.tasks[tells], table.answered_by[tells], table.labels[tells]
    answers = Answers(np.zeros_like(tasks), tasks, workers, labels)
    log_probs = np.full((int(known.sum()), classes), IMPOSSIBLE, dtype=np.float32)
    log_probs[np.arange(len(log_probs)), table.truths[known]] = 0.0
    truths = Beliefs(np.flatnonzero(known), log_probs)
    found = dawid_skene(answers, len(table.workers), classes, beliefs=truths)
    counts = np.zeros((len(table.workers), classes, classes))
    np.add.at(counts, (workers, labels), found.posterior[np.searchsorted(found.objects, tasks)])
    return np.asarray(counts.swapaxes(1, 2))


def _errors(counts: Counts) -> float:
    """Return the share of wrong answers of all workers, as if one right and one wrong one were added."""
    right = np.trace(counts, axis1=1, axis2=2).sum()
    return float((counts.sum() - right + 1) / (counts.sum() + 2))


def _mean_confusion(counts: Counts) -> Counts:
    """Return (classes, classes) the confusion of all workers, in classes with few answers near to errors alike."""
    classes = len(counts)
    wrong = _errors(counts[None])
    even = np.full((classes, classes), wrong / max(1, classes - 1))
    np.fill_diagonal(even, 1 - wrong)
    smoothed = counts + WEIGHT * even
    return np.asarray(smoothed / smoothed.sum(1, keepdims=True))


def _with_errors(usual: Counts, factors: Counts) -> Confusions:
    """Return for each worker the usual confusion with so many times its errors; all of them at most."""
    wrong = 1 - np.diagonal(usual)
    scaled = np.minimum(factors[:, None] * wrong, MOST_ERRORS)
    found = usual * (scaled / wrong)[:, :, None]
    classes = np.arange(len(usual))
    found[:, classes, classes] = 1 - scaled
    return found
