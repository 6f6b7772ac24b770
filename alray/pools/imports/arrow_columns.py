"""Columns of Arrow tables as NumPy arrays: lists as rows of features, and scalars as labels, ids and texts."""

import json
import math
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from alray.errors import PoolError
from alray.pools.columns.metadata import name_some
from alray.pools.files.arrow_types import decoded, is_list, is_text
from alray.pools.imports.rows import Array

_SCALARS = (
    pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_string, pa.types.is_large_string,
    pa.types.is_date, pa.types.is_time, pa.types.is_timestamp, pa.types.is_decimal,
)  # fmt: skip

_NOT_A_NUMBER = pa.array(["", "na", "n/a", "nan", "null", "none", "-"])
"""How files of text write that a number is missing, in small letters."""


def is_number(kind: Any) -> bool:
    """Return whether columns of this type hold one number in a row."""
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return any(is_kind(kind) for is_kind in checks)


def is_scalar(kind: Any) -> bool:
    """Return whether columns of this type hold a number, a text, a date or true and false in a row."""
    kind = decoded(kind)
    return any(is_kind(kind) for is_kind in _SCALARS)


def element_type(kind: Any) -> Any:
    """Return the type of the numbers in lists, lists of lists, or tensors; None if the column holds no such lists."""
    kind = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    if not is_list(kind):
        return None
    while is_list(kind):
        kind = kind.value_type
        if pa.types.is_struct(kind) and kind.num_fields == 1:  # how some databases write lists
            kind = kind.field(0).type
    return kind if is_number(kind) or pa.types.is_boolean(kind) else None


def list_shape(origin: str, column: Any, first_row: int) -> tuple[int, ...] | None:
    """Return the common shape of the lists that are not null, or None where all are null.

    Raises:
        PoolError: They differ in length, or a list of lists holds a null.
    """
    values, shape = _storage(column), list[int]()
    rows = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False)) + first_row
    if not len(rows):
        return None
    fixed = getattr(column.type, "shape", None)
    while is_list(values.type):
        sizes = pc.fill_null(
            pc.list_value_length(values.drop_null() if not shape else values), -1
        ).to_numpy()
        usual = int(np.bincount(sizes + 1).argmax()) - 1
        odd = np.flatnonzero(sizes != usual)
        if len(odd):
            where = rows[np.unique(odd // (math.prod(shape) if shape else 1))]
            raise ragged(origin, usual, where)
        shape.append(usual)
        values = _elements(values)
    return tuple(fixed) if fixed is not None else tuple(shape)


def ragged(origin: str, usual: int, rows: Sequence[int] | Array) -> PoolError:
    """Return the error about lists of another length."""
    return PoolError(
        f"{origin}: most lists have {usual:,} values, and {len(rows):,} have another number of them "
        f"(rows {name_some(rows)}, counted from 0); mend or remove these rows, or make a list null where it is absent"
    )


def null_numbers(column: Any) -> int:
    """Return how many numbers in the lists of a column are null; those of null lists are not counted."""
    return int(_leaves(_storage(column)).null_count)


def list_values(column: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return (rows, *shape) values of a column of lists; null lists and null numbers become NaN.

    So `dtype` is one of floating point where the column has any.
    """
    values = _storage(column)
    present = values.is_valid().to_numpy(zero_copy_only=False)
    values = _leaves(values)
    if not pa.types.is_floating(values.type) and values.type != pa.uint8():
        kind = pa.uint8() if pa.types.is_boolean(values.type) else pa.float64()
        values = values.cast(kind, safe=False)
    flat = values.to_numpy(zero_copy_only=False).reshape(-1, *shape)
    if present.all() and not values.null_count:
        return np.asarray(flat, dtype)
    found = np.full((len(present), *shape), np.nan, dtype)
    with np.errstate(over="ignore"):
        found[present] = flat
    return found


def _storage(column: Any) -> Any:
    return column.storage if isinstance(column.type, pa.BaseExtensionType) else column


def _leaves(values: Any) -> Any:
    """Return the numbers in all lists, and lists of lists, that are not null."""
    while is_list(values.type):
        values = _elements(values)
    return values


def _elements(lists: Any) -> Any:
    """Return the values in all lists that are not null, one after the other."""
    values = lists.flatten()
    if pa.types.is_struct(values.type) and values.type.num_fields == 1:
        values = values.field(0)
    return values


def number_values(origin: str, column: Any) -> Array:
    """Return (rows,) float64 of a column of numbers, or of texts of numbers; missing ones become NaN.

    Raises:
        PoolError: A text is no number.
    """
    kind = column.type
    if is_text(kind):
        texts = pc.utf8_trim_whitespace(column)
        missing = pc.is_in(pc.utf8_lower(texts), value_set=_NOT_A_NUMBER.cast(kind))
        column = pc.if_else(missing, pa.scalar(None, kind), texts)
    try:
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid as error:
        raise PoolError(
            f"{origin}: not a column of numbers ({error}); mend the value, or leave the column out: name the others "
            "with --modality"
        ) from None


def scalar_array(origin: str, column: Any, class_names: list[str] | None = None) -> Array:
    """Return (rows,) labels or ids as numbers, where they are numbers, or as text; missing ones as empty text or NaN.

    Args:
        origin: File and column, for messages.
        column: An Arrow array.
        class_names: Names of the numbers 0, 1, ...; -1 has none.

    Raises:
        PoolError: The type is neither, bytes are not UTF-8, or a number has no name.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    column, kind = _storage(column), _storage(column).type
    if class_names is not None:
        return _named(origin, column, class_names)
    if (pa.types.is_integer(kind) and not column.null_count) or pa.types.is_floating(kind):
        return np.asarray(column.to_numpy(zero_copy_only=False))
    if pa.types.is_fixed_size_binary(kind) and kind.byte_width == 16:
        values = [None if v is None else str(uuid.UUID(bytes=v)) for v in column.to_pylist()]
        return text_array(origin, values)
    if pa.types.is_decimal(kind):
        return text_array(origin, [_decimal_text(value) for value in column.to_pylist()])
    try:
        if pa.types.is_duration(kind):
            raise pa.ArrowInvalid("a duration would become a number without its unit")
        return text_array(origin, column.cast(pa.string()).to_pylist())
    except pa.ArrowException as error:
        raise PoolError(
            f"{origin}: of type {kind}, which is no text ({str(error).splitlines()[0]}); "
            "convert it to text or whole numbers, or name another column"
        ) from None


def _decimal_text(value: Decimal | None) -> str | None:
    """Return `1` of 1.00, so that a class or an id has one name."""
    if value is None:
        return None
    whole = value.to_integral_value()
    return str(int(whole)) if whole == value else str(value)


def _named(origin: str, column: Any, names: list[str]) -> Array:
    codes = pc.fill_null(column, -1).to_numpy(zero_copy_only=False)
    unknown = codes[(codes < -1) | (codes >= len(names))]
    if len(unknown):
        raise PoolError(
            f"{origin}: the number {unknown[0]} has no name among {len(names)} classes in the file's metadata; "
            "mend the names, or save the labels as text"
        )
    return np.asarray(np.asarray([*names, ""], np.str_)[codes])


def text_array(origin: str, values: Sequence[str | None]) -> Array:
    """Return texts as an array, None as an empty one.

    Raises:
        PoolError: A text ends in a zero byte, which NumPy would remove.
    """
    for row, value in enumerate(values):
        if value and value[-1] == "\0":
            raise PoolError(
                f"{origin}: {value!r} ends in a zero byte (row {row}, counted from 0); remove it"
            )
    return np.asarray([value or "" for value in values], np.str_)


def class_names(schema: Any, column: str) -> list[str] | None:
    """Return the names of a `ClassLabel` column of Hugging Face's datasets, from the schema's metadata."""
    try:
        info = json.loads((schema.metadata or {})[b"huggingface"])
        names = info["info"]["features"][column]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return [str(name) for name in names]
