"""Rows as Arrow tables with a schema."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa


def table(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, tuple[pa.DataType, str]]
) -> pa.Table:
    """Return rows as a table with these columns first; further ones are float64 (they depend on the heads)."""
    extra = [name for name in (rows[0] if rows else {}) if name not in columns]
    fields = [(name, kind) for name, (kind, _) in columns.items()]
    fields += [(name, pa.float64()) for name in extra]
    return pa.Table.from_pylist([dict(row) for row in rows], schema=pa.schema(fields))
