"""Columns of any scalar type as text: ids, groups and labels."""

import uuid
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from alray.errors import PoolError
from alray.pools.files.arrow_types import is_bytes, is_text
from alray.pools.files.parquet import BYTE_ORDER_MARK, PoolFile
from alray.pools.pool import Indices

LARGEST_EXACT = {
    float_type: float(2**digits)
    for float_type, digits in ((pa.float16(), 11), (pa.float32(), 24), (pa.float64(), 53))
}
"""Type: the number from which on it cannot hold every whole number."""

_UUID_BYTES = 16


def read_texts(file: PoolFile, column: str) -> Any:
    """Return a column as an Arrow array of text without byte order marks; null stays null.

    Bytes are UTF-8 or, where they are 16 each and no readable text, UUIDs.

    Raises:
        PoolError: The type has no exact text, bytes are not UTF-8, or floats are too large to be exact.
    """
    values = file.column(column)
    if isinstance(values, pa.ExtensionArray):
        # Of Arrow's own extension types PyArrow below 18 knows none; it reads their bytes.
        values = values.storage
    kind = values.type
    if is_bytes(kind):
        return _without_marks(_text_of_bytes(file, column, values))
    if is_text(kind):
        # Parquet does not enforce that what is marked as text is UTF-8.
        return _without_marks(_checked(file, column, values.cast(pa.string())))
    if pa.types.is_floating(kind):
        _refuse_inexact(file, column, values)
    try:
        if pa.types.is_duration(kind):
            raise pa.ArrowNotImplementedError("a duration becomes a number without its unit")
        return _without_marks(values.cast(pa.string()))
    except pa.ArrowException:
        raise PoolError(
            f"{file.path}: column {column!r} is {kind}, which cannot be read as text; convert it, or name "
            "another column with --id, --label or --group-by"
        ) from None


def positions(mask: Any) -> Indices:
    """Return the positions at which a boolean Arrow array is true or null."""
    found = np.flatnonzero(pc.fill_null(mask, True).to_numpy(zero_copy_only=False))  # noqa: FBT003 -- Arrow's signature
    return found.astype(np.int64)


def _without_marks(texts: Any) -> Any:
    if not pc.any(pc.starts_with(texts, BYTE_ORDER_MARK)).as_py():
        return texts
    return pc.replace_substring_regex(texts, f"^{BYTE_ORDER_MARK}+", "")


def _text_of_bytes(file: PoolFile, column: str, values: Any) -> Any:
    values = values.cast(pa.binary())
    lengths = pc.unique(pc.drop_null(pc.binary_length(values))).to_pylist()
    if lengths == [_UUID_BYTES] and not _is_printable(values):
        every = values.to_pylist()
        return pa.array(
            [each if each is None else str(uuid.UUID(bytes=each)) for each in every], pa.string()
        )
    return _checked(file, column, values).cast(pa.string())


def _is_printable(values: Any) -> bool:
    try:
        return bool(pc.all(pc.utf8_is_printable(values.cast(pa.string()))).as_py())
    except pa.ArrowInvalid:
        return False


def _checked(file: PoolFile, column: str, values: Any) -> Any:
    """Return texts, or bytes of texts, as they are.

    Raises:
        PoolError: One is not UTF-8.
    """
    try:
        values.cast(pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        as_bytes = values.cast(pa.binary()).to_pylist()
        row = next(row for row, value in enumerate(as_bytes) if not _is_utf8(value))
        raise PoolError(
            f"{file.path}: the bytes {as_bytes[row][:32]!r} in row {row} (counted from 0) of column {column!r} are not "
            "UTF-8; decode the column with its own encoding, and write it as text"
        ) from None
    return values


def _is_utf8(value: bytes | None) -> bool:
    try:
        return value is None or bool(value.decode() or True)
    except UnicodeDecodeError:
        return False


def _refuse_inexact(file: PoolFile, column: str, values: Any) -> None:
    numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    limit = LARGEST_EXACT[values.type]
    found = np.flatnonzero(np.abs(numbers) > limit)
    if len(found):
        raise PoolError(
            f"{file.path}: column {column!r} is {values.type}, which is exact for whole numbers to {limit:,.0f} only, "
            f"and holds {float(numbers[found[0]])!r} in row {found[0]} (counted from 0); write the column "
            "as integers or text"
        )
