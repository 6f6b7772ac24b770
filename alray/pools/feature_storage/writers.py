"""Write an array of features from its first row to its last: into memory, or into a file that is mapped afterwards."""

import os
import tempfile
from abc import ABC, abstractmethod
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from alray.pools.feature_storage.mapped_file import Descriptor, MappedFile
from alray.pools.feature_storage.mapped_folder import mapped_folder, require_room, unusable
from alray.pools.pool import FeatureFile

Storage = Literal["memory", "mapped"]
Rows = npt.NDArray[np.generic]


class Stored(NamedTuple):
    """Features that have been written: (rows, dimension), and their file where they are not in memory."""

    features: Rows
    file: FeatureFile | None = None


class RowWriter(ABC):
    """Takes the rows of an array, some at a time."""

    @abstractmethod
    def append(self, rows: Rows) -> None:
        """Write the next rows, (n, dimension) of the array's type.

        Raises:
            PoolError: The disk is full, or cannot be written to.
        """

    @abstractmethod
    def finish(self) -> Stored:
        """Return all rows that were written."""


def new_rows(
    storage: Storage, rows: int, dimension: int, dtype: np.dtype[Any]
) -> "MemoryRows | MappedRows":
    """Return the writer of an array of at most so many rows.

    Raises:
        PoolError: There is no room for it.
    """
    if storage == "mapped":
        return MappedRows(rows, dimension, dtype)
    return MemoryRows(rows, dimension, dtype)


class MemoryRows(RowWriter):
    """Writes into memory, which the system gives away only where something is written."""

    def __init__(self, rows: int, dimension: int, dtype: np.dtype[Any]) -> None:
        self._features = np.empty((rows, dimension), dtype)
        self._filled = 0

    @override
    def append(self, rows: Rows) -> None:
        end = self._filled + len(rows)
        self._features[self._filled : end] = rows
        self._filled = end

    @override
    def finish(self) -> Stored:
        return Stored(self._features[: self._filled])


class MappedRows(RowWriter):
    """Writes into a file without a name, as a plain NumPy file (`.npy`)."""

    def __init__(self, rows: int, dimension: int, dtype: np.dtype[Any]) -> None:
        self._folder = mapped_folder()
        require_room(self._folder, rows * dimension * dtype.itemsize)
        self._dimension, self._dtype = dimension, dtype
        self._filled = 0
        try:
            with tempfile.TemporaryFile(dir=self._folder) as file:
                self._descriptor = Descriptor(os.dup(file.fileno()))
            self._write_header(rows)
        except OSError as error:
            raise unusable(self._folder, error) from None

    @override
    def append(self, rows: Rows) -> None:
        try:
            write_all(self._descriptor, rows)
        except OSError as error:
            raise unusable(self._folder, error) from None
        self._filled += len(rows)

    @override
    def finish(self) -> Stored:
        # A header has room for any number of rows, so the features stay where they are.
        self._write_header(self._filled)
        file = MappedFile.of(self._descriptor)
        return Stored(file.opened()[1], file)

    def _write_header(self, rows: int) -> None:
        """Write at the beginning of the file what NumPy needs to read it, and stay behind it."""
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (rows, self._dimension),
        }
        with os.fdopen(os.dup(self._descriptor.number), "r+b", buffering=0) as file:
            file.seek(0)
            np.lib.format.write_array_header_1_0(file, header)


class OverwrittenRows(RowWriter):
    """Writes rows over those that a file holds, which must be of the same type and be as many."""

    def __init__(self, features: Rows, file: MappedFile) -> None:
        if file.descriptor is None:
            raise ValueError("only the process that made a file writes to it")
        self._features, self._descriptor = features, file.descriptor
        self._row = features.shape[1] * features.itemsize
        self._start = file.size - features.nbytes

    @override
    def append(self, rows: Rows) -> None:
        try:
            write_all(self._descriptor, rows, self._start)
        except OSError as error:
            raise unusable(mapped_folder(), error) from None
        self._start += len(rows) * self._row

    @override
    def finish(self) -> Stored:
        # They are mapped already, and a mapping shows what is written to its file.
        return Stored(self._features, MappedFile.of(self._descriptor))


def write_all(descriptor: Descriptor, rows: Rows, start: int | None = None) -> None:
    """Write the bytes of rows into a file: from this position, or from where it is."""
    left = np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data
    while left:
        if start is None:
            left = left[os.write(descriptor.number, left) :]
        else:
            written = os.pwrite(descriptor.number, left, start)
            left, start = left[written:], start + written
