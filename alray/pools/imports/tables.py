"""Import a table: a column of labels, one of ids, and columns of lists, or a column per feature."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from alray.errors import PoolError
from alray.pools.imports.arrow_columns import class_names, is_scalar, is_text, scalar_array
from alray.pools.imports.rows import Array, Rows
from alray.pools.imports.scalars import as_ids, as_labels
from alray.pools.imports.source import (
    ID_NAMES,
    LABEL_NAMES,
    Further,
    ImportOptions,
    ImportSource,
    find_name,
    renaming_notes,
    row_numbers,
)
from alray.pools.imports.table_features import choose_columns, feature_rows
from alray.pools.modality_columns import clean_name

BATCH_ROWS = 4096


@dataclass(eq=False)
class Table:
    """A table to be read in order, perhaps larger than memory.

    Attributes:
        origin: The file or folder, for messages.
        schema: Arrow schema.
        batches: Yields all rows in Arrow record batches.
        parts: Name of each part and its number of rows; an id begins with it where there are none, or they begin
            anew in each part.
    """

    origin: str
    schema: Any
    batches: Callable[[], Iterator[Any]]
    parts: Sequence[tuple[str, int]] = field(default_factory=tuple)


def from_table(
    table: Table, options: ImportOptions, rows: Mapping[str, Rows] | None = None
) -> ImportSource:
    """Return the objects of a table; scalar columns that are nothing else are kept as they are.

    Args:
        table: Labels, ids, and features unless `rows` holds them.
        options: The user's options.
        rows: Modality name: features of the table's objects.

    Raises:
        PoolError: Labels or modalities are missing, column names are repeated, or values do not fit.
    """
    names = list(table.schema.names)
    repeated = sorted({a for a, b in pairwise(sorted(names)) if a == b})
    if repeated:
        raise PoolError(
            f"{table.origin}: two columns are called {repeated[0]!r}; rename one of them"
        )
    label = find_name(table.origin, "column", names, options.label, LABEL_NAMES)
    if label is None:
        raise PoolError(
            f"{table.origin}: no column of labels (named {', '.join(LABEL_NAMES)}); "
            f"columns are {', '.join(names)}; name yours with --label"
        )
    id_name = find_name(table.origin, "column", names, options.id, ID_NAMES)
    used = {label, *([] if id_name is None else [id_name])}
    shared = SharedBatches(table.batches)
    chosen = (
        {}
        if rows is not None
        else choose_columns(table.origin, table.schema, shared, used, options.modalities)
    )
    labels = as_labels(f"{table.origin}:{label}", _scalars(table, shared, label))
    ids = _ids(table, shared, id_name, len(labels))
    rows = rows or {
        name: feature_rows(f"{table.origin}:{source}", table.schema, shared, columns, len(labels))
        for name, (source, columns) in chosen.items()
    }
    taken = used | {column for _, columns in chosen.values() for column in columns}
    further, notes = _further(table, shared, taken, set(rows))
    notes = (
        *renaming_notes(
            {name: source for name, (source, _) in chosen.items() if not options.modalities}
        ),
        *notes,
    )
    return ImportSource(table.origin, ids, labels, rows, further, notes)


class SharedBatches:
    """The batches of a table, for several readers that advance together: each batch is read once."""

    def __init__(self, batches: Callable[[], Iterator[Any]]) -> None:
        self._open = batches
        self._number = -1
        self._batch: Any = None
        self._stream: Iterator[Any] = iter(())

    def __iter__(self) -> Iterator[Any]:
        number = 0
        while True:
            batch = self._at(number)
            if batch is None:
                return
            yield batch
            number += 1

    def _at(self, number: int) -> Any:
        """Return a batch, or None after the last."""
        if number < self._number or self._number < 0:
            self._stream, self._number = _small(self._open()), -1
        while self._number < number:
            self._batch = next(self._stream, None)
            self._number += 1
            if self._batch is None:
                break
        return self._batch


def _small(batches: Iterator[Any]) -> Iterator[Any]:
    for batch in batches:
        for start in range(0, batch.num_rows, BATCH_ROWS):
            yield batch.slice(start, BATCH_ROWS)


def _scalars(table: Table, shared: SharedBatches, column: str) -> Array:
    origin = f"{table.origin}:{column}"
    names = class_names(table.schema, column)
    parts = [scalar_array(origin, batch.column(column), names) for batch in shared]
    # Whole numbers with a missing one among them are text in that batch.
    if {part.dtype.kind for part in parts} > {"U"}:
        parts = [part.astype(np.str_) for part in parts]
    return np.concatenate(parts) if parts else np.empty(0, np.str_)


def _ids(table: Table, shared: SharedBatches, column: str | None, count: int) -> Any:
    if column is None and not table.parts:
        return row_numbers(count)
    names = np.asarray([part for part, rows in table.parts for _ in range(rows)], np.str_)
    if column is None:
        texts = np.concatenate([row_numbers(rows) for _, rows in table.parts])
    else:
        texts = as_ids(f"{table.origin}:{column}", _scalars(table, shared, column))
        if not table.parts or len(np.unique(texts)) == count:
            return texts
    return np.char.add(np.char.add(names, "/"), texts)


def _further(
    table: Table, shared: SharedBatches, taken: set[str], modalities: set[str]
) -> tuple[dict[str, Further], tuple[str, ...]]:
    """Return the other scalar columns, under their own names or similar ones, and what to tell of them."""
    written = {"id", "label", *modalities}
    kept: dict[str, Further] = {}
    notes: list[str] = []
    left_out = []
    for column in table.schema.names:
        kind = table.schema.field(column).type
        if column in taken:
            continue
        if not is_scalar(kind):
            left_out.append(column)
            continue
        name = (
            column
            if column and column not in written
            else clean_name(column or "unnamed", written)
        )
        if name != column:
            notes.append(f"column {column!r} is kept as {name!r}")
        written.add(name)
        kept[name] = _column_chunks(shared, column, kind)
    if left_out:
        notes.append(f"left out: {', '.join(left_out)}")
    return kept, tuple(notes)


def _column_chunks(shared: SharedBatches, column: str, kind: Any) -> Further:
    target = kind.value_type if pa.types.is_dictionary(kind) else kind
    target = pa.string() if is_text(target) else target

    def chunks(size: int) -> Iterator[Any]:
        waiting = pa.array([], target)
        for batch in shared:
            waiting = pa.concat_arrays([waiting, batch.column(column).cast(target)])
            while len(waiting) >= size:
                yield waiting[:size]
                waiting = waiting[size:]
        if len(waiting):
            yield waiting

    return chunks
