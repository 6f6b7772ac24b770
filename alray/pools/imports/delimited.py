"""Open CSV files: all cells are read as text, so that an id such as 007 stays what it is."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from alray.errors import PoolError
from alray.pools.imports.tables import Table
from alray.pools.imports.text_files import open_bytes, open_text

_BLOCK_BYTES = 1 << 23
_DELIMITERS = "\t;,"


def open_csv(path: Path) -> Table:
    """Return the table of a CSV file with a header, `.gz` or not; delimiters are commas, semicolons or tabs.

    Raises:
        PoolError: It is not UTF-8, has no header, or a row has another number of cells.
    """
    with open_text(path) as stream:
        start = stream.readline()
    delimiter = max(_DELIMITERS, key=start.count)
    with open_text(path) as stream:
        try:
            names = next(csv.reader(stream, delimiter=delimiter), [])
        except csv.Error as error:
            raise PoolError(f"{path}: cannot be read: {error}") from None
    if not names or (all(_is_number(name) for name in names[:2]) and not _are_positions(names)):
        raise PoolError(
            f"{path}: the first line is no header; write the columns' names there, such as id,label,img_0,img_1"
        )

    def batches() -> Iterator[Any]:
        with open_bytes(path) as stream:
            try:
                yield from _reader(stream, delimiter, names)
            except pa.ArrowInvalid as error:
                reason = str(error).splitlines()[0]
                raise PoolError(
                    f"{path}: cannot be read ({reason}); mend the file, or save it as UTF-8"
                ) from None

    schema = pa.schema([(name, pa.string()) for name in names])
    return Table(str(path), schema, batches)


def _reader(stream: Any, delimiter: str, names: list[str]) -> Iterator[Any]:
    rows = arrow_csv.open_csv(
        stream,
        read_options=arrow_csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
        parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
    )
    with rows:
        yield from rows


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _are_positions(names: list[str]) -> bool:
    """Return whether the names are 0, 1, 2, ..., as pandas writes them for columns without names."""
    return names[:2] == ["0", "1"]
