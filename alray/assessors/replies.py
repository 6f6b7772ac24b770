"""Yes/no answers that were bought: one table, which only grows, and how they are given."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from alray.assessors.class_tree import Sets
from alray.pools.pool import Indices

Column = npt.NDArray[np.int64]

Shares = npt.NDArray[np.float64]
"""(assessors,)"""

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
