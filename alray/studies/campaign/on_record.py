"""Which answers of a file are on record already, by the order in which both have them. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

Key = tuple[str, ...]
"""What tells an answer, of which a file may have several versions, from others."""


class Version(NamedTuple):
    """What an answer says.

    Attributes:
        label: The class, None where none is named.
        status: `answered`, `skipped` or `rejected`.
    """

    label: str | None
    status: str


@dataclass(frozen=True)
class Compared:
    """What a file has beside the record.

    Attributes:
        new: Rows of the file that are not on record.
        older: Rows of the file that are, and that another version has replaced since: a row per answer of which the
            file has nothing newer.
    """

    new: list[int]
    older: list[int]


def compared(
    keys: Sequence[Key],
    versions: Sequence[Version],
    timed: Sequence[bool],
    record: Mapping[Key, Sequence[Version]],
) -> Compared:
    """Compare the versions of each answer that a file has with those on record.

    A file may have all versions of an answer or the last one alone, and may be older than the record. What it has in
    the order of the record, whatever else stands between there, is on record; what comes after that is new. So a file
    that was added once adds nothing ever after. Versions that follow upon an equal one are none of their own.

    Args:
        keys: Of each row of the file, in its order.
        versions: Of each row.
        timed: Whether a row's key holds its time, so that all its versions are of one moment.
        record: The versions on record by key, in the order in which they count.
    """
    rows_of = defaultdict[Key, list[int]](list)
    for row, key in enumerate(keys):
        rows_of[key].append(row)
    new, older = list[int](), list[int]()
    for key, rows in rows_of.items():
        kept = [next(run) for _, run in groupby(rows, key=versions.__getitem__)]
        there = record.get(key, ())
        known = _in_order([versions[row] for row in kept], there)
        new += kept[known:]
        last = kept[-1]
        if known < len(kept) or versions[last] == there[-1]:
            continue
        withdrawn = timed[last] and _withdraws(versions[last], there[-1])
        (new if withdrawn else older).append(last)
    return Compared(new, older)


def _in_order(wanted: Iterable[Version], there: Iterable[Version]) -> int:
    """Return how many of the first versions wanted are there one after the other, whatever stands between."""
    found, rest = 0, iter(there)
    for each in wanted:
        if each not in rest:  # goes on behind the one that was found last
            break
        found += 1
    return found


def _withdraws(version: Version, last: Version) -> bool:
    """Whether a version says that the rejection that is last on record no longer holds.

    Of an answer of one moment only the review can have changed: Mechanical Turk's are submitted, rejected, and then
    approved all the same.
    """
    return last.status == "rejected" and last.label == version.label
