"""Which objects of a pool are which: labelled at the start, of the audit part, asked about, or left to choose from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alray.pools.open_pool import OpenPool
from alray.pools.pool import Indices, Texts
from alray.studies.campaign.audit import Places, places
from alray.studies.campaign.ledger import Ledger

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Parts:
    """The objects of a pool as a campaign sees them now.

    Attributes:
        row: Id: position in the pool.
        audit: (objects,) those of the audit part.
        held: (objects,) those that are not learnt from: of the audit part, or of a group of which it has asked.
        place: (objects,) the numbers by which the audit part is drawn and ordered.
        asked: (objects,) those that a batch had.
        answered: (objects,) those that somebody has answered about, asked or not.
        initial: (objects,) those that had a label when they were first seen.
    """

    row: dict[str, int]
    audit: Mask
    held: Mask
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

    Of a group, all objects are drawn together. One of which the network learns, by a label from the start or an answer
    to the strategy, is not of the audit part. But once an object of a group was asked for the audit, the group stays
    of it: a label that joins it later is not learnt from, else the group would be learnt from and measured by.
    """
    ids = [str(each) for each in pool.known.ids]
    row = {each: number for number, each in enumerate(ids)}
    asked, answered, initial = (
        _mask(row, each) for each in (ledger.asked.index, ledger.given["task"], ledger.initial)
    )
    purposes = ledger.asked["purpose"]
    audited = _mask(row, purposes.index[purposes == "audit"])
    chosen = asked & ~audited
    names = _names(ids, pool.groups)
    place = places(seed, names)
    measured = _with_group(audited, names)
    drawn = (place < share) & ~_with_group(initial | chosen, names)
    # What has a label or was chosen does not join the part, though its group may have come to be measured by.
    audit = (drawn | measured) & ~initial & ~chosen
    return Parts(row, audit, audit | measured, place, asked, answered, initial)


def _names(ids: list[str], groups: Texts | None) -> list[str]:
    """Return what the audit part is drawn by: each object's group, or the object itself."""
    if groups is None:
        return ids
    return [
        f"group {group}" if group else f"object {each}"
        for group, each in zip(groups, ids, strict=True)
    ]


def _with_group(some: Mask, names: list[str]) -> Mask:
    """Return (objects,) these objects, and all of their groups."""
    there = {names[number] for number in np.flatnonzero(some)}
    return np.array([name in there for name in names], dtype=np.bool_)


def _mask(row: Mapping[str, int], ids: Iterable[str]) -> Mask:
    mask = np.zeros(len(row), dtype=np.bool_)
    mask[[row[each] for each in ids if each in row]] = True
    return mask
