"""Answers that were bought: one table, which only grows."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from alray.assessors.crowd import SKIP
from alray.pools.pool import Indices

Column = npt.NDArray[np.int64]


def _empty() -> Column:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers in the order in which they were given; skips are among them.

    Attributes:
        rounds: (m,) the round of each.
        objects: (m,) pool indices.
        assessors: (m,) who was asked.
        classes: (m,) what was answered, `SKIP` where nothing was.
    """

    rounds: Column = field(default_factory=_empty)
    objects: Indices = field(default_factory=_empty)
    assessors: Column = field(default_factory=_empty)
    classes: Column = field(default_factory=_empty)

    def __len__(self) -> int:
        return len(self.objects)

    @property
    def given(self) -> "Answers":
        """Those that name a class."""
        return self.where(self.classes != SKIP)

    @property
    def bought(self) -> int:
        """How many name a class, and are paid for."""
        return int((self.classes != SKIP).sum())

    def where(self, rows: npt.NDArray[np.bool_]) -> "Answers":
        """Return some of them."""
        return Answers(
            self.rounds[rows], self.objects[rows], self.assessors[rows], self.classes[rows]
        )

    def __add__(self, later: "Answers") -> "Answers":
        return Answers(
            *(
                np.concatenate([getattr(self, name), getattr(later, name)])
                for name in ("rounds", "objects", "assessors", "classes")
            )
        )

    def table(self) -> Column:
        """Return (m, 4) rounds, objects, assessors and classes, as a checkpoint holds them."""
        return np.stack([self.rounds, self.objects, self.assessors, self.classes], axis=1)

    @staticmethod
    def of_table(table: Column) -> "Answers":
        """Return the answers that `table` returned."""
        return Answers(*(table[:, column].astype(np.int64) for column in range(4)))
