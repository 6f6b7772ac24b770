"""Write a pool: one Parquet file with ids, labels and a fixed-size list column per modality."""

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from alray.errors import PoolError
from alray.pools.columns.modality_columns import SHAPE_KEY
from alray.pools.files.fixed_size_lists import (
    null_rows_work,
    restore_fixed_sizes,
    with_variable_lists,
)
from alray.pools.files.whole import whole_file
from alray.pools.pool import Texts


@dataclass(frozen=True, eq=False)
class ChunkModality:
    """One modality of the objects of a chunk.

    Attributes:
        values: (objects, *shape), float16, float32 or uint8; values of absent objects are not written.
        present: (objects,) True where the object has the modality.
    """

    values: npt.NDArray[np.generic]
    present: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some objects to be written.

    Attributes:
        ids: (objects,) text.
        labels: (objects,) text or integers; masked ones are written as null.
        modalities: Modality name: features; the same names, shapes and types in every chunk of a file.
        extras: Further columns, (objects,) text or numbers, or Arrow arrays of scalars.
    """

    ids: Texts
    labels: Texts | npt.NDArray[np.integer[Any]]
    modalities: Mapping[str, ChunkModality]
    extras: Mapping[str, Any] = field(default_factory=dict)

    def table(self) -> Any:
        """Return the chunk as an Arrow table."""
        scalars = {"id": self.ids, "label": self.labels, **self.extras}
        columns = {name: _scalar_column(values) for name, values in scalars.items()}
        fields = [pa.field(name, column.type) for name, column in columns.items()]
        for name, modality in self.modalities.items():
            columns[name] = _list_column(modality)
            shape = modality.values.shape[1:]
            is_image = len(shape) > 1
            metadata = {SHAPE_KEY: json.dumps(shape).encode()} if is_image else None
            fields.append(pa.field(name, columns[name].type, metadata=metadata))
        return pa.table(columns, schema=pa.schema(fields))


def write_pool(path: Path, chunks: Iterable[Chunk], *, overwrite: bool = False) -> None:
    """Write a pool with a row group for each of one or more chunks; the file appears, whole, after the last.

    Raises:
        PoolError: The file exists and `overwrite` is False, or it cannot be written.
    """
    if path.exists() and not overwrite:
        raise PoolError(
            f"{path}: exists already; name another file, or replace it with --overwrite"
        )
    if not path.parent.is_dir():
        raise PoolError(f"{path}: the folder {path.parent} does not exist; make it first")
    try:
        with whole_file(path) as temporary:
            _write_file(temporary, chunks)
    except OSError as error:
        raise PoolError(f"{path}: cannot be written ({error})") from None


def _write_file(path: Path, chunks: Iterable[Chunk]) -> None:
    with contextlib.ExitStack() as stack:
        writer = None
        for chunk in chunks:
            table = chunk.table()
            if not null_rows_work():
                table = with_variable_lists(table)
            if writer is None:
                # A dictionary makes a column of repeated texts smaller, and one of floats larger.
                repeated = [n for n in table.schema.names if n not in {"id", *chunk.modalities}]
                writer = stack.enter_context(
                    pq.ParquetWriter(
                        path,
                        table.schema,
                        compression="zstd",
                        use_dictionary=repeated,
                    )
                )
            writer.write_table(table, row_group_size=max(1, len(table)))
    if not null_rows_work():
        restore_fixed_sizes(path)


def _list_column(modality: ChunkModality) -> Any:
    """Return an Arrow column of fixed-size lists, null where absent."""
    flat = np.ascontiguousarray(modality.values).reshape(-1)
    size = int(np.prod(modality.values.shape[1:]))
    absent = pa.array(~modality.present)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), size, mask=absent)


def _scalar_column(values: Any) -> Any:
    if isinstance(values, pa.Array):
        return values
    mask = np.ma.getmaskarray(values) if np.ma.is_masked(values) else None
    values = np.ma.getdata(values)
    # All versions of Arrow read NumPy's object and number arrays, but not all read its fixed-width text.
    return (
        pa.array(values.astype(object), pa.string(), mask=mask)
        if values.dtype.kind == "U"
        else pa.array(values, mask=mask)
    )
