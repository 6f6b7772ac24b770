"""Kinds of Arrow types, and the type that holds the values of two types exactly."""

from typing import Any

import pyarrow as pa

_TEXT_KINDS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_BYTES_KINDS = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
    pa.types.is_binary_view,
)
_LIST_KINDS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)


def is_text(kind: Any) -> bool:
    """Return whether a type is one of text."""
    return any(is_kind(kind) for is_kind in _TEXT_KINDS)


def is_bytes(kind: Any) -> bool:
    """Return whether a type is one of bytes."""
    return any(is_kind(kind) for is_kind in _BYTES_KINDS)


def is_list(kind: Any) -> bool:
    """Return whether a type is one of lists."""
    return any(is_kind(kind) for is_kind in _LIST_KINDS)


def decoded(kind: Any) -> Any:
    """Return the type of a dictionary's values, and any other type as it is."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def common_type(one: Any, other: Any) -> Any:
    """Return a type that holds the values of both exactly, or None."""
    one, other = decoded(one), decoded(other)
    if one == other:
        return one
    if pa.types.is_null(one) or pa.types.is_null(other):
        return other if pa.types.is_null(one) else one
    for is_kind, common in _COMMON:
        if is_kind(one) and is_kind(other):
            return common(one, other)
    return None


def _wider(one: Any, other: Any) -> Any:
    return max(one, other, key=lambda kind: int(kind.bit_width))


def _common_integer(one: Any, other: Any) -> Any:
    wide = _wider(one, other)
    narrow = one if wide is other else other
    if pa.types.is_signed_integer(narrow) == pa.types.is_signed_integer(wide):
        return wide
    fits = pa.types.is_signed_integer(wide) and narrow.bit_width < wide.bit_width
    return wide if fits else None


def _common_list(one: Any, other: Any) -> Any:
    values = common_type(one.value_type, other.value_type)
    if values is None:
        return None
    fixed = pa.types.is_fixed_size_list(one) and pa.types.is_fixed_size_list(other)
    if fixed and one.list_size == other.list_size:
        return pa.list_(values, one.list_size)
    return pa.large_list(values)


_COMMON: tuple[tuple[Any, Any], ...] = (
    (is_text, lambda _one, _other: pa.large_string()),
    (is_bytes, lambda _one, _other: pa.large_binary()),
    (pa.types.is_floating, _wider),
    (pa.types.is_integer, _common_integer),
    (is_list, _common_list),
)
