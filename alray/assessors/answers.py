"""Answers that were bought: one table, which only grows."""

from dataclasses import dataclass, field

from alray.assessors.columns import Column, Columns, empty
from alray.assessors.crowd import SKIP
from alray.pools.pool import Indices


@dataclass(frozen=True, eq=False)
class Answers(Columns):
    """Answers in the order in which they were given; skips are among them.

    Attributes:
        rounds: (m,) the round of each.
        objects: (m,) pool indices.
        assessors: (m,) who was asked.
        classes: (m,) what was answered, `SKIP` where nothing was.
    """

    rounds: Column = field(default_factory=empty)
    objects: Indices = field(default_factory=empty)
    assessors: Column = field(default_factory=empty)
    classes: Column = field(default_factory=empty)

    @property
    def given(self) -> "Answers":
        """Those that name a class."""
        return self.where(self.classes != SKIP)

    @property
    def bought(self) -> int:
        """How many name a class, and are paid for."""
        return int((self.classes != SKIP).sum())
