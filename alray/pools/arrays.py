"""Read the rows of arrays in files, a chunk at a time: `.npy`, members of `.npz`, and MNIST's idx.

Nothing is unpickled. Archives may be larger than memory: NumPy maps `.npy` files alone, and loads a member of an `.npz`
as a whole, so members are read here.
"""

import gzip
import io
import math
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.lib.format as npy_format
import numpy.typing as npt

from alray.errors import PoolError

Array = npt.NDArray[Any]


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
    """Return the rows of several arrays one after the other.

    Raises:
        PoolError: Their rows have different shapes.
    """
    first = parts[0]
    for part in parts[1:]:
        if part.shape != first.shape:
            raise PoolError(
                f"{part.origin}: rows of shape {part.shape}, and {first.origin} has {first.shape}; "
                "one modality needs rows of one shape"
            )

    def chunks(size: int) -> Iterator[Array]:
        waiting = np.empty((0, *first.shape), first.dtype)
        for part in parts:
            for array in part.chunks(size):
                waiting = np.concatenate([waiting, array]) if len(waiting) else array
                if len(waiting) >= size:
                    yield waiting[:size]
                    waiting = waiting[size:]
        if len(waiting):
            yield waiting

    return Rows(first.origin, sum(part.count for part in parts), first.shape, first.dtype, chunks)


def map_npy(path: Path) -> Array:
    """Map a `.npy` file into memory: only the values that are used are read.

    Raises:
        PoolError: It is pickled, broken, or a single value.
    """
    with _naming_errors(str(path)):
        with path.open("rb") as stream:
            shape, _, _ = _npy_header(stream)
        if not shape:
            raise ValueError("it holds a single value; save an array with a row per object")
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def open_npz(path: Path) -> dict[str, Rows]:
    """Return the arrays of an `.npz` file by name; they are decompressed while they are read.

    Raises:
        PoolError: It is no `.npz`, or a member is pickled or broken.
    """
    with _naming_errors(str(path)), zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    members = {name: _open_member(path, name) for name in names}
    return {name: rows for name, rows in members.items() if rows is not None}


def _open_member(path: Path, name: str) -> Rows | None:
    """Return a member's rows, or None for a single number, which has no rows."""
    origin = f"{path}:{name}"

    @contextmanager
    def opened() -> Iterator[io.BufferedIOBase]:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as stream:
            yield stream  # type: ignore[misc]  # zip members are such streams, though declared as IO

    with _naming_errors(origin), opened() as stream:
        shape, columns_first, _ = _npy_header(stream)
    if not shape:
        return None
    if columns_first:  # rare, and the values of a row are scattered over the file
        with _naming_errors(origin), np.load(path, allow_pickle=False) as arrays:
            return rows_of(origin, arrays[name])
    return _stream_rows(origin, opened, _npy_header)


def _npy_header(stream: io.BufferedIOBase) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, whether columns come first, and type; the stream continues with the values."""
    version = npy_format.read_magic(stream)
    read = (
        npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    )
    shape, columns_first, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError(
            "it is a pickled object array, which could run code when loaded; save it again as numbers: "
            "numpy.save(path, numpy.stack(array).astype('float32'))"
        )
    return shape, columns_first, dtype


def open_idx(path: Path) -> Rows:
    """Return the rows of an idx file of unsigned bytes, MNIST's format; gzipped if its name ends in `.gz`.

    Raises:
        PoolError: It is no such file.
    """

    def opened() -> AbstractContextManager[io.BufferedIOBase]:
        return gzip.open(path) if path.suffix == ".gz" else path.open("rb")

    return _stream_rows(str(path), opened, _idx_header)


def _idx_header(stream: io.BufferedIOBase) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, False because rows come first, and type; the stream continues with the values.

    The format: two zero bytes, the type (8: unsigned byte), the rank, then the sizes as big-endian uint32.
    """
    magic = stream.read(4)
    if len(magic) < 4 or magic[:3] != b"\x00\x00\x08" or magic[3] == 0:
        raise ValueError("it does not start with the header of an idx file of unsigned bytes")
    sizes = np.frombuffer(stream.read(4 * magic[3]), ">u4")
    return tuple(sizes.tolist()), False, np.dtype(np.uint8)


def _stream_rows(
    origin: str,
    opened: Callable[[], AbstractContextManager[io.BufferedIOBase]],
    read_header: Callable[[io.BufferedIOBase], tuple[tuple[int, ...], bool, np.dtype[Any]]],
) -> Rows:
    """Return the rows of an array whose values follow its header in C order; the stream is opened for each reading."""
    with _naming_errors(origin), opened() as stream:
        shape, _, dtype = read_header(stream)
    row_bytes = math.prod(shape[1:]) * dtype.itemsize

    def chunks(size: int) -> Iterator[Array]:
        with _naming_errors(origin), opened() as stream:
            read_header(stream)
            for start in range(0, shape[0], size):
                count = min(size, shape[0] - start)
                data = stream.read(count * row_bytes)
                if len(data) < count * row_bytes:
                    raise ValueError(f"it ends after {start:,} of {shape[0]:,} rows")
                yield np.frombuffer(data, dtype).reshape(count, *shape[1:])

    return Rows(origin, shape[0], shape[1:], dtype, chunks)


@contextmanager
def _naming_errors(origin: str) -> Iterator[None]:
    """Turn an error of Python, NumPy or zip about a broken file into one that names the file."""
    try:
        yield
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, OSError) as error:
        raise PoolError(f"{origin}: cannot be read: {error}") from None
