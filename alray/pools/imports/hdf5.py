"""Open HDF5 files, a chunk at a time; h5py is an extra."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from alray.errors import PoolError
from alray.pools.imports.rows import Array, Rows, naming_errors


def open_hdf5(path: Path) -> dict[str, Rows]:
    """Return the data sets of a file by name, those in groups by their path.

    Raises:
        PoolError: h5py is not installed, or it is no HDF5 file.
    """
    try:
        import h5py  # noqa: PLC0415 -- may not be installed
    except ImportError:
        raise PoolError(
            f"{path}: HDF5 needs h5py; install it with `pip install 'alray[hdf5]'`"
        ) from None
    found: dict[str, Rows] = {}

    def visit(name: str | bytes, item: Any) -> None:
        if isinstance(name, bytes):
            raise PoolError(f"{path}: the name {name!r} is not UTF-8; rename the data set")
        if isinstance(item, h5py.Dataset) and item.shape:
            found[name] = _rows(path, name, item)

    with naming_errors(str(path)), h5py.File(path, "r") as file:
        file.visititems(visit)
    return found


def _rows(path: Path, name: str, item: Any) -> Rows:
    import h5py  # noqa: PLC0415 -- as above

    is_text = h5py.check_string_dtype(item.dtype) is not None

    def chunks(size: int) -> Iterator[Array]:
        with naming_errors(f"{path}:{name}"), h5py.File(path, "r") as file:
            for start in range(0, item_count, size):
                values = file[name][start : start + size]
                yield _as_bytes(values) if is_text else np.asarray(values)

    item_count = int(item.shape[0])
    dtype = np.dtype("S1") if is_text else item.dtype
    if dtype.hasobject:
        raise PoolError(
            f"{path}:{name}: values of different lengths or references; save numbers or text"
        )
    return Rows(f"{path}:{name}", item_count, tuple(item.shape[1:]), dtype, chunks)


def _as_bytes(values: Array) -> Array:
    """Return texts as UTF-8 bytes, which are decoded where labels and ids are."""
    flat = [
        value if isinstance(value, bytes) else str(value).encode()
        for value in values.reshape(-1).tolist()
    ]
    return np.asarray(flat or [b""], np.bytes_)[: len(flat)].reshape(values.shape)
