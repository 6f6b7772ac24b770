"""Read a modality's column into a compact array, a batch at a time.

The array is allocated once for all objects and filled from the front. The operating system commits memory only when it
is written, so absent objects take none, and no second copy is made.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from alray.errors import PoolError
from alray.pools.metadata import name_some
from alray.pools.modality_columns import SHAPE_KEY
from alray.pools.parquet import PoolFile
from alray.pools.pool import Indices, Modality, Texts

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
class FeatureReader:
    """Reads the modalities of one file.

    Attributes:
        ids: (rows of the file,) for messages.
        kept: (rows of the file,) False where an object was dropped.
    """

    file: PoolFile
    ids: Texts
    kept: npt.NDArray[np.bool_]

    def read(self, modality: str, column: str) -> FeatureColumn:
        """Read one modality.

        Raises:
            PoolError: Its lists differ in length, or its shape does not fit.
        """
        field = self.file.field(column, "--modality NAME=COLUMN")
        dimension = self._dimension(column, field.type)
        stored = field.type.value_type
        dtype = np.float32 if pa.types.is_float64(stored) else stored.to_pandas_dtype()
        shape = self._shape(field, dimension)
        objects = int(self.kept.sum())
        features = np.empty((objects, dimension), dtype)
        rows = np.full(objects, -1, np.int32)
        unusable: list[Indices] = []
        filled = done = 0
        overflowed = False
        largest = np.zeros(dimension)
        for values, present in self._batches(column, dimension):
            end = filled + len(values)
            # Values that do not fit (float64 into float32, a null into uint8) are reported with the object's id.
            with np.errstate(over="ignore", invalid="ignore"):
                features[filled:end] = values
            checked = values if dtype == np.uint8 else features[filled:end]
            positions = np.flatnonzero(present) + done
            rows[positions] = np.arange(filled, end)
            unusable.append(positions[~np.isfinite(checked).all(axis=1)])
            if values.dtype == np.float64:
                largest = np.fmax(largest, np.abs(values).max(axis=0, initial=0))
                overflowed |= bool((np.isfinite(values) & np.isinf(features[filled:end])).any())
            filled, done = end, done + len(present)
        self._refuse_underflow(column, largest)
        found = np.concatenate(unusable).astype(np.int64)
        read = Modality(modality, features[:filled], rows, shape)
        return FeatureColumn(column, read, found, overflowed)

    def _refuse_underflow(self, column: str, largest: npt.NDArray[np.float64]) -> None:
        """Refuse features whose float64 values are all so small that float32 keeps few of their digits, or none."""
        lost = (largest > 0) & (largest < LEAST_WHOLE)
        if lost.any():
            raise PoolError(
                f"{self.file.path}: column {column!r} has {int(lost.sum()):,} features of at most "
                f"{largest[lost].max():.1e}, which is too small for float32; multiply the column by a power of ten"
            )

    def _batches(
        self, column: str, dimension: int
    ) -> Iterator[tuple[npt.NDArray[np.generic], npt.NDArray[np.bool_]]]:
        """Yield for each batch the (present, dimension) values of its kept objects, and which of them are present."""
        start = 0
        for lists in self.file.batches(column, max(1, BATCH_BYTES // (4 * dimension))):
            present = lists.is_valid().to_numpy(zero_copy_only=False)
            kept = self.kept[start : start + len(lists)]
            # `flatten` leaves out the values under absent objects; `values` would not.
            values = _numpy(lists.flatten()).reshape(-1, dimension)
            if not kept.all():
                values, present = values[kept[present]], present[kept]
            yield values, present
            start += len(lists)

    def _dimension(self, column: str, kind: Any) -> int:
        if pa.types.is_fixed_size_list(kind):
            dimension = int(kind.list_size)
        else:
            sizes = [pc.list_value_length(lists) for lists in self.file.batches(column, 8192)]
            lengths = pc.fill_null(pa.chunked_array(sizes), -1).to_numpy()
            dimension = self._common_length(column, lengths)
        if dimension == 0:
            raise PoolError(
                f"{self.file.path}: column {column!r} holds empty lists only; leave the modality out with --modality"
            )
        return dimension

    def _common_length(self, column: str, lengths: npt.NDArray[np.integer[Any]]) -> int:
        sizes, counts = np.unique(lengths[lengths >= 0], return_counts=True)
        if not len(sizes):
            raise PoolError(
                f"{self.file.path}: column {column!r} is absent from every object; "
                "leave the modality out with --modality"
            )
        usual = int(sizes[counts.argmax()])
        others = self.ids[(lengths >= 0) & (lengths != usual)]
        if len(others):
            raise PoolError(
                f"{self.file.path}: column {column!r} is ragged: most lists have {usual} values, "
                f"{len(others):,} objects have between {sizes[0]} and {sizes[-1]}: {name_some(others)}; "
                "mend or remove these rows"
            )
        return usual

    def _shape(self, field: Any, dimension: int) -> tuple[int, ...]:
        text = (field.metadata or {}).get(SHAPE_KEY)
        if text is None:
            return (dimension,)
        try:
            shape = tuple(int(size) for size in json.loads(text))
        except (ValueError, TypeError):
            shape = ()
        if not shape or math.prod(shape) != dimension or min(shape) < 1:
            raise PoolError(
                f"{self.file.path}: column {field.name!r} has lists of {dimension} values, and its metadata has "
                f"alray.shape = {text.decode(errors='replace')}; the product of the sizes must be {dimension}"
            )
        return shape


def constant_features(features: npt.NDArray[np.generic]) -> Indices:
    """Return the sorted positions of the columns that hold one value in all of two or more rows."""
    constant = np.arange(features.shape[1] if len(features) > 1 else 0)
    start, step = 0, 64
    while start < len(features) and len(constant):  # nearly always a few rows are enough
        rows = features[start : start + step, constant]
        constant = constant[(rows == features[0, constant]).all(axis=0)]
        start, step = start + step, min(4 * step, 16_384)
    return constant


def _numpy(values: Any) -> npt.NDArray[np.generic]:
    """Return a flat Arrow array without a copy; a null among the numbers becomes NaN."""
    if values.null_count == 0:
        return np.asarray(values.to_numpy(zero_copy_only=True))
    if pa.types.is_uint8(values.type):
        values = values.cast(pa.float32())
    return np.asarray(values.to_numpy(zero_copy_only=False))
