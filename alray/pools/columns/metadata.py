"""Ids, labels and groups of objects, from columns of any scalar type."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from alray.errors import PoolError
from alray.pools.columns.labels import NO_LABEL, read_labels
from alray.pools.columns.texts import positions, read_texts
from alray.pools.files.parquet import PoolFile
from alray.pools.pool import Indices, Texts
from alray.settings.common import PoolSpec

LONGEST_ID = 1024
"""A column of longer texts holds documents, not ids."""

DEFAULT_ID = PoolSpec().id
"""The column of ids, where the settings name no other."""


@dataclass(frozen=True, eq=False)
class Metadata:
    """Ids, labels and groups of all objects of a file.

    Attributes:
        ids: (objects,) text, unique.
        labels: (objects,) int64, positions in `classes`, or NO_LABEL.
        classes: Class names, sorted; numbers by value.
        groups: (objects,) int64 codes of the `group_by` column, if there is one.
        notes: What was taken otherwise than it is written, a line each.
    """

    ids: Texts
    labels: Indices
    classes: tuple[str, ...]
    groups: Indices | None
    notes: tuple[str, ...] = ()

    def keep(self, kept: npt.NDArray[np.bool_]) -> "Metadata":
        """Return the objects where `kept` is true, with the classes that are left."""
        left, labels = np.unique(self.labels[kept], return_inverse=True)
        groups = None if self.groups is None else self.groups[kept]
        classes = tuple(self.classes[code] for code in left)
        return Metadata(self.ids[kept], labels.astype(np.int64), classes, groups, self.notes)


def name_some(names: Sequence[Any] | npt.NDArray[Any]) -> str:
    """Return the first five names and how many more there are."""
    shown = ", ".join(str(name) for name in names[:5])
    more = len(names) - 5
    return f"{shown} and {more:,} more" if more > 0 else shown


def read_metadata(file: PoolFile, spec: PoolSpec) -> Metadata:
    """Read ids, labels and groups.

    Raises:
        PoolError: A column is missing or not scalar, an id is null, empty, very long or repeated, or no object has a
            label.
    """
    id_column, label_column = id_column_of(file, spec), file.name_of(spec.label)
    file.field(label_column, "--label COLUMN")
    if spec.group_by is not None:
        file.field(spec.group_by, "--group-by COLUMN")
    ids = ids_in(file, id_column)
    labels = read_labels(file, label_column, ids)
    groups = None if spec.group_by is None else _read_groups(file, spec.group_by)
    notes = []
    if id_column is None:
        notes.append(
            f"{file.path}: no column {DEFAULT_ID!r}, so ids are the numbers of the rows, from 0; "
            "name a column of ids with --id COLUMN"
        )
    missing = np.flatnonzero(labels.codes == NO_LABEL)
    if len(missing) == len(ids):
        raise PoolError(
            f"{file.path}: column {spec.label!r} is null or empty in all {len(ids):,} rows; "
            "a replay needs labels: name another column with --label COLUMN"
        )
    if len(missing):
        notes.append(
            f"{file.path}: left out {len(missing):,} of {len(ids):,} objects without a label "
            f"(column {spec.label!r} is null or empty): {name_some(ids[missing])}"
        )
    return Metadata(ids, labels.codes, labels.classes, groups, tuple(notes))


def id_column_of(file: PoolFile, spec: PoolSpec) -> str | None:
    """Return the column of ids; None where the settings name none and there is none, so that rows are numbered.

    Raises:
        PoolError: The settings name one that is not there.
    """
    column = file.name_of(spec.id)
    if spec.id == DEFAULT_ID and column not in file.schema.names:
        return None
    file.field(column, "--id COLUMN")
    return column


def ids_in(file: PoolFile, column: str | None) -> Texts:
    """Return (rows,) the ids in this column, or the numbers of the rows; errors as in `read_ids`."""
    return row_numbers(0, file.rows) if column is None else read_ids(file, column)


def row_numbers(first: int, rows: int) -> Texts:
    """Return the ids of rows of a pool without a column of ids: their numbers."""
    return np.arange(first, first + rows).astype(np.str_).astype(np.object_)


def read_ids(file: PoolFile, column: str) -> Texts:
    """Return (rows,) the ids in a column.

    Raises:
        PoolError: One is null, empty, very long or repeated.
    """
    ids = read_texts(file, column)
    missing = positions(pc.equal(ids, ""))
    if len(missing):
        raise PoolError(
            f"{file.path}: column {column!r} is null or empty in {len(missing):,} rows "
            f"(rows {name_some(missing)}, counted from 0); give every object an id"
        )
    if pc.max(pc.utf8_length(ids)).as_py() > LONGEST_ID:
        raise PoolError(
            f"{file.path}: column {column!r} holds texts of more than {LONGEST_ID:,} characters; "
            "name a column of short ids with --id COLUMN"
        )
    counts = pc.value_counts(ids)
    repeated = counts.field("values").filter(pc.greater(counts.field("counts"), 1)).to_pylist()
    if repeated:
        raise PoolError(
            f"{file.path}: column {column!r} holds {len(repeated):,} ids more than once: "
            f"{name_some(repeated)}; make them unique, or name another column with --id COLUMN"
        )
    return np.asarray(ids.to_numpy(zero_copy_only=False))


def _read_groups(file: PoolFile, column: str) -> Indices:
    """Return codes in order of appearance; an object without a value is alone in its group."""
    texts = read_texts(file, column)
    alone = positions(pc.equal(texts, ""))
    encoded = pc.fill_null(texts, "").dictionary_encode()
    codes: Indices = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    codes[alone] = len(encoded.dictionary) + np.arange(len(alone))
    # The code of "" is free now: encoding once more closes the gap, so equal partitions have equal codes.
    return np.asarray(pa.array(codes).dictionary_encode().indices, np.int64)
