"""Read files of labels or ids: a value in each line, or a table of ids, labels and further columns."""

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from alray.errors import PoolError
from alray.pools.columns.metadata import name_some
from alray.pools.columns.modality_names import clean_name
from alray.pools.imports.arrow_columns import class_names, is_scalar, scalar_array, text_array
from alray.pools.imports.headings import is_heading
from alray.pools.imports.rows import Array
from alray.pools.imports.scalars import as_ids
from alray.pools.imports.source import ID_NAMES, LABEL_NAMES, ImportOptions, find_name
from alray.pools.imports.text_files import open_text
from alray.pools.pool import Texts

_USUAL = frozenset({*LABEL_NAMES, *ID_NAMES})
LINES = (
    "write one value per line, without further columns (an empty line is an object without a label), or two "
    "columns: id,label"
)


@dataclass(frozen=True, eq=False)
class LabelTable:
    """The columns of a file of labels, in its order.

    Attributes:
        file: For messages.
        origin: File and column, for messages.
        ids: (rows,) text, if there is such a column.
        further: Column name: Arrow array.
    """

    file: Path
    origin: str
    labels: Array
    ids: Texts | None = None
    further: dict[str, Any] = field(default_factory=dict)

    def in_order_of(self, ids: Texts, origin: str) -> "LabelTable":
        """Return the rows in the order of these ids; rows of other ids are left out.

        Raises:
            PoolError: An id has no row, or several.
        """
        if self.ids is None:
            return self
        names, counts = np.unique(self.ids, return_counts=True)
        if (counts > 1).any():
            raise PoolError(
                f"{self.origin}: ids are not unique: {name_some(names[counts > 1])}; write one row per object"
            )
        missing = ids[~np.isin(ids, names)]
        if len(missing):
            raise PoolError(
                f"{self.origin}: no row for {len(missing):,} ids of {origin}: {name_some(missing)}; add them"
            )
        rows = np.argsort(self.ids)[np.searchsorted(names, ids)]
        further = {name: values.take(pa.array(rows)) for name, values in self.further.items()}
        return LabelTable(self.file, self.origin, self.labels[rows], ids, further)


def read_lines(path: Path, wanted: int = 0, headings: Collection[str] = _USUAL) -> Texts:
    """Return the only value of each line, empty for an empty line.

    A heading such as `label` is skipped, and so are empty lines at the end, unless they make up the wanted number.

    Args:
        path: The file.
        wanted: How many objects there are; 0 if that is not known.
        headings: What the first line of a CSV file may hold to be one, in small letters.

    Raises:
        PoolError: The file is not UTF-8, a line has several values, or the first line may be a heading or not.
    """
    every = _read_cells(path)
    rows = _without_empty_end(every)
    if any(len(cells) != 1 for cells in rows):
        raise PoolError(f"{path}: {LINES}")
    values = [cells[0] for cells in rows]
    may_be_heading = path.suffix == ".csv" and values and values[0].lower() in headings
    if may_be_heading and is_heading(path, values, wanted, spare=len(every) - len(rows)):
        values = values[1:]
    lacking = wanted - len(values)
    if 0 < lacking <= len(every) - len(rows):
        values += [""] * lacking
    return text_array(str(path), values)


def read_label_table(path: Path, options: ImportOptions, wanted: int = 0) -> LabelTable:
    """Return the labels of a `.txt`, `.csv` or `.parquet` file, with its ids and further columns if it has them.

    Of lines with one value, empty ones at the end are labels where they make up the wanted number.

    Raises:
        PoolError: The file cannot be read, or which column holds the labels, or whether there is a heading, is not
            clear.
    """
    if path.suffix == ".parquet":
        return _read_parquet(path, options)
    rows = _without_empty_end(_read_cells(path))
    if path.suffix == ".txt" or not rows or all(len(cells) == 1 for cells in rows):
        return LabelTable(path, str(path), read_lines(path, wanted))
    has_header = _has_header(path, rows, options, wanted)
    header = [cell.strip() for cell in rows[0]] if has_header else ["id", "label"]
    uneven = [number for number, cells in enumerate(rows, 1) if len(cells) != len(header)]
    if uneven:
        raise PoolError(
            f"{path}: {LINES}; of more columns, the first line names them; "
            f"line {uneven[0]} has {len(rows[uneven[0] - 1])} values"
        )
    columns = list(zip(*rows[has_header:], strict=True)) or [()] * len(header)
    table = pa.table([pa.array(values, pa.string()) for values in columns], names=header)
    return _from_columns(path, table, options)


def _has_header(path: Path, rows: list[list[str]], options: ImportOptions, wanted: int) -> bool:
    """Return whether the first of these lines names the columns; more than two columns always have names."""
    named = {name.lower() for name in (options.label, options.id) if name}
    first = [cell.strip().lower() for cell in rows[0]]
    usual = [at for at, cell in enumerate(first) if cell in _USUAL | named]
    if len(first) != 2 or len(usual) != 1 or first[usual[0]] in named:
        return bool(usual)
    column = [cells[usual[0]].strip() for cells in rows if len(cells) == len(first)]
    return is_heading(path, column, wanted, clear="id,label (in the order of the columns)")


def _read_cells(path: Path) -> list[list[str]]:
    with open_text(path) as stream:
        try:
            if path.suffix == ".csv":
                reader = csv.reader(stream, delimiter=_delimiter(path), strict=True)
                rows = [cells or [""] for cells in reader]
            else:
                rows = [[line.rstrip("\r\n")] for line in stream]
        except csv.Error as error:
            raise PoolError(f"{path}: cannot be read: {error}") from None
    return rows


def _without_empty_end(rows: list[list[str]]) -> list[list[str]]:
    end = len(rows)
    while end and not any(cell.strip() for cell in rows[end - 1]):
        end -= 1
    return rows[:end]


def _delimiter(path: Path) -> str:
    """Return `;` or a tab where the first line is a header that they separate, as some spreadsheets write it."""
    with open_text(path) as stream:
        first = stream.readline()
    for delimiter in ";\t":
        cells = first.strip().split(delimiter)
        if len(cells) > 1 and any(cell.strip('" ').lower() in _USUAL for cell in cells):
            return delimiter
    return ","


def _read_parquet(path: Path, options: ImportOptions) -> LabelTable:
    try:
        table = pq.read_table(path).combine_chunks()
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise PoolError(
            f"{path}: cannot be read as Parquet ({reason}); write or copy it again"
        ) from None
    return _from_columns(path, table, options)


def _from_columns(path: Path, table: Any, options: ImportOptions) -> LabelTable:
    names = table.schema.names
    label = find_name(
        path, "column", names, options.label if options.label in names else None, LABEL_NAMES
    )
    id_name = find_name(
        path, "column", names, options.id if options.id in names else None, ID_NAMES
    )
    if len(names) == 1:
        label = names[0]
    if len(names) == 2 and (label is None) != (id_name is None):
        label, id_name = label or _other(names, id_name), id_name or _other(names, label)
    if label is None:
        raise PoolError(
            f"{path}: no column of labels (named {', '.join(LABEL_NAMES)}); columns are {', '.join(names)}; "
            "name yours with --label"
        )
    further: dict[str, Any] = {}
    for name in names:
        if name not in {label, id_name} and is_scalar(table.schema.field(name).type):
            further[_free_name(name, {"id", "label", *further})] = _one_array(table, name)
    ids = None
    if id_name is not None:
        ids = as_ids(
            f"{path}:{id_name}", scalar_array(f"{path}:{id_name}", _one_array(table, id_name))
        )
    labels = scalar_array(
        f"{path}:{label}", _one_array(table, label), class_names(table.schema, label)
    )
    return LabelTable(path, f"{path}:{label}", labels, ids, further)


def _free_name(name: str, taken: set[str]) -> str:
    return name if name and name not in taken else clean_name(name or "unnamed", taken)


def _other(names: Sequence[str], name: str | None) -> str:
    return names[1] if names[0] == name else names[0]


def _one_array(table: Any, name: str) -> Any:
    column = table.column(name)
    return (
        pa.concat_arrays(column.unify_dictionaries().chunks)
        if column.num_chunks
        else pa.array([], column.type)
    )
