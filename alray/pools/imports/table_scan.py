"""Look at the columns of a table once, for their shapes and scalars, before their values are read in chunks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa

from alray.errors import PoolError
from alray.pools.files.arrow_types import is_text
from alray.pools.imports.arrow_columns import (
    element_type,
    is_number,
    list_shape,
    list_values,
    null_numbers,
    number_values,
    ragged,
    scalar_array,
)
from alray.pools.imports.batches import SharedBatches
from alray.pools.imports.rows import Array, Rows
from alray.pools.imports.table_features import holds_lists


@runtime_checkable
class FeatureScan(Protocol):
    """What one modality's columns look like, gathered batch by batch."""

    def add(self, batch: Any) -> None:
        """Look at the next batch."""

    def rows(self, batches: SharedBatches) -> Rows:
        """Return the rows of the batches that were looked at."""


def scan_features(origin: str, schema: Any, first: Any, columns: list[str]) -> FeatureScan:
    """Return the scan of a column of lists, or of several columns of numbers.

    Raises:
        PoolError: The columns hold neither.
    """
    kinds = [schema.field(name).type for name in columns]
    if len(columns) == 1 and element_type(kinds[0]) is not None:
        return _Lists(origin, columns[0], element_type(kinds[0]))
    if len(columns) == 1 and is_text(kinds[0]) and holds_lists(kinds[0], first, columns[0]):
        return _TextLists(origin, columns[0])
    for name, kind in zip(columns, kinds, strict=True):
        if not (is_number(kind) or is_text(kind)):
            raise PoolError(
                f"{origin}: column {name!r} is {kind}, and a modality is a column of lists of numbers, or several "
                "columns of numbers; convert it, or name others with --modality"
            )
    return _Numbers(origin, columns)


@dataclass
class ScalarScan:
    """The labels or ids of a table.

    Attributes:
        names: Names of the numbers 0, 1, ... if the file gives them.
    """

    origin: str
    column: str
    names: list[str] | None = None
    parts: list[Array] = field(default_factory=list)

    def add(self, batch: Any) -> None:
        """Keep the values of the next batch."""
        self.parts.append(scalar_array(self.origin, batch.column(self.column), self.names))

    def values(self) -> Array:
        """Return (rows,) the values of all batches."""
        # Whole numbers with a missing one among them are text in that batch.
        if {part.dtype.kind for part in self.parts} > {"U"}:
            self.parts = [part.astype(np.str_) for part in self.parts]
        return np.concatenate(self.parts) if self.parts else np.empty(0, np.str_)


@dataclass
class _Numbers:
    origin: str
    columns: list[str]
    count: int = 0

    def add(self, batch: Any) -> None:
        self.count += batch.num_rows

    def rows(self, batches: SharedBatches) -> Rows:
        def chunks(size: int) -> Iterator[Array]:
            for batch in batches.of_size(size):
                found = [
                    number_values(f"{self.origin}: column {name!r}", batch.column(name))
                    for name in self.columns
                ]
                yield np.stack(found, axis=1)

        return Rows(self.origin, self.count, (len(self.columns),), np.dtype(np.float64), chunks)


@dataclass
class _Lists:
    origin: str
    column: str
    kind: Any
    shape: tuple[int, ...] | None = None
    count: int = 0
    missing: int = 0  # null lists, and null numbers in lists

    def add(self, batch: Any) -> None:
        lists = batch.column(self.column)
        found = list_shape(self.origin, lists, self.count)
        if found is not None and self.shape is not None and found != self.shape:
            where = range(self.count, self.count + batch.num_rows)
            raise ragged(self.origin, int(np.prod(self.shape)), where)
        self.shape = self.shape or found
        self.count += batch.num_rows
        self.missing += lists.null_count + null_numbers(lists)

    def rows(self, batches: SharedBatches) -> Rows:
        if self.shape is None or 0 in self.shape:
            what = "null in every row" if self.shape is None else "empty lists"
            raise PoolError(
                f"{self.origin}: {what}; leave the column out: name the others with --modality"
            )
        shape = self.shape
        while len(shape) > 1 and shape[0] == 1:  # lists of one list
            shape = shape[1:]
        dtype = self._dtype(len(shape))

        def chunks(size: int) -> Iterator[Array]:
            for batch in batches.of_size(size):
                yield list_values(batch.column(self.column), shape, dtype)

        return Rows(self.origin, self.count, shape, dtype, chunks)

    def _dtype(self, axes: int) -> np.dtype[Any]:
        # Bytes have no NaN: with a null among them an image would be written as one with a black pixel.
        if self.kind == pa.uint8() and not self.missing and axes > 1:
            return np.dtype(np.uint8)
        return np.dtype(
            self.kind.to_pandas_dtype() if pa.types.is_floating(self.kind) else np.float32
        )


@dataclass
class _TextLists:
    """Lists that are written as text, as JSON or as NumPy prints them."""

    origin: str
    column: str
    width: int = 0
    count: int = 0

    def add(self, batch: Any) -> None:
        texts = batch.column(self.column).to_pylist()
        for row, values in enumerate(map(_parse_list, texts), self.count):
            if isinstance(values, str):
                raise PoolError(
                    f"{self.origin}: row {row} (counted from 0) holds {values}; write JSON lists of numbers"
                )
            self.width = self.width or (0 if values is None else len(values))
            if values is not None and len(values) != self.width:
                raise ragged(self.origin, self.width, [row])
        self.count += batch.num_rows

    def rows(self, batches: SharedBatches) -> Rows:
        def chunks(size: int) -> Iterator[Array]:
            for batch in batches.of_size(size):
                parsed = map(_parse_list, batch.column(self.column).to_pylist())
                absent = np.full(self.width, np.nan)
                yield np.stack([absent if v is None else np.asarray(v) for v in parsed])

        return Rows(self.origin, self.count, (self.width,), np.dtype(np.float64), chunks)


def _parse_list(text: str | None) -> Array | str | None:
    """Return the numbers of a list, None for an empty text, or what is wrong with it."""
    bare = (text or "").strip()
    if bare.lower() in {"", "null", "none", "nan", "[]"}:
        return None
    if "..." in bare:
        return f"the list {bare[:30]!r}, which was cut off by '...' when it was written"
    try:
        values = np.asarray(json.loads(bare), np.float64)
    except (ValueError, TypeError):
        try:
            values = np.asarray(bare.strip("[]").replace(",", " ").split(), np.float64)
        except ValueError:
            return f"{bare[:30]!r}"
    return values.reshape(-1) if values.ndim else f"{bare[:30]!r}"
