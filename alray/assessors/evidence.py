"""What yes/no answers say of the classes of objects: a likelihood of each class, answer by answer."""

import math
from collections import Counter
from copy import copy

import numpy as np
import numpy.typing as npt

from alray.assessors.class_tree import Sets
from alray.assessors.replies import Replies
from alray.pools.pool import Indices

LogLikelihoods = npt.NDArray[np.float64]
"""(objects, classes): the log of each class's likelihood by the answers, -inf where it is impossible, 0 unasked."""

SURE = 0.95
"""Where answers may be wrong, an object counts as labelled from this probability of one class on."""

SMALLEST = 1 - SURE
"""A class counts as possible while its likelihood is at least this share of the likeliest one's."""

PER_HALVING = 4
"""Where answers may be wrong, an object counts as labelled after so many questions for each halving of the classes."""


class Evidence:
    """The likelihoods of all objects that were asked about.

    Attributes:
        done: (objects of the pool,) whether each counts as labelled.
        asked: (objects of the pool,) questions that were asked about each.
    """

    def __init__(self, sets: Sets, rate: float, objects: int) -> None:
        self._row = np.full(objects, -1, dtype=np.int64)
        self._logs = np.zeros((0, sets.shape[1]))
        self._used = 0
        # By question and answer (0 no, 1 yes) the log-likelihood of each class.
        right, wrong = math.log(1 - rate), math.log(rate) if rate else -math.inf
        said_yes = np.where(sets, right, wrong)
        self._of_answers = np.stack([np.where(sets, wrong, right), said_yes], axis=1)
        self.done = np.zeros(objects, dtype=bool)
        self.asked = np.zeros(objects, dtype=np.int64)
        self._may_err = rate > 0
        self._times: Counter[tuple[int, int]] = Counter()

    def times(self, objects: Indices, questions: Indices) -> Indices:
        """Return how often each question was asked about its object; where no answer is wrong, none is asked twice."""
        if not self._may_err:
            return np.zeros(len(objects), dtype=np.int64)
        pairs = zip(objects.tolist(), questions.tolist(), strict=True)
        return np.array([self._times[pair] for pair in pairs], dtype=np.int64)

    def copied(self) -> "Evidence":
        """Return a copy that grows on its own."""
        found = copy(self)
        vars(found).update({name: copy(value) for name, value in vars(self).items()})
        return found

    def add(self, replies: Replies) -> None:
        """Take answers into account, in their order."""
        new = replies.asked
        new = new[self._row[new] < 0]
        self._row[new] = np.arange(self._used, self._used + len(new))
        self._used += len(new)
        if self._used > len(self._logs):
            room = np.zeros((2 * self._used, self._logs.shape[1]))
            room[: len(self._logs)] = self._logs
            self._logs = room
        said = self._of_answers[replies.questions, replies.answers]
        np.add.at(self._logs, self._row[replies.objects], said)
        np.add.at(self.asked, replies.objects, 1)
        if self._may_err:
            pairs = zip(replies.objects.tolist(), replies.questions.tolist(), strict=True)
            self._times.update(pairs)
        self.done[replies.objects[replies.ends == 1]] = True

    def of(self, objects: Indices) -> LogLikelihoods:
        """Return the log-likelihoods of these objects."""
        rows = self._row[objects]
        found = np.zeros((len(objects), self._logs.shape[1]))
        found[rows >= 0] = self._logs[rows[rows >= 0]]
        return found


def possible_classes(likelihoods: LogLikelihoods) -> npt.NDArray[np.bool_]:
    """Return (objects, classes) which classes count as possible."""
    highest = likelihoods.max(1, keepdims=True)
    return np.asarray(likelihoods >= highest + math.log(SMALLEST))
