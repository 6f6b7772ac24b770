"""Some objects of a pool that may be chosen, as they are read, and how many may not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from alray.pools.objects import joined, some_objects
from alray.pools.pool import Indices, Modality, Texts


@dataclass(frozen=True, eq=False)
class Slice:
    """Some objects that may be chosen.

    Attributes:
        ids: (n,) their ids.
        rows: (n,) the numbers of their rows in the whole pool.
        modalities: Their features as they are read, not standardised.
    """

    ids: Texts
    rows: Indices
    modalities: tuple[Modality, ...]

    def some(self, objects: Indices) -> "Slice":
        """Return these of the objects, in this order."""
        modalities = tuple(some_objects(modality, objects) for modality in self.modalities)
        return Slice(self.ids[objects], self.rows[objects], modalities)


def gathered(slices: Iterator[Slice], rows: int) -> Iterator[Slice]:
    """Yield small slices together: at least so many rows at a time, but for the last; blocks are then seldom short."""
    waiting: list[Slice] = []
    for each in slices:
        waiting.append(each)
        if sum(len(one.ids) for one in waiting) >= rows:
            yield _together(waiting)
            waiting = []
    if waiting:
        yield _together(waiting)


def _together(slices: Sequence[Slice]) -> Slice:
    if len(slices) == 1:
        return slices[0]
    by_modality = zip(*(each.modalities for each in slices), strict=True)
    return Slice(
        np.concatenate([each.ids for each in slices]),
        np.concatenate([each.rows for each in slices]),
        tuple(joined(each) for each in by_modality),
    )


@dataclass
class Counts:
    """How many rows were read, and why objects among them may not be chosen.

    Attributes:
        rows: All.
        labelled: Those with a label.
        excluded: Those without one that are excluded.
    """

    rows: int = 0
    labelled: int = 0
    excluded: int = 0

    @property
    def candidates(self) -> int:
        """Objects that may be chosen."""
        return self.rows - self.labelled - self.excluded

    def add(self, other: "Counts") -> None:
        """Count those of another part too."""
        self.rows += other.rows
        self.labelled += other.labelled
        self.excluded += other.excluded
