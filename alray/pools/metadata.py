"""Ids, labels and groups of objects, from columns of any scalar type."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from alray.errors import PoolError
from alray.pools.parquet import PoolFile
from alray.pools.pool import Indices, Texts
from alray.settings.common import PoolSpec

LONGEST_ID = 1024
"""Memory holds all ids at the width of the longest: a document in the id column would take gigabytes."""

_TEXT_KINDS = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_boolean,
)


@dataclass(frozen=True, eq=False)
class Metadata:
    """Ids, labels and groups of all objects of a file.

    Attributes:
        ids: (objects,) text, unique.
        labels: (objects,) int64, positions in `classes`.
        classes: Class names, sorted; integers by value.
        groups: (objects,) int64 codes of the `group_by` column, if there is one.
    """

    ids: Texts
    labels: Indices
    classes: tuple[str, ...]
    groups: Indices | None

    def keep(self, kept: npt.NDArray[np.bool_]) -> "Metadata":
        """Return the objects where `kept` is true, with the classes that are left."""
        left, labels = np.unique(self.labels[kept], return_inverse=True)
        groups = None if self.groups is None else self.groups[kept]
        classes = tuple(self.classes[code] for code in left)
        return Metadata(self.ids[kept], labels.astype(np.int64), classes, groups)


def name_some(names: Sequence[Any] | npt.NDArray[Any]) -> str:
    """Return the first five names and how many more there are."""
    shown = ", ".join(str(name) for name in names[:5])
    more = len(names) - 5
    return f"{shown} and {more:,} more" if more > 0 else shown


def read_metadata(file: PoolFile, spec: PoolSpec) -> Metadata:
    """Read ids, labels and groups.

    Raises:
        PoolError: A column is missing or not scalar, an id is null, empty, very long or repeated, or a label is null or
            empty.
    """
    file.field(spec.id, "--id COLUMN")
    file.field(spec.label, "--label COLUMN")
    if spec.group_by is not None:
        file.field(spec.group_by, "--group-by COLUMN")
    ids = _read_ids(file, spec.id)
    labels, classes = _read_labels(file, spec.label, ids)
    groups = None if spec.group_by is None else _read_groups(file, spec.group_by)
    return Metadata(ids, labels, classes, groups)


def _as_text(file: PoolFile, column: str) -> Any:
    values = file.column(column)
    try:
        return values.cast(pa.string())
    except pa.ArrowException:
        raise PoolError(
            f"{file.path}: column {column!r} is {values.type}, which cannot be read as text; convert it, or name "
            "another column with --id, --label or --group-by"
        ) from None


def _positions(mask: Any) -> Indices:
    """Return the positions at which a boolean Arrow array is true or null."""
    found = np.flatnonzero(pc.fill_null(mask, True).to_numpy(zero_copy_only=False))  # noqa: FBT003 -- Arrow's signature
    return found.astype(np.int64)


def _read_ids(file: PoolFile, column: str) -> Texts:
    ids = _as_text(file, column)
    missing = _positions(pc.equal(ids, ""))
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
    return np.asarray(ids.to_numpy(zero_copy_only=False), dtype=np.str_)


def _read_labels(file: PoolFile, column: str, ids: Texts) -> tuple[Indices, tuple[str, ...]]:
    values = file.column(column)
    kind = values.type
    whole = pa.types.is_integer(kind)
    if not (whole or any(is_kind(kind) for is_kind in _TEXT_KINDS)):
        raise PoolError(
            f"{file.path}: column {column!r} is {kind}, and labels are text or integers; "
            "convert it, or name another column with --label COLUMN"
        )
    missing = _positions(pc.is_null(values) if whole else pc.equal(values.cast(pa.string()), ""))
    if len(missing):
        raise PoolError(
            f"{file.path}: column {column!r} is null or empty for {len(missing):,} objects: "
            f"{name_some(ids[missing])}; remove these rows, or label them: a replay needs every label"
        )
    encoded = values.dictionary_encode()
    codes: Indices = encoded.indices.to_numpy(zero_copy_only=False)
    names = encoded.dictionary.to_pylist()
    order = sorted(range(len(names)), key=names.__getitem__)
    position = np.empty(len(names), np.int64)
    position[order] = np.arange(len(names))
    return np.asarray(position[codes]), tuple(str(names[code]) for code in order)


def _read_groups(file: PoolFile, column: str) -> Indices:
    """Return codes in order of appearance; an object without a value is alone in its group."""
    texts = _as_text(file, column)
    alone = _positions(pc.equal(texts, ""))
    encoded = pc.fill_null(texts, "").dictionary_encode()
    codes: Indices = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    codes[alone] = len(encoded.dictionary) + np.arange(len(alone))
    # The code of "" is free now: encoding once more closes the gap, so equal partitions have equal codes.
    return np.asarray(pa.array(codes).dictionary_encode().indices, np.int64)
