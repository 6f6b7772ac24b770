"""What an import takes and gives: the user's options, and labels, ids and rows of features."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from alray.errors import PoolError
from alray.pools.columns.modality_names import can_name_modality, clean_name
from alray.pools.imports.rows import Rows
from alray.pools.pool import Texts
from alray.settings.base import unknown_name

LABEL_NAMES = ("label", "labels", "y", "target", "targets")
ID_NAMES = ("id", "ids")

Integers = npt.NDArray[np.integer[Any]]
"""int64, or uint64 where a label is larger than the largest int64."""

Labels = np.ma.MaskedArray[Any, np.dtype[Any]]
"""(objects,) text or integers, masked where an object has no label."""

Further = Callable[[int], Iterator[Any]]
"""Yields the values of a further column: Arrow arrays of the given number of rows (the last may be shorter)."""


@dataclass(frozen=True)
class ImportOptions:
    """The user's options for a source, with the names of its arrays or columns of labels and ids.

    Attributes:
        modalities: Modality name: array, column, or pattern of columns; all that can be modalities if empty.
        columns: Modality name: (first, last + 1) column, for one array that holds labels and features.
        label_column: The label's column in such an array.
        split_column: Column to write the part of each object to, where the source has parts.
    """

    label: str | None = None
    id: str | None = None
    modalities: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    label_column: int = 0
    split_column: str | None = None


@dataclass(frozen=True, eq=False)
class ImportSource:
    """Objects to import.

    Attributes:
        origin: The file or folder, for messages.
        ids: (objects,) text.
        labels: (objects,) text or integers, masked where there is none.
        rows: Modality name: its features.
        further: Column name: values that are kept as they are.
        notes: What the user should know about the choice of names, a line each.
    """

    origin: str
    ids: Texts
    labels: Labels
    rows: Mapping[str, Rows]
    further: Mapping[str, Further] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def find_name(
    path: object, kind: str, names: Sequence[str], named: str | None, usual: tuple[str, ...]
) -> str | None:
    """Return the name that the user has given, or else the first usual name that exists, in small letters or not.

    Raises:
        PoolError: The name that the user has given does not exist.
    """
    if named is not None and named not in names:
        raise PoolError(f"{path}: {unknown_name(kind, named, list(names))}")
    exact = next((name for name in usual if name in names), None)
    return named or exact or next((name for name in names if name.lower() in usual), None)


def name_modalities(path: object, sources: Mapping[str, str], *, given: bool) -> dict[str, str]:
    """Return modality name: array or column; names that the user has not given are cleaned.

    Args:
        path: The source, for messages.
        sources: Wanted name: array or column.
        given: Whether the user has given the names.

    Raises:
        PoolError: A name that the user has given cannot name a modality.
    """
    names: dict[str, str] = {}
    for name, source in sources.items():
        if name in {"id", "label"}:
            raise PoolError(
                f"{path}: a modality cannot be called id or label; rename it with --modality NAME={source}"
            )
        if given and not can_name_modality(name):
            raise PoolError(
                f"{path}: {name!r} cannot name a modality (letters, digits, _ and -, not 'fused'); "
                f"give another name with --modality NAME={source}"
            )
        valid = [other for other in sources if can_name_modality(other)]
        names[name if name in valid else clean_name(name, {*names, *valid, "id", "label"})] = (
            source
        )
    return names


def renaming_notes(names: Mapping[str, str]) -> tuple[str, ...]:
    """Return a line for each modality that is not called as its array or column."""
    return tuple(
        f"{source!r} is modality {name!r}: a name has letters, digits, _ and -"
        for name, source in names.items()
        if name != source
    )


def row_numbers(count: int) -> Texts:
    """Return (count,) text: the ids of objects without any."""
    return np.arange(count).astype(np.str_)


def in_chunks(values: Any) -> Further:
    """Return a further column whose values are in memory."""

    def chunks(size: int) -> Iterator[Any]:
        for start in range(0, len(values), size):
            yield values[start : start + size]

    return chunks
