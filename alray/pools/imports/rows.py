"""Rows of an array that may be larger than memory."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tokenize import TokenError
from typing import Any

import numpy as np
import numpy.typing as npt

from alray.errors import PoolError

Array = npt.NDArray[Any]

_BROKEN = (
    ValueError, TypeError, KeyError, EOFError, OSError, RuntimeError, OverflowError, MemoryError, TokenError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What readers raise for damaged files; RuntimeError also for encrypted archives and later versions of zip."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of an array, to be read in order.

    Attributes:
        origin: File and member, for messages.
        count: Number of rows.
        shape: Shape of one row; empty where a row is one number.
        dtype: Type of the values.
        chunks: Yields arrays of the given number of rows (the last may be shorter).
    """

    origin: str
    count: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: Callable[[int], Iterator[Array]]

    def whole(self) -> Array:
        """Return all rows as one array: for labels and ids."""
        return np.concatenate([np.empty((0, *self.shape), self.dtype), *self.chunks(1 << 16)])


def rows_of(origin: str, array: Array) -> Rows:
    """Return the rows of an array in memory or of a memory map."""

    def chunks(size: int) -> Iterator[Array]:
        for start in range(0, len(array), size):
            yield array[start : start + size]

    return Rows(origin, len(array), array.shape[1:], array.dtype, chunks)


def concatenate_rows(parts: list[Rows]) -> Rows:
    """Return the rows of several arrays one after the other, in a type that holds the values of all exactly.

    Raises:
        PoolError: Their rows have different shapes, or no such type exists.
    """
    first = parts[0]
    for part in parts[1:]:
        if part.shape != first.shape:
            raise PoolError(
                f"{part.origin}: rows of shape {part.shape}, and {first.origin} has {first.shape}; "
                "one modality needs rows of one shape"
            )

    dtype = _common_type(parts)

    def chunks(size: int) -> Iterator[Array]:
        arrays = (
            array.astype(dtype, copy=False) if dtype.kind not in "SU" else array
            for part in parts
            for array in part.chunks(size)
        )
        return rechunk(arrays, size)

    return Rows(first.origin, sum(part.count for part in parts), first.shape, dtype, chunks)


def _common_type(parts: list[Rows]) -> np.dtype[Any]:
    first = parts[0]
    for part in parts:
        try:
            dtype = np.result_type(first.dtype, part.dtype)
        except TypeError:
            dtype = np.dtype(np.void)
        if dtype.kind not in {first.dtype.kind, part.dtype.kind}:
            raise PoolError(
                f"{part.origin}: of type {part.dtype}, and {first.origin} is {first.dtype}; save both in one type"
            )
    return np.result_type(*(part.dtype for part in parts))


def rechunk(arrays: Iterator[Array], size: int) -> Iterator[Array]:
    """Yield the rows of arrays of any lengths in arrays of `size` rows (the last may be shorter)."""
    waiting = None
    for array in arrays:
        waiting = (
            np.concatenate([waiting, array]) if waiting is not None and len(waiting) else array
        )
        while len(waiting) >= size:
            yield waiting[:size]
            waiting = waiting[size:]
    if waiting is not None and len(waiting):
        yield waiting


@contextmanager
def naming_errors(origin: str) -> Iterator[None]:
    """Turn an error of Python, NumPy, zip or HDF5 about a broken file into one that names the file."""
    try:
        yield
    except _BROKEN as error:
        raise PoolError(f"{origin}: cannot be read: {error}") from None
