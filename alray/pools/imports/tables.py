"""Import a table: a column of labels, one of ids, and columns of lists, or a column per feature."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from alray.errors import PoolError
from alray.pools.columns.modality_names import clean_name
from alray.pools.files.arrow_types import decoded, is_text
from alray.pools.imports.arrow_columns import class_names, is_scalar
from alray.pools.imports.batches import SharedBatches
from alray.pools.imports.parts import joining_notes
from alray.pools.imports.rows import Rows
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
from alray.pools.imports.table_features import choose_columns
from alray.pools.imports.table_scan import ScalarScan, scan_features
from alray.pools.pool import Texts


@dataclass(eq=False)
class Table:
    """A table to be read in order, perhaps larger than memory.

    Attributes:
        origin: The file or folder, for messages.
        schema: Arrow schema.
        batches: Yields all rows in Arrow record batches.
        parts: Name of each part and its number of rows, if the last column names the parts. An id begins with its
            part's name where there are no ids, or they begin anew in each part.
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
    label, id_name = _label_and_id(table, options)
    used = {label, *([] if id_name is None else [id_name])}
    shared = SharedBatches(table.batches)
    chosen = {}
    if rows is None:
        chosen = choose_columns(table.origin, table.schema, shared, used, options.modalities)
    first = next(iter(shared), None)
    features = {
        name: scan_features(f"{table.origin}:{source}", table.schema, first, columns)
        for name, (source, columns) in chosen.items()
    }
    names_of_classes = class_names(table.schema, label)
    labels_scan = ScalarScan(f"{table.origin}:{label}", label, names_of_classes)
    ids_scan = None if id_name is None else ScalarScan(f"{table.origin}:{id_name}", id_name)
    scans: list[Any] = [labels_scan, *([] if ids_scan is None else [ids_scan]), *features.values()]
    for batch in shared:
        for scan in scans:
            scan.add(batch)
    labels = as_labels(labels_scan.origin, labels_scan.values())
    ids = _ids(table, ids_scan, len(labels))
    rows = rows or {name: scan.rows(shared) for name, scan in features.items()}
    taken = used | {column for _, columns in chosen.values() for column in columns}
    further, notes = _further(table, shared, taken, set(rows))
    notes = (
        *renaming_notes(
            {name: source for name, (source, _) in chosen.items() if not options.modalities}
        ),
        *notes,
    )
    joined = joining_notes(table.schema.names[-1], table.parts)
    return ImportSource(table.origin, ids, labels, rows, further, (*notes, *joined))


def _label_and_id(table: Table, options: ImportOptions) -> tuple[str, str | None]:
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
    return label, find_name(table.origin, "column", names, options.id, ID_NAMES)


def _ids(table: Table, scan: ScalarScan | None, count: int) -> Texts:
    if scan is None and not table.parts:
        return row_numbers(count)
    names = np.asarray([part for part, rows in table.parts for _ in range(rows)], np.str_)
    if scan is None:
        texts = np.concatenate([row_numbers(rows) for _, rows in table.parts])
    else:
        texts = as_ids(scan.origin, scan.values())
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
    target = decoded(kind)
    target = pa.string() if is_text(target) else target

    def chunks(size: int) -> Iterator[Any]:
        for batch in shared.of_size(size):
            yield batch.column(column).cast(target)

    return chunks
