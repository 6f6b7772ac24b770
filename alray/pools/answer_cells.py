"""Tables of answers as they lie in files: Parquet or CSV, and the cells of a column as text."""

import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from alray.errors import PoolError, SpecError
from alray.pools.files.arrow_types import decoded, is_text
from alray.pools.imports.delimited import open_csv

Texts = list[str | None]


def read_csv(path: Path) -> Any:
    """Return the Arrow table of a CSV file, all cells as text.

    Raises:
        PoolError: It cannot be read, or has no header.
    """
    table = open_csv(path)
    return pa.Table.from_batches(table.batches(), table.schema)


def read_parquet(path: Path, origin: str) -> Any:
    """Return the Arrow table of a Parquet file.

    Args:
        path: The file.
        origin: The file's name, for messages.

    Raises:
        PoolError: It cannot be read.
    """
    try:
        return pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise PoolError(
            f"{origin}: not a readable Parquet file ({reason}); write it again"
        ) from None


def cell_texts(origin: str, column: str, values: Any) -> Texts:
    """Return a column's values as text, None where there is none; whole numbers are written without a point.

    Args:
        origin: The file's name, for messages.
        column: The column's name, for messages.
        values: An Arrow array.

    Raises:
        SpecError: The column holds neither text nor whole numbers.
    """
    kind = decoded(values.type)
    if is_text(kind) or pa.types.is_null(kind):
        return [each or None for each in values.to_pylist()]
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return [None if each is None else str(each) for each in values.to_pylist()]
    if not pa.types.is_floating(kind):
        raise SpecError(
            f"{origin}: column {column!r} is {kind}; write text or whole numbers in it"
        )
    found: Texts = []
    for each in values.to_pylist():
        missing = each is None or math.isnan(each)
        if not missing and not each.is_integer():
            raise SpecError(
                f"{origin}: column {column!r} holds {each:g}; write text or whole numbers"
            )
        found.append(None if missing else str(int(each)))
    return found
