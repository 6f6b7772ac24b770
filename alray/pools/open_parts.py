"""A pool that is being labelled and does not fit in memory: its features are read a part at a time."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np

from alray.pools.ids import IdSet
from alray.pools.moments import Sums
from alray.pools.objects import joined
from alray.pools.pool import Modality, Texts
from alray.pools.reading_parts import CandidatePool
from alray.pools.slices import Counts, Slice
from alray.pools.standardise import Moments

TRIED = 1_000
"""Objects by which a network is tried before there is anything to learn from."""


@dataclass(frozen=True, eq=False)
class OpenParts:
    """The features of an open pool, which stay in its files.

    Attributes:
        files: The pool in parts; all of its objects are candidates.
    """

    files: CandidatePool

    def without(self, ids: Collection[str]) -> CandidatePool:
        """Return the pool with all objects but these as candidates."""
        return replace(self.files, excluded=IdSet(ids))

    def some(self, ids: Collection[str]) -> tuple[Modality, ...]:
        """Return the features of these objects, one or more, as they are read, in the order of the pool.

        Raises:
            PoolError: They cannot be used.
        """
        slices = _slices(replace(self.files, excluded=IdSet(ids, others=True)))
        return tuple(joined(each) for each in zip(*(s.modalities for s in slices), strict=True))

    def first(self) -> tuple[tuple[Modality, ...], Texts]:
        """Return the features of some first objects, and their ids.

        Raises:
            PoolError: They cannot be used.
        """
        first = next(_slices(self.files))
        some = first.some(np.arange(min(TRIED, len(first.ids))))
        return some.modalities, some.ids

    def moments(self) -> tuple[Moments, ...]:
        """Return what standardises each modality: moments over all objects that have it, equal to those in memory.

        Reads the pool twice.

        Raises:
            PoolError: The pool holds what cannot be used.
        """
        widths = [int(np.prod(shape)) for shape in self.files.shapes.values()]
        totals = self._sums(lambda number: Sums(widths[number]))
        means = [each.total() / max(1, each.rows) for each in totals]
        squares = self._sums(lambda number: Sums(widths[number], means[number]))
        return tuple(
            Moments(mean, np.sqrt(each.total() / max(1, each.rows)))
            for mean, each in zip(means, squares, strict=True)
        )

    def _sums(self, begin: Callable[[int], Sums]) -> list[Sums]:
        found = [begin(number) for number in range(len(self.files.shapes))]
        for some in _slices(self.files):
            for each, modality in zip(found, some.modalities, strict=True):
                each.add(modality.features)
        return found


def _slices(pool: CandidatePool) -> Iterator[Slice]:
    for part in pool.files.parts:
        yield from pool.slices(part, Counts())
