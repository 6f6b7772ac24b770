"""Yes/no answers that were bought: one table, which only grows, and how they are given."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from alray.assessors.class_tree import Sets
from alray.assessors.columns import Column, Columns, empty
from alray.assessors.crowd import Confusions
from alray.pools.pool import Indices

KEPT = 1024
"""Objects whose draws are kept, a few kilobytes each: one object is asked about several times in a row."""

NOBODY = -1
"""In the place of an assessor where there is no crowd."""


@dataclass(frozen=True, eq=False)
class Replies(Columns):
    """Answers in the order in which they were given.

    Attributes:
        rounds: (m,) the round of each.
        objects: (m,) pool indices.
        assessors: (m,) who answered, `NOBODY` where there is no crowd.
        questions: (m,) what was asked: positions among the questions.
        answers: (m,) 1 for yes, 0 for no.
        ends: (m,) 1 where the object counts as labelled from then on.
    """

    rounds: Column = field(default_factory=empty)
    objects: Indices = field(default_factory=empty)
    assessors: Column = field(default_factory=empty)
    questions: Column = field(default_factory=empty)
    answers: Column = field(default_factory=empty)
    ends: Column = field(default_factory=empty)

    @property
    def asked(self) -> Indices:
        """The objects that were asked about, in the order of their first questions."""
        found, first = np.unique(self.objects, return_index=True)
        return found[np.argsort(first)]


class Respondent:
    """Who answers questions about objects, wrongly now and then.

    An answer depends on the object, the question and how often it was asked before, by the generators given: whoever
    asks the same hears the same. Of a crowd, another assessor answers each time, until all have.

    An assessor takes the object for a class by his confusions of its true one, and says yes where that class is in the
    set: he who confuses two classes of a set is right about the set. For each question he looks at the object anew.
    """

    def __init__(
        self,
        sets: Sets,
        labels: Indices,
        generators: Callable[[int], np.random.Generator],
        *,
        rate: float = 0.0,
        confusions: Confusions | None = None,
    ) -> None:
        """Say who answers.

        Args:
            sets: The questions.
            labels: (objects of the pool,) true classes.
            generators: Of each object.
            rate: Share of wrong answers, whatever is asked, where there is no crowd.
            confusions: Of the crowd's assessors; None where there is none.
        """
        self._sets, self._labels, self._rate = sets, labels, rate
        self._generators, self._confusions = generators, confusions
        self._kept: dict[int, npt.NDArray[np.float64]] = {}

    def answers(
        self, objects: Indices, questions: Indices, before: Indices
    ) -> tuple[Column, npt.NDArray[np.bool_]]:
        """Return who answers each question about its object, and the answers.

        Args:
            objects: (m,) pool indices.
            questions: (m,) positions among the questions.
            before: (m,) how often each was asked about its object before.
        """
        right = self._sets[questions, self._labels[objects]]
        nobody = np.full(len(objects), NOBODY)
        if self._confusions is None and self._rate == 0:
            return nobody, right
        asked = zip(objects.tolist(), questions.tolist(), before.tolist(), strict=True)
        first, chances = np.array([self._drawn(*each) for each in asked]).reshape(-1, 2).T
        if self._confusions is None:
            return nobody, right != (chances < self._rate)
        people = len(self._confusions)
        assessors = ((first * people).astype(np.int64) + before) % people
        taken_for = self._confusions[assessors, self._labels[objects]]
        # Of the classes with the other answer: one who never errs is never wrong, which 1 - a sum may be.
        wrong = (taken_for * (self._sets[questions] != right[:, None])).sum(1)
        return assessors, right != (chances < wrong)

    def _drawn(self, index: int, question: int, before: int) -> tuple[float, float]:
        """Return what says who is asked first, and what says whether the answer is wrong, between 0 and 1."""
        rows = self._kept.get(index)
        if rows is None or len(rows) < before + 2:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            # More rows begin with those of fewer.
            rows = self._generators(index).random((before + 2, len(self._sets)))
            self._kept[index] = rows
        return rows[0, question], rows[before + 1, question]
