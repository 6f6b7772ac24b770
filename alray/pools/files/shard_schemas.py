"""One schema for the files of a pool: columns of one type, or of types that one type holds exactly."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from alray.pools.files.arrow_types import common_type
from alray.pools.files.shard import Shard


def common_schema(shards: tuple[Shard, ...]) -> tuple[Any, dict[str, str]]:
    """Return the columns of all files, and why a column cannot be read where its files do not agree.

    A column that the names of folders give is one of integers where all its values are written as such.
    """
    first = shards[0]
    if len(shards) == 1 and not first.source.partition:
        return first.schema, {}
    names = dict.fromkeys(name for shard in shards for name in shard.schema.names)
    fields, conflicts = [], {}
    for name in names:
        field, conflict = _common_field(name, shards)
        fields.append(field)
        if conflict:
            conflicts[name] = conflict
    for key in first.source.partition:
        if key not in names:  # what the files themselves say comes first
            kind = _partition_type(shard.source.partition[key] for shard in shards)
            fields.append(pa.field(key, kind))
    return pa.schema(fields, metadata=first.schema.metadata), conflicts


def _common_field(name: str, shards: Iterable[Shard]) -> tuple[Any, str]:
    """Return a column's field, and why it cannot be read, or an empty text."""
    origin = next(shard for shard in shards if name in shard.schema.names)
    common = origin.schema.field(origin.schema.names.index(name))
    metadata = common.metadata or {}
    for shard in shards:
        count = shard.schema.names.count(name)
        if count > 1:
            return common, f"is there {count} times in {shard.source.name}"
        if not count:
            return common, f"is in {origin.source.name}, and not in {shard.source.name}"
        field = shard.schema.field(name)
        kind = common_type(common.type, field.type)
        if kind is None:
            return common, (
                f"is {common.type} in {origin.source.name}, and {field.type} in {shard.source.name}"
            )
        if (field.metadata or {}) != metadata:
            return common, (
                f"has the metadata {metadata} in {origin.source.name}, and {field.metadata or {}} in "
                f"{shard.source.name}"
            )
        common = common.with_type(kind)
    return common, ""


def _partition_type(values: Iterable[str | None]) -> Any:
    texts = [value for value in values if value is not None]
    return pa.int64() if texts and all(map(_is_integer, texts)) else pa.string()


def _is_integer(text: str) -> bool:
    """Return whether a text is how a number of 64 bits is written, without zeros in front."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 20):
        return False
    return str(int(text)) == text and abs(int(text)) < 2**63
