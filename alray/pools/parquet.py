"""Open a pool's Parquet file, and read its columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import pyarrow as pa

from alray.errors import PoolError
from alray.pools.builtin import locate
from alray.pools.shard import Shard, ShardSource, open_shard
from alray.pools.unreadable import not_parquet


@dataclass(frozen=True, eq=False)
class PoolFile:
    """An open pool with at least one row.

    Attributes:
        path: The file, as messages name it.
    """

    path: str
    shards: tuple[Shard, ...]
    schema: Any

    @property
    def rows(self) -> int:
        """Objects of the pool."""
        return sum(shard.rows for shard in self.shards)

    def field(self, column: str, option: str) -> Any:
        """Return the Arrow field of a column.

        Raises:
            PoolError: There is no such column, or more than one; the message names the nearest one, lists all, and
                names the command-line option that chooses another.
        """
        names = self.schema.names
        if names.count(column) > 1:
            raise PoolError(
                f"{self.path}: column {column!r} is there {names.count(column)} times; give each a name of its own, "
                f"or name another one with {option}"
            )
        if column in names:
            return self.schema.field(names.index(column))
        near = get_close_matches(column, names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise PoolError(
            f"{self.path}: no column {column!r}; {hint}columns are {', '.join(names)}; "
            f"name another one with {option}"
        )

    def column(self, name: str) -> Any:
        """Return a whole column as one Arrow array, dictionaries decoded."""
        chunks = [chunk for shard in self.shards for chunk in shard.chunks(name)]
        values = pa.concat_arrays(pa.chunked_array(chunks).unify_dictionaries().chunks)
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        return values

    def batches(self, name: str, size: int) -> Iterator[Any]:
        """Yield a column in Arrow arrays of at most this many rows."""
        for shard in self.shards:
            yield from shard.batches(name, size)


def open_pool(source: str) -> PoolFile:
    """Open a built-in pool or a Parquet file.

    Raises:
        PoolError: The file is missing, unreadable, not Parquet, or has no rows.
    """
    path = str(locate(source))
    try:
        shard = open_shard(ShardSource(path, lambda: path))
    except (pa.ArrowException, OSError) as error:
        raise PoolError(not_parquet(path, error)) from None
    if not shard.rows:
        raise PoolError(f"{path}: the file has no rows; a pool has a row per object")
    return PoolFile(path, (shard,), shard.schema)
