"""Turn Arrow arrays that hold a list of numbers per row, in whichever form, into flat numbers and sizes.

Forms: lists of any kind and depth, tensors (extension types over lists), lists of records of one number (DuckDB,
BigQuery), and Spark's vectors.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from alray.pools.files.arrow_types import is_list
from alray.pools.pool import Indices

ABSENT, UNEQUAL = -1, -2
"""Sizes of a list that is null, and of lists that have different sizes."""

_SPARK_VECTOR = ("type", "size", "indices", "values")
_SPARSE = 0


@dataclass(frozen=True, eq=False)
class NumberLists:
    """The lists of some rows.

    Attributes:
        sizes: (rows, depth) at each depth the size that all lists of a row have, or ABSENT or UNEQUAL.
        values: The numbers of all present rows, an Arrow array.
    """

    sizes: Indices
    values: Any

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """(rows,) True where there is a list."""
        return np.asarray(self.sizes[:, 0] != ABSENT)


def _is_list(kind: Any) -> bool:
    """Return whether an Arrow type is a list of any kind, views included."""
    return is_list(kind) or pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind)


def is_number(kind: Any) -> bool:
    """Return whether an Arrow type is one of numbers, booleans included."""
    kinds = (
        pa.types.is_floating,
        pa.types.is_integer,
        pa.types.is_decimal,
        pa.types.is_boolean,
    )
    return any(is_kind(kind) for is_kind in kinds)


def is_spark_vector(kind: Any) -> bool:
    """Return whether an Arrow type is the record that Spark writes for a vector, dense or sparse."""
    return pa.types.is_struct(kind) and tuple(field.name for field in kind) == _SPARK_VECTOR


def number_type(kind: Any) -> Any:
    """Return the type of the numbers in an Arrow type that holds a list of them per row, or None."""
    depth = 0
    while not is_number(kind):
        if is_spark_vector(kind):
            return None if depth else pa.float64()
        if isinstance(kind, pa.BaseExtensionType):
            kind = kind.storage_type
        elif pa.types.is_fixed_size_list(kind) and kind.list_size == 0:
            return None
        elif _is_list(kind):
            kind, depth = kind.value_type, depth + 1
        elif pa.types.is_struct(kind) and kind.num_fields == 1:
            kind = kind.field(0).type
        else:
            return None
    return kind if depth else None


def fixed_shape(kind: Any) -> tuple[int, ...] | None:
    """Return the shape that a type gives all its lists, or None if the lists alone say it."""
    if isinstance(kind, pa.FixedShapeTensorType):
        return tuple(kind.shape)
    if pa.types.is_fixed_size_list(kind) and is_number(kind.value_type):
        return (int(kind.list_size),)
    return None


def read_lists(array: Any) -> NumberLists:
    """Return the lists of an array whose type has a `number_type`."""
    array = _unwrapped(array)
    if is_spark_vector(array.type):
        return _spark_vectors(array)
    totals = _lengths(array)
    sizes = [totals]
    values = _unwrapped(
        array.flatten()
    )  # `flatten` leaves out what lies under null lists; `values` would not
    while _is_list(values.type):
        lengths = _lengths(values)
        counts = np.maximum(totals, 0)
        sizes.append(np.where(totals == ABSENT, ABSENT, _common(lengths, counts)))
        totals = np.where(totals == ABSENT, ABSENT, _sums(np.maximum(lengths, 0), counts))
        values = _unwrapped(values.flatten())
    return NumberLists(np.stack(sizes, axis=1), values)


def as_numpy(values: Any) -> npt.NDArray[np.generic]:
    """Return a flat Arrow array of numbers, without a copy where that is possible; a null becomes NaN."""
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    elif pa.types.is_boolean(values.type):
        values = values.cast(pa.uint8())
    if values.null_count == 0:
        return np.asarray(values.to_numpy(zero_copy_only=True))
    if pa.types.is_integer(values.type):
        values = values.cast(pa.float64(), safe=False)
    return np.asarray(values.to_numpy(zero_copy_only=False))


def _unwrapped(array: Any) -> Any:
    """Return what lies in extension arrays and in records of one field, null where the record is."""
    while True:
        if isinstance(array.type, pa.BaseExtensionType):
            array = array.storage
        elif pa.types.is_struct(array.type) and array.type.num_fields == 1:
            array = array.flatten()[0]
        else:
            return array


def _lengths(lists: Any) -> Indices:
    """Return (rows,) the number of elements of each list, ABSENT where it is null."""
    lengths = _numbers(pc.list_value_length(lists)).copy()
    lengths[~lists.is_valid().to_numpy(zero_copy_only=False)] = ABSENT
    return lengths


def _sums(values: Indices, counts: Indices) -> Indices:
    """Return the sums of consecutive parts with these numbers of values."""
    total = np.concatenate([[0], np.cumsum(values)])
    ends = np.cumsum(counts)
    return np.asarray(total[ends] - total[ends - counts], np.int64)


def _common(lengths: Indices, counts: Indices) -> Indices:
    """Return the one value in each of the consecutive parts: UNEQUAL if there are several, 0 if there is none."""
    common = np.zeros(len(counts), np.int64)
    some = counts > 0
    starts = (np.cumsum(counts) - counts)[some]
    if len(starts):
        least, most = (ufunc.reduceat(lengths, starts) for ufunc in (np.minimum, np.maximum))
        common[some] = np.where((least == most) & (least >= 0), least, UNEQUAL)
    return common


def _spark_vectors(array: Any) -> NumberLists:
    """Return Spark's vectors; sparse ones have zeros between their values. A wrong index makes its row NaN."""
    kind, size, indices, values = array.flatten()
    sparse = _numbers(kind) == _SPARSE
    counts = np.maximum(_lengths(values), 0)
    lengths = np.where(
        sparse, _numbers(size), np.where(_lengths(values) == ABSENT, ABSENT, counts)
    )
    lengths = np.where(
        array.is_valid().to_numpy(zero_copy_only=False), np.maximum(lengths, ABSENT), ABSENT
    )
    paired = sparse & (_lengths(indices) == counts)
    row = np.repeat(np.arange(len(counts)), counts)
    position = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    position[sparse[row]] = ABSENT
    position[paired[row]] = _numbers(indices.filter(pa.array(paired)).flatten())
    room = np.maximum(lengths, 0)
    starts = np.cumsum(room) - room
    fits = (position >= 0) & (position < room[row])
    numbers = np.zeros(int(room.sum()))
    numbers[starts[row[fits]] + position[fits]] = as_numpy(values.flatten())[fits]
    broken = np.unique(row[~fits])
    numbers[starts[broken[room[broken] > 0]]] = np.nan
    return NumberLists(lengths[:, None], pa.array(numbers))


def _numbers(values: Any) -> Indices:
    """Return whole numbers, ABSENT where they are null."""
    return np.asarray(pc.fill_null(values, ABSENT).to_numpy(zero_copy_only=False), np.int64)
