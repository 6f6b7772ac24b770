"""Open a pool's Parquet files, and read their columns as if they were one."""

import dataclasses
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from alray.errors import PoolError
from alray.pools.files.shard import Shard, ShardSource, open_shard
from alray.pools.files.shard_schemas import common_schema
from alray.pools.files.sources import find_pool
from alray.pools.files.unreadable import not_parquet
from alray.settings.base import nearest

BYTE_ORDER_MARK = "\ufeff"
"""Some editors and spreadsheets write it in front of a text; it is never part of a name."""

_FILES_AT_A_TIME = 16
"""Footers read at a time: each is a request where files lie in an object store."""


@dataclass(frozen=True, eq=False)
class PoolFile:
    """An open pool of one or more Parquet files, with at least one row.

    Attributes:
        path: The file, folder, pattern or address, as messages name it.
        shards: The files with at least one row, in the order of their names.
        schema: The columns of all files.
        conflicts: Column: why it cannot be read, where the files do not agree.
    """

    path: str
    shards: tuple[Shard, ...]
    schema: Any
    conflicts: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Objects of the pool."""
        return sum(shard.rows for shard in self.shards)

    def name_of(self, column: str) -> str:
        """Return the name under which a column is in the files: some have a byte order mark before their first name."""
        marked = f"{BYTE_ORDER_MARK}{column}"
        return (
            marked if column not in self.schema.names and marked in self.schema.names else column
        )

    def field(self, column: str, option: str) -> Any:
        """Return the Arrow field of a column.

        Raises:
            PoolError: There is no such column, or more than one; the message names the nearest one, lists all, and
                names the command-line option that chooses another.
        """
        names = self.schema.names
        if column in self.conflicts:
            raise PoolError(
                f"{self.path}: column {column!r} {self.conflicts[column]}; write it alike in all files, or name "
                f"another one with {option}"
            )
        if names.count(column) > 1:
            raise PoolError(
                f"{self.path}: column {column!r} is there {names.count(column)} times; give each a name of its own, "
                f"or name another one with {option}"
            )
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
        kind = self._kind(name)
        chunks = [chunk for shard in self.shards for chunk in shard.chunks(name, kind)]
        values = pa.concat_arrays(pa.chunked_array(chunks).unify_dictionaries().chunks)
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        return values

    def batches(self, name: str, size: int) -> Iterator[Any]:
        """Yield a column in Arrow arrays of at most this many rows."""
        kind = self._kind(name)
        for shard in self.shards:
            yield from shard.batches(name, kind, size)

    def _kind(self, name: str) -> Any:
        return self.schema.field(self.schema.names.index(name)).type


def open_pool(source: str) -> PoolFile:
    """Open a built-in pool, a Parquet file, the files of a folder or pattern, or an address in an object store.

    Raises:
        PoolError: A file is missing, unreadable, not Parquet, or there are no rows.
    """
    found = find_pool(source)
    with ThreadPoolExecutor(_FILES_AT_A_TIME) as threads:
        shards = tuple(shard for shard in threads.map(_open_shard, found.shards) if shard.rows)
    if not shards:
        raise PoolError(f"{found.name}: the file has no rows; a pool has a row per object")
    return PoolFile(found.name, shards, *common_schema(shards))


def _open_shard(source: ShardSource) -> Shard:
    try:
        shard = open_shard(source)
        shard.schema.names  # noqa: B018 -- names are decoded when they are asked for
    except UnicodeDecodeError as error:
        raise PoolError(
            f"{source.name}: the name {error.object!r} of a column is not UTF-8; write it as text"
        ) from None
    except (pa.ArrowException, OSError) as error:
        raise PoolError(not_parquet(source, error)) from None
    return shard
