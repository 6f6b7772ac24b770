"""Open a pool's Parquet file, and read its columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from alray.errors import PoolError
from alray.pools.builtin import locate
from alray.settings.base import nearest


@dataclass(frozen=True, eq=False)
class PoolFile:
    """An open Parquet file with at least one row."""

    path: Path
    parquet: Any
    schema: Any

    def field(self, column: str, option: str) -> Any:
        """Return the Arrow field of a column.

        Raises:
            PoolError: There is no such column; the message names the nearest one, lists all, and names the command-line
                option that chooses another.
        """
        names = self.schema.names
        if column in names:
            return self.schema.field(names.index(column))
        near = nearest(column, names)
        hint = f"did you mean {near!r}? " if near else ""
        raise PoolError(
            f"{self.path}: no column {column!r}; {hint}columns are {', '.join(names)}; "
            f"name another one with {option}"
        )

    def column(self, name: str) -> Any:
        """Return a whole column as one Arrow array, dictionaries decoded."""
        chunks = self.parquet.read(columns=[name]).column(name).chunks
        values = pa.concat_arrays(pa.chunked_array(chunks).unify_dictionaries().chunks)
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        return values

    def batches(self, name: str, size: int) -> Iterator[Any]:
        """Yield a column in Arrow arrays of at most this many rows."""
        for batch in self.parquet.iter_batches(batch_size=size, columns=[name]):
            yield batch.column(name)


def open_pool(source: str) -> PoolFile:
    """Open a built-in pool or a Parquet file.

    Raises:
        PoolError: The file is missing, unreadable, not Parquet, or has no rows.
    """
    path = locate(source)
    try:
        # Without `pre_buffer=False` all compressed row groups are held in memory until the last is read.
        parquet = pq.ParquetFile(path, pre_buffer=False)
        schema = parquet.schema_arrow
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise PoolError(
            f"{path}: not a readable Parquet file ({reason}); "
            "convert other formats with `alray pool import`"
        ) from None
    if not parquet.metadata.num_rows:
        raise PoolError(f"{path}: the file has no rows; a pool has a row per object")
    return PoolFile(path, parquet, schema)
