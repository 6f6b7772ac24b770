"""One Parquet file of a pool: its schema, and its columns in Arrow arrays."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from alray.errors import AlrayError, PoolError
from alray.pools.files.fixed_size_lists import (
    footer_without_arrow_schema,
    has_fixed_size_list,
    null_rows_work,
)
from alray.remote.failures import error_text, explanation
from alray.settings.location import Location

_MAGIC = b"PAR1"
_BUFFER = 1 << 20
"""Bytes of a column that are read from a disk at a time."""
_OF_NETWORK = (ConnectionError, TimeoutError)


@dataclass(frozen=True)
class ShardSource:
    """Where a Parquet file is.

    Attributes:
        name: How messages name it.
        open: Returns what PyArrow reads from: a path, or an open file.
        partition: Columns that the names of its folders give, `topic=news`, and their texts; None is null.
        location: The address that it was found by; None on a disk.
        info: Returns size and time as the file system has them now; None where nothing is known of them.
    """

    name: str
    open: Callable[[], Any]
    partition: Mapping[str, str | None] = field(default_factory=dict)
    location: Location | None = None
    info: Callable[[], tuple[Any, ...]] | None = None

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Explain errors of an object store: each package has some of its own kinds. Others stay as they are.

        Raises:
            PoolError: The store gives the file no longer; the message holds no secrets of the address.
        """
        try:
            yield
        except AlrayError:
            raise
        except Exception as error:
            reason = explanation(error)
            # PyArrow's own errors are of the file; those of other kinds are of the network or the store's package.
            of_file = isinstance(error, (pa.ArrowException, OSError))
            if reason is None and (not of_file or isinstance(error, _OF_NETWORK)):
                reason = error_text(error, self.location) if self.location else None
            if self.location is None or reason is None:
                raise
            raise PoolError(f"{self.name} cannot be read: {reason}") from None


@dataclass(frozen=True, eq=False)
class Shard:
    """A Parquet file whose footer has been read; it is opened for each reading, and closed after.

    Attributes:
        groups: The row groups that are read, ascending; None for all.
    """

    source: ShardSource
    footer: Any
    schema: Any
    groups: tuple[int, ...] | None = None

    @property
    def rows(self) -> int:
        """Rows of the file, or of the row groups that are read."""
        if self.groups is None:
            return int(self.footer.num_rows)
        return sum(self.rows_of(group) for group in self.groups)

    def rows_of(self, group: int) -> int:
        """Return the rows of a row group."""
        return int(self.footer.row_group(group).num_rows)

    def chunks(self, column: str, kind: Any) -> list[Any]:
        """Return a column in the Arrow arrays that the file's row groups give, as values of this type."""
        if column not in self.schema.names:
            return [self._constant(column, kind, self.rows)]
        with self.source.explained(), self._opened(column) as parquet:
            chunks = parquet.read_row_groups(self._groups, columns=[column]).column(column).chunks
        return [as_type(chunk, kind) for chunk in chunks]

    def batches(self, column: str, kind: Any, size: int) -> Iterator[Any]:
        """Yield a column in Arrow arrays of at most this many rows, as values of this type."""
        if column not in self.schema.names:
            for start in range(0, self.rows, size):
                yield self._constant(column, kind, min(size, self.rows - start))
            return
        with self.source.explained(), self._opened(column) as parquet:
            for batch in parquet.iter_batches(size, self._groups, [column]):
                yield as_type(batch.column(column), kind)

    @property
    def _groups(self) -> list[int]:
        return list(range(self.footer.num_row_groups) if self.groups is None else self.groups)

    def _constant(self, column: str, kind: Any, rows: int) -> Any:
        """Return a column that the name of a folder gives."""
        return pa.repeat(pa.scalar(self.source.partition[column], pa.string()).cast(kind), rows)

    def _opened(self, column: str) -> Any:
        footer = self.footer
        if has_fixed_size_list(self.schema.field(column).type) and not null_rows_work():
            with _opened_file(self.source) as file:
                footer = footer_without_arrow_schema(file)
        # Without `pre_buffer=False` all compressed row groups are held in memory until the last is read, and without a
        # buffer a whole one is: a file may have a single one. From a store each buffer would be a request.
        buffer = _BUFFER if self.source.location is None else 0
        return pq.ParquetFile(
            self.source.open(), metadata=footer, pre_buffer=False, buffer_size=buffer
        )


def open_shard(source: ShardSource) -> Shard:
    """Read a file's footer."""
    with source.explained(), pq.ParquetFile(source.open(), pre_buffer=False) as parquet:
        return Shard(source, parquet.metadata, parquet.schema_arrow)


def begins_as_parquet(source: ShardSource) -> bool:
    """Return whether the first bytes of a file, if it can be opened, are those of Parquet."""
    try:
        with source.explained(), _opened_file(source) as file:
            return bool(file.read(len(_MAGIC)) == _MAGIC)
    except OSError:
        return False


def _opened_file(source: ShardSource) -> Any:
    opened = source.open()
    return pa.OSFile(opened) if isinstance(opened, str) else opened


def as_type(values: Any, kind: Any) -> Any:
    """Return values in the type that they were written in, or in a wider one that holds them exactly."""
    if values.type == kind:
        return values
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, as_type(values, kind.storage_type))
    return values.cast(kind)
