"""Columns of whole numbers with a row per answer: a table that only grows, and lies in a checkpoint as it is."""

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
import numpy.typing as npt

AnyColumns = TypeVar("AnyColumns", bound="Columns")

Column = npt.NDArray[np.int64]


def empty() -> Column:
    """Return a column without rows."""
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Columns:
    """What tables of answers can do; their fields are columns of one length."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))

    def where(self: AnyColumns, rows: npt.NDArray[np.bool_]) -> AnyColumns:
        """Return some of the rows."""
        return type(self)(*(getattr(self, each.name)[rows] for each in fields(self)))

    def __add__(self: AnyColumns, later: AnyColumns) -> AnyColumns:
        return self.of_table(np.concatenate([self.table(), later.table()]))

    def table(self) -> Column:
        """Return (rows, columns) the columns in their order, as a checkpoint holds them."""
        return np.stack([getattr(self, each.name) for each in fields(self)], axis=1)

    @classmethod
    def of_table(cls: type[AnyColumns], table: Column) -> AnyColumns:
        """Return what `table` returned."""
        return cls(*(table[:, column].astype(np.int64) for column in range(len(fields(cls)))))
