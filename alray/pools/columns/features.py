"""Read a modality's column into a compact array, a batch at a time.

In memory the array is allocated once for all objects and filled from the front. The operating system commits memory
only when it is written, so absent objects take none, and no second copy is made. On a disk it is a file of the objects
that are present.
"""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from alray.errors import PoolError
from alray.pools.columns.list_shapes import common_shape
from alray.pools.columns.modality_columns import SHAPE_KEY
from alray.pools.columns.number_lists import as_numpy
from alray.pools.columns.vector_sources import VectorSource, vector_source
from alray.pools.feature_storage.mapped_folder import (
    mapped_folder,
    require_room,
    warn_if_in_memory,
)
from alray.pools.feature_storage.writers import new_rows
from alray.pools.files.parquet import PoolFile
from alray.pools.pool import Indices, Modality, Texts
from alray.settings.common import PoolSpec

BATCH_BYTES = 1 << 25
"""Features of the file in memory at a time."""

LEAST_WHOLE = 2.0**-125
"""Features whose largest value is smaller are held by float32 with fewer than its 24 digits, or as zeros."""


@dataclass(frozen=True, eq=False)
class FeatureColumn:
    """One modality as the file holds it, usable or not.

    Attributes:
        name: The column's name.
        modality: Its features, not standardised.
        unusable: Sorted positions of the objects with NaN, null or infinite values.
        overflowed: Some of these values are finite in the file, and too large for float32.
    """

    name: str
    modality: Modality
    unusable: Indices
    overflowed: bool = False

    @cached_property
    def constant(self) -> Indices:
        """Sorted positions of the features that are equal in all of two or more objects."""
        return constant_features(self.modality.features)


@dataclass(frozen=True, eq=False)
class FoundColumn:
    """Where one modality's numbers lie in the file, the shape of an object's features, and their type once read."""

    column: str
    source: VectorSource
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def dimension(self) -> int:
        """Number of features of one object."""
        return math.prod(self.shape)


@dataclass(frozen=True, eq=False)
class FeatureReader:
    """Reads the modalities of one file.

    Attributes:
        spec: The columns that are no features.
        ids: (rows of the file,) for messages.
        kept: (rows of the file,) False where an object was dropped.
    """

    file: PoolFile
    spec: PoolSpec
    ids: Texts
    kept: npt.NDArray[np.bool_]

    def find(self, column: str) -> FoundColumn:
        """Find one modality in the file.

        Raises:
            PoolError: Its lists differ in length, or its shape does not fit.
        """
        source = vector_source(self.file, column, self.spec)
        return FoundColumn(column, source, self._shape(source, column), memory_type(source))

    def require_room(self, columns: Iterable[FoundColumn]) -> None:
        """Refuse modalities that are to lie on a disk which has no room for all of them.

        Raises:
            PoolError: Names the folder and the bytes.
        """
        if self.spec.storage == "mapped":
            objects = int(self.kept.sum())
            row = sum(each.dimension * each.dtype.itemsize for each in columns)
            folder = mapped_folder()
            require_room(folder, objects * row)
            warn_if_in_memory(folder)

    def read(self, modality: str, found: FoundColumn) -> FeatureColumn:
        """Read one modality.

        Raises:
            PoolError: Its numbers are too small for float32, or its features have no room on the disk.
        """
        column, source, dimension, dtype = (
            found.column,
            found.source,
            found.dimension,
            found.dtype,
        )
        objects = int(self.kept.sum())
        writer = new_rows(self.spec.storage, objects, dimension, dtype)
        rows = np.full(objects, -1, np.int32)
        unusable: list[Indices] = []
        filled = done = 0
        overflowed = False
        largest = np.zeros(dimension)
        for values, present in self._batches(source, dimension):
            end = filled + len(values)
            # Values that do not fit (float64 into float32, a null into uint8) are reported with the object's id.
            with np.errstate(over="ignore", invalid="ignore"):
                stored = values.astype(dtype, copy=False)
            writer.append(stored)
            checked = values if dtype == np.uint8 else stored
            positions = np.flatnonzero(present) + done
            rows[positions] = np.arange(filled, end)
            unusable.append(positions[~np.isfinite(checked).all(axis=1)])
            if values.dtype == np.float64:
                largest = np.fmax(largest, np.abs(values).max(axis=0, initial=0))
                overflowed |= bool((np.isfinite(values) & np.isinf(stored)).any())
            filled, done = end, done + len(present)
        self._refuse_underflow(column, largest)
        features, file = writer.finish()
        read = Modality(modality, features, rows, found.shape, file=file)
        positions = np.concatenate(unusable).astype(np.int64)
        return FeatureColumn(column, read, positions, overflowed)

    def _refuse_underflow(self, column: str, largest: npt.NDArray[np.float64]) -> None:
        """Refuse features whose float64 values are all so small that float32 keeps few of their digits, or none."""
        lost = (largest > 0) & (largest < LEAST_WHOLE)
        if lost.any():
            raise PoolError(
                f"{self.file.path}: column {column!r} has {int(lost.sum()):,} features of at most "
                f"{largest[lost].max():.1e}, which is too small for float32; multiply the column by a power of ten"
            )

    def _batches(
        self, source: VectorSource, dimension: int
    ) -> Iterator[tuple[npt.NDArray[np.generic], npt.NDArray[np.bool_]]]:
        """Yield for each batch the (present, dimension) values of its kept objects, and which of them are present."""
        start = 0
        for lists in source.batches(max(1, BATCH_BYTES // (4 * dimension))):
            present = lists.present
            kept = self.kept[start : start + len(present)]
            values = as_numpy(lists.values).reshape(-1, dimension)
            start += len(present)
            if not kept.all():
                values, present = values[kept[present]], present[kept]
            yield values, present

    def _shape(self, source: VectorSource, column: str) -> tuple[int, ...]:
        """Return the shape of one object's features, which the file's types, metadata or lists say."""
        shape = source.shape or common_shape(self.file, column, source, self.ids)
        if 0 in shape:
            raise PoolError(
                f"{self.file.path}: column {column!r} holds empty lists only; leave the modality out with --modality"
            )
        text = (source.metadata or {}).get(SHAPE_KEY)
        if text is not None:
            return self._written_shape(column, text, math.prod(shape))
        # A list in a list is one vector, and no image of one row.
        longer = [size for size in shape if size > 1]
        return shape if len(longer) > 1 else (math.prod(shape),)

    def _written_shape(self, column: str, text: bytes, dimension: int) -> tuple[int, ...]:
        try:
            shape = tuple(int(size) for size in json.loads(text))
        except (ValueError, TypeError):
            shape = ()
        if not shape or math.prod(shape) != dimension or min(shape) < 1:
            raise PoolError(
                f"{self.file.path}: column {column!r} has lists of {dimension} values, and its metadata has "
                f"alray.shape = {text.decode(errors='replace')}; the product of the sizes must be {dimension}"
            )
        return shape


def memory_type(source: VectorSource) -> np.dtype[Any]:
    """Return the type that features have in memory: float16 and the bytes of images stay, all others are float32."""
    kind = source.number_type
    stays = pa.types.is_float16(kind) or (pa.types.is_uint8(kind) and source.field is not None)
    return np.dtype(kind.to_pandas_dtype() if stays else np.float32)


def constant_features(features: npt.NDArray[np.generic]) -> Indices:
    """Return the sorted positions of the columns that hold one value in all of two or more rows."""
    constant = np.arange(features.shape[1] if len(features) > 1 else 0)
    start, step = 0, 64
    while start < len(features) and len(constant):  # nearly always a few rows are enough
        rows = features[start : start + step, constant]
        constant = constant[(rows == features[0, constant]).all(axis=0)]
        start, step = start + step, min(4 * step, 16_384)
    return constant
