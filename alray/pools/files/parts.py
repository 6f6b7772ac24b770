"""Cut a pool's files into parts of whole row groups, so that a pool of any size is read a part at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from alray.errors import PoolError
from alray.pools.files.parquet import PoolFile
from alray.pools.files.shard import Shard, ShardSource, open_shard
from alray.pools.files.unreadable import not_parquet

ROWS_OF_PART = 65_536
"""Row groups of one file are joined to parts of at most so many rows; a larger row group is a part of its own."""


@dataclass(frozen=True)
class Part:
    """Some row groups of one file, one after the other.

    Attributes:
        number: Position among all parts of the pool.
        file: Position of the file among those of the pool.
        groups: The row groups.
        rows: How many rows they have together.
        start: Number of the first of these rows in the whole pool.
    """

    number: int
    file: int
    groups: tuple[int, ...]
    rows: int
    start: int


@dataclass(frozen=True)
class FileFacts:
    """What tells whether a file is still the one that was cut into parts.

    Attributes:
        groups: Rows of each row group.
        info: Size and time, where the file system gives them.
    """

    groups: tuple[int, ...]
    info: tuple[Any, ...] | None


@dataclass(frozen=True, eq=False)
class PoolParts:
    """A pool's files and their parts; it holds no data, and may be sent to other processes, which open the files.

    Attributes:
        path: The file, folder, pattern or address, as messages name it.
        sources: The files, in the order of their names.
        facts: What is known of each file.
        schema: The columns of all files.
        parts: All parts, in the order of the rows.
    """

    path: str
    sources: tuple[ShardSource, ...]
    facts: tuple[FileFacts, ...]
    schema: Any
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        """Rows of the pool."""
        return sum(part.rows for part in self.parts)

    def file_of(self, row: int) -> str:
        """Return the name of the file that a row of the pool is in."""
        return next(
            self.sources[part.file].name
            for part in self.parts
            if part.start <= row < part.start + part.rows
        )

    def open(self, part: Part) -> PoolFile:
        """Return a part as a pool of its own.

        Raises:
            PoolError: Its file is gone, or is another one than it was.
        """
        source, facts = self.sources[part.file], self.facts[part.file]
        try:
            shard = open_shard(source)
            found = _facts(shard)
        except FileNotFoundError:
            raise PoolError(
                f"{source.name}: was there when the choice began, and is gone, or is not there on every node; put it "
                "back, and choose again"
            ) from None
        except (pa.ArrowException, OSError) as error:
            raise PoolError(not_parquet(source, error)) from None
        if found != facts:
            raise PoolError(
                f"{source.name}: has changed since the choice began ({_difference(facts, found)}); let the pool's "
                "files be as they are meanwhile, and choose again"
            )
        name = source.name
        if len(part.groups) < len(found.groups):
            name += f", row groups {part.groups[0]} to {part.groups[-1]} (counted from 0)"
        return PoolFile(name, (replace(shard, groups=part.groups),), self.schema)


def cut(file: PoolFile, columns: Sequence[str], rows: int = ROWS_OF_PART) -> PoolParts:
    """Cut a pool into parts of at most so many rows, or one row group.

    Args:
        file: The pool.
        columns: Those that will be read, in all files.
        rows: Most rows of a part of several row groups.

    Raises:
        PoolError: The files do not agree in a column.
    """
    for column in columns:
        file.field(column, "--modality NAME=COLUMN, --id COLUMN or --label COLUMN")
    parts: list[Part] = []
    start = 0
    for number, shard in enumerate(file.shards):
        for groups in _joined(_rows(shard), rows):
            size = sum(shard.rows_of(group) for group in groups)
            parts.append(Part(len(parts), number, groups, size, start))
            start += size
    sources = tuple(shard.source for shard in file.shards)
    facts = tuple(_facts(shard) for shard in file.shards)
    return PoolParts(file.path, sources, facts, file.schema, tuple(parts))


def _joined(sizes: Sequence[int], most: int) -> Iterator[tuple[int, ...]]:
    """Yield the row groups of each part; those without rows are left out."""
    groups: list[int] = []
    rows = 0
    for group, size in enumerate(sizes):
        if groups and rows + size > most:
            yield tuple(groups)
            groups, rows = [], 0
        if size:
            groups.append(group)
            rows += size
    if groups:
        yield tuple(groups)


def _rows(shard: Shard) -> tuple[int, ...]:
    return tuple(shard.rows_of(group) for group in range(shard.footer.num_row_groups))


def _facts(shard: Shard) -> FileFacts:
    with shard.source.explained():
        info = None if shard.source.info is None else shard.source.info()
    return FileFacts(_rows(shard), info)


def _difference(before: FileFacts, now: FileFacts) -> str:
    rows = [
        f"{sum(facts.groups):,} rows in {len(facts.groups):,} row groups"
        for facts in (before, now)
    ]
    return f"{rows[0]}, and now {rows[1]}" if rows[0] != rows[1] else "it was written anew"
