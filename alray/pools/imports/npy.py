"""Read `.npy` files and the members of `.npz` files, a chunk at a time.

Nothing is unpickled. Archives may be larger than memory: NumPy maps `.npy` files alone, and loads a member of an `.npz`
as a whole, so members are read here.
"""

import io
import math
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.lib.format as npy_format

from alray.errors import PoolError
from alray.pools.imports.rows import Array, Rows, naming_errors, rows_of

_SPARSE = {"data", "indices", "indptr", "shape"}


def map_npy(path: Path) -> Array:
    """Map a `.npy` file into memory: only the values that are used are read.

    Raises:
        PoolError: It is pickled, broken, or a single value.
    """
    with naming_errors(str(path)):
        with path.open("rb") as stream:
            shape, _, _ = _npy_header(stream)
        if not shape:
            raise ValueError("it holds a single value; save an array with a row per object")
        if 0 in shape:  # an empty file cannot be mapped
            return np.asarray(np.load(path, allow_pickle=False))
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def open_npz(path: Path) -> dict[str, Rows]:
    """Return the arrays of an `.npz` file by name; they are decompressed while they are read.

    Raises:
        PoolError: It is no `.npz`, or holds a sparse matrix, or a member is pickled or broken.
    """
    with naming_errors(str(path)), zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    if set(names) >= _SPARSE:
        raise PoolError(
            f"{path}: a sparse matrix of SciPy, which has no labels; write it with them as "
            "numpy.savez(path, label=labels, text=scipy.sparse.load_npz(path).toarray().astype('float32')), "
            "and if that is too large, reduce it first, such as with sklearn.decomposition.TruncatedSVD(300)"
        )
    members = {name: _open_member(path, name) for name in names}
    return {name: rows for name, rows in members.items() if rows is not None}


def _open_member(path: Path, name: str) -> Rows | None:
    """Return a member's rows, or None for a single number, which has no rows."""
    origin = f"{path}:{name}"

    @contextmanager
    def opened() -> Iterator[io.BufferedIOBase]:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as stream:
            yield stream  # type: ignore[misc]  # zip members are such streams, though declared as IO

    with naming_errors(origin), opened() as stream:
        shape, columns_first, _ = _npy_header(stream)
    if not shape:
        return None
    if columns_first:  # rare, and the values of a row are scattered over the file
        with naming_errors(origin), np.load(path, allow_pickle=False) as arrays:
            return rows_of(origin, arrays[name])
    return stream_rows(origin, opened, _npy_header)


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
            "numpy.save(path, numpy.stack(array).astype('float32')), or as text: "
            "numpy.save(path, array.astype(str))"
        )
    return shape, columns_first, dtype


def stream_rows(
    origin: str,
    opened: Callable[[], AbstractContextManager[io.BufferedIOBase]],
    read_header: Callable[[io.BufferedIOBase], tuple[tuple[int, ...], bool, np.dtype[Any]]],
) -> Rows:
    """Return the rows of an array whose values follow its header in C order; the stream is opened for each reading."""
    with naming_errors(origin), opened() as stream:
        shape, _, dtype = read_header(stream)
    row_bytes = math.prod(shape[1:]) * dtype.itemsize

    def chunks(size: int) -> Iterator[Array]:
        with naming_errors(origin), opened() as stream:
            read_header(stream)
            for start in range(0, shape[0], size):
                count = min(size, shape[0] - start)
                data = stream.read(count * row_bytes)
                if len(data) < count * row_bytes:
                    raise ValueError(f"it ends after {start:,} of {shape[0]:,} rows")
                yield np.frombuffer(data, dtype).reshape(count, *shape[1:])

    return Rows(origin, shape[0], shape[1:], dtype, chunks)
