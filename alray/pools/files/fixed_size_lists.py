"""Fixed-size lists with null rows, for the versions of PyArrow that can neither read nor write them.

Parquet itself knows lists of variable length only, which all versions read and write. That a list has a fixed size is
said by the Arrow schema in the file's footer.
"""

import base64
import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_NULL_ROWS_SINCE = (26,)
"""The first PyArrow that reads null rows; since 25 it writes them."""

_KEY, _NO_KEY, _FIXED_KEY = b"ARROW:schema", b"ARROW/schema", b"ARROW-schema"
"""The key of the Arrow schema, and two of its length that mean nothing to PyArrow."""

_END = struct.Struct("<I4s")


def null_rows_work() -> bool:
    """Return whether this PyArrow reads and writes null rows in fixed-size lists."""
    return tuple(int(part) for part in pa.__version__.split(".")[:1]) >= _NULL_ROWS_SINCE


def has_fixed_size_list(kind: Any) -> bool:
    """Return whether a type is, or holds, a fixed-size list."""
    if isinstance(kind, pa.BaseExtensionType):
        return has_fixed_size_list(kind.storage_type)
    inner = [kind.field(number).type for number in range(kind.num_fields)]
    return bool(pa.types.is_fixed_size_list(kind)) or any(map(has_fixed_size_list, inner))


def footer_without_arrow_schema(file: Any) -> Any:
    """Return the footer of an open Parquet file, with which its lists are read as of variable length."""
    _, footer, end = _footer(file)
    return pq.read_metadata(pa.BufferReader(end[-4:] + footer.replace(_KEY, _NO_KEY) + end))


def with_variable_lists(table: Any) -> Any:
    """Return a table whose fixed-size lists are of variable length; `restore_fixed_sizes` is for the written file."""
    columns, fields = [], []
    for field, column in zip(table.schema, table.columns, strict=True):
        values = column.combine_chunks()
        if pa.types.is_fixed_size_list(field.type):
            values = _variable(values)
        columns.append(values)
        fields.append(pa.field(field.name, values.type))
    fixed = {_FIXED_KEY: base64.b64encode(table.schema.serialize().to_pybytes())}
    return pa.table(columns, schema=pa.schema(fields, metadata=fixed))


def restore_fixed_sizes(path: Path) -> None:
    """Let the footer of a file that was written `with_variable_lists` say that they are of fixed size."""
    with path.open("r+b") as file:
        start, footer, _ = _footer(file)
        file.seek(start)
        file.write(footer.replace(_KEY, _NO_KEY).replace(_FIXED_KEY, _KEY))


def _footer(file: Any) -> tuple[int, bytes, bytes]:
    """Return where the footer of an open file starts, its bytes, and those behind it: its length and `PAR1`."""
    size = file.seek(0, io.SEEK_END)
    file.seek(size - _END.size)
    end = file.read(_END.size)
    start = size - _END.size - _END.unpack(end)[0]
    file.seek(start)
    return start, file.read(size - _END.size - start), end


def _variable(lists: Any) -> Any:
    lists = pa.concat_arrays(lists.chunks) if isinstance(lists, pa.ChunkedArray) else lists
    present = lists.is_valid().to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(present * lists.type.list_size)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), lists.flatten(), mask=pa.array(~present))
