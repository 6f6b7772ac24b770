"""Yes/no answers that were bought: one table, which only grows, and how they are given."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from alray.assessors.class_tree import Sets
from alray.assessors.columns import Column, Columns, empty
from alray.pools.pool import Indices

Shares = npt.NDArray[np.float64]
"""(assessors,)"""

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
    """

    def __init__(
        self,
        sets: Sets,
        labels: Indices,
        wrong: Shares,
        generators: Callable[[int], np.random.Generator],
        *,
        crowd: bool = False,
    ) -> None:
        """Say who answers.

        Args:
            sets: The questions.
            labels: (objects of the pool,) true classes.
            wrong: Each assessor's share of wrong answers; one number where there is no crowd.
            generators: Of each object.
            crowd: Whether there is one.
        """
        self._sets, self._labels, self._wrong = sets, labels, wrong
        self._generators, self._crowd = generators, crowd

    def answer(self, index: int, question: int, before: int) -> tuple[int, bool]:
        """Return who answers a question about an object that was asked so often before, and the answer."""
        right = bool(self._sets[question, self._labels[index]])
        if not self._crowd and self._wrong[0] == 0:
            return NOBODY, right
        # The first row says who is asked first, the others whether the answers are wrong.
        rows = self._generators(index).random((before + 2, len(self._sets)))
        first = int(rows[0, question] * len(self._wrong))
        assessor = (first + before) % len(self._wrong)
        is_wrong = bool(rows[before + 1, question] < self._wrong[assessor])
        return assessor if self._crowd else NOBODY, right != is_wrong
