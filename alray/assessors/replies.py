"""Yes/no answers that were bought: one table, which only grows, and how they are given."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from alray.assessors.class_tree import Sets
from alray.pools.pool import Indices

Column = npt.NDArray[np.int64]

NOBODY = -1
"""In the place of an assessor where there is no crowd."""


def _empty() -> Column:
    return np.empty(0, dtype=np.int64)


_COLUMNS = ("rounds", "objects", "assessors", "questions", "answers", "ends")


@dataclass(frozen=True, eq=False)
class Replies:
    """Answers in the order in which they were given.

    Attributes:
        rounds: (m,) the round of each.
        objects: (m,) pool indices.
        assessors: (m,) who answered, `NOBODY` where there is no crowd.
        questions: (m,) what was asked: positions among the questions.
        answers: (m,) 1 for yes, 0 for no.
        ends: (m,) 1 where the object counts as labelled from then on.
    """

    rounds: Column = field(default_factory=_empty)
    objects: Indices = field(default_factory=_empty)
    assessors: Column = field(default_factory=_empty)
    questions: Column = field(default_factory=_empty)
    answers: Column = field(default_factory=_empty)
    ends: Column = field(default_factory=_empty)

    def __len__(self) -> int:
        return len(self.objects)

    @property
    def asked(self) -> Indices:
        """The objects that were asked about, in the order of their first questions."""
        found, first = np.unique(self.objects, return_index=True)
        return found[np.argsort(first)]

    def where(self, rows: npt.NDArray[np.bool_]) -> "Replies":
        """Return some of them."""
        return Replies.of_table(self.table()[rows])

    def __add__(self, later: "Replies") -> "Replies":
        return Replies.of_table(np.concatenate([self.table(), later.table()]))

    def table(self) -> Column:
        """Return (m, 6) the columns in their order, as a checkpoint holds them."""
        return np.stack([getattr(self, name) for name in _COLUMNS], axis=1)

    @staticmethod
    def of_table(table: Column) -> "Replies":
        """Return the answers that `table` returned."""
        return Replies(*(table[:, column].astype(np.int64) for column in range(len(_COLUMNS))))


class Respondent:
    """Who answers questions about objects, wrongly now and then.

    An answer depends on the object, the question and how often it was asked before, by the generators given: whoever
    asks the same hears the same.
    """

    def __init__(
        self,
        sets: Sets,
        labels: Indices,
        rate: float,
        generators: Callable[[int], np.random.Generator],
    ) -> None:
        """Take the questions, the objects' true classes, the share of wrong answers, and an object's generator."""
        self._sets, self._labels, self._rate, self._generators = sets, labels, rate, generators

    def answer(self, index: int, question: int, before: int) -> bool:
        """Return the answer to a question about an object that was asked so often before."""
        right = bool(self._sets[question, self._labels[index]])
        if self._rate == 0:
            return right
        rows = self._generators(index).random((before + 1, len(self._sets)))
        return right != bool(rows[before, question] < self._rate)
