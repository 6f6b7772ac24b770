"""Which objects of a pool are which: labelled at the start, of the audit part, asked about, or left to choose from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alray.pools.open_pool import OpenPool
from alray.pools.pool import Indices
from alray.studies.campaign.audit import Places, places
from alray.studies.campaign.ledger import Ledger

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Parts:
    """The objects of a pool as a campaign sees them now.

    Attributes:
        row: Id: position in the pool.
        audit: (objects,) those of the audit part.
        place: (objects,) the numbers by which the audit part is drawn and ordered.
        asked: (objects,) those that a batch had.
        answered: (objects,) those that somebody has answered about, asked or not.
        initial: (objects,) those that had a label when they were first seen.
    """

    row: dict[str, int]
    audit: Mask
    place: Places
    asked: Mask
    answered: Mask
    initial: Mask

    @property
    def candidates(self) -> Indices:
        """The objects that a strategy may choose from, in the order of the pool."""
        return np.flatnonzero(~(self.audit | self.asked | self.answered | self.initial))

    @property
    def audits(self) -> Indices:
        """The objects of the audit part that were not asked about, in the order in which they will be."""
        left = np.flatnonzero(self.audit & ~self.asked)
        return left[np.argsort(self.place[left], kind="stable")]

    def in_order(self, most: int) -> Indices:
        """Return the first objects of the audit part in its order, asked about or not."""
        part = np.flatnonzero(self.audit)
        return part[np.argsort(self.place[part], kind="stable")][:most]

    def rows(self, ids: list[str]) -> Indices:
        """Return the positions of those of these objects that are in the pool, in their order."""
        return np.array([self.row[each] for each in ids if each in self.row], dtype=np.int64)


def parts_of(pool: OpenPool, ledger: Ledger, seed: int, share: float) -> Parts:
    """Return the parts of a pool; the audit part has this share of the objects without a label at the start.

    Of a group, all objects are drawn together. One that holds a label from the start is not of the audit part: the
    network learns from it.
    """
    ids = [str(each) for each in pool.known.ids]
    row = {each: number for number, each in enumerate(ids)}
    asked, answered, initial = (
        _mask(row, each) for each in (ledger.asked.index, ledger.given["task"], ledger.initial)
    )
    names, taken = ids, initial
    if pool.groups is not None:
        names = [
            f"group {group}" if group else f"object {each}"
            for group, each in zip(pool.groups, ids, strict=True)
        ]
        learnt = {names[number] for number in np.flatnonzero(initial)}
        taken = np.array([name in learnt for name in names], dtype=np.bool_)
    place = places(seed, names)
    audit = (place < share) & ~taken
    # What was asked about for the audit stays of it, and what was learnt from does not join it.
    purposes = ledger.asked["purpose"]
    for each, purpose in purposes.items():
        if each in row:
            audit[row[str(each)]] = purpose == "audit"
    return Parts(row, audit, place, asked, answered, initial)


def _mask(row: Mapping[str, int], ids: Iterable[str]) -> Mask:
    mask = np.zeros(len(row), dtype=np.bool_)
    mask[[row[each] for each in ids if each in row]] = True
    return mask
