"""Who is asked about an object: those who are likely to be right, while everyone gets a chance."""

import numpy as np
import numpy.typing as npt

from alray.assessors.answers import Answers
from alray.assessors.asking import Orders
from alray.assessors.dawid_skene import Aggregated

Counts = npt.NDArray[np.float64]

WEIGHT = 10.0
"""Answers for which an assessor's overall share counts beside those about the classes that are expected."""


def by_skill(
    found: Aggregated, answers: Answers, objects: int, rng: np.random.Generator
) -> Orders:
    """Return for each object the assessors by a share of right answers that is drawn for each of them.

    It is drawn from what the answers so far leave open (Thompson 1933): with r right ones of n, as the aggregate finds
    them, from Beta(1 + r, 1 + n - r). So whoever answered twice and wrongly is asked again now and then, and who is
    good is asked more and more. Nobody has a limit on how much he answers.

    Args:
        found: What the answers say.
        answers: All answers.
        objects: How many objects there are to ask about.
        rng: Draws the shares.
    """
    return _ordered(_overall(*_counts(found, answers), objects, rng))


def by_skill_in_class(
    found: Aggregated, answers: Answers, predicted: Counts, rng: np.random.Generator
) -> Orders:
    """Return the same by shares of right answers in the classes that are expected of each object.

    The overall share is drawn first, as in `by_skill`. It counts as `WEIGHT` answers beside those about the expected
    classes, by their probabilities: where an assessor has seen few objects of a class, it decides.

    Args:
        found: What the answers say.
        answers: All answers.
        predicted: (objects, classes) probabilities of each object's class.
        rng: Draws the shares.
    """
    right, all_answers = _counts(found, answers)
    shares = _overall(right, all_answers, len(predicted), rng)
    right_there, all_there = predicted @ right.T, predicted @ all_answers.T
    wrong_there = np.maximum(all_there - right_there, 0.0)
    # The ends of a share's range, which a float may reach, have no Beta distribution.
    shares = np.clip(shares, 1e-6, 1 - 1e-6)
    drawn = rng.beta(WEIGHT * shares + right_there, WEIGHT * (1 - shares) + wrong_there)
    return _ordered(drawn)


def _overall(right: Counts, all_answers: Counts, objects: int, rng: np.random.Generator) -> Counts:
    """Draw (objects, assessors) shares of right answers."""
    correct, total = right.sum(1), all_answers.sum(1)
    wrong = np.maximum(total - correct, 0.0)
    return rng.beta(1 + correct, 1 + wrong, size=(objects, len(correct)))


def _counts(found: Aggregated, answers: Answers) -> tuple[Counts, Counts]:
    """Return (assessors, classes) expected numbers of right answers, and of answers, about objects of each class."""
    given = answers.given
    assessors, classes = found.confusions.shape[:2]
    right, total = np.zeros((assessors, classes)), np.zeros((assessors, classes))
    if len(given):
        posterior = found.posterior[np.searchsorted(found.objects, given.objects)]
        np.add.at(total, given.assessors, posterior)
        of_answer = posterior[np.arange(len(given)), given.classes]
        np.add.at(right, (given.assessors, given.classes), of_answer)
    return right, total


def _ordered(shares: Counts) -> Orders:
    return np.argsort(-shares, axis=1, kind="stable").astype(np.int64)
