"""Writing the interchange format: one Parquet file with ids, labels and a fixed-size list column per modality."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from alray.errors import PoolError
from alray.pools.parquet import SHAPE_KEY
from alray.pools.pool import Indices, Texts


@dataclass(frozen=True, eq=False)
class Part:
    """One modality of some objects.

    Attributes:
        values: (objects, *shape), float16, float32 or uint8; what stands at absent objects is not kept.
        present: (objects,) True where the object has the modality.
    """

    values: npt.NDArray[np.generic]
    present: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some objects to be written.

    Attributes:
        ids: (objects,) text.
        labels: (objects,) text or integers.
        parts: Per modality; the same modalities, shapes and types in every chunk of a file.
        extras: Further columns, (objects,) text or numbers.
    """

    ids: Texts
    labels: Texts | Indices
    parts: Mapping[str, Part]
    extras: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    def table(self) -> Any:
        """Return the chunk as an Arrow table."""
        columns = {name: _lists(part) for name, part in self.parts.items()}
        fields = [
            pa.field(name, column.type, metadata=_metadata(self.parts[name]))
            for name, column in columns.items()
        ]
        plain = {"id": self.ids, "label": self.labels, **self.extras}
        arrays = {name: _plain(values) for name, values in plain.items()}
        schema = pa.schema([*(pa.field(name, a.type) for name, a in arrays.items()), *fields])
        return pa.table([*arrays.values(), *columns.values()], schema=schema)


class PoolWriter:
    """Appends chunks to a file that `writing` has opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, chunk: Chunk) -> None:
        """Append some objects as a row group."""
        table = chunk.table()
        if self._writer is None:
            # A dictionary of floats would only grow the file; repeated texts shrink by one.
            plain = [name for name in table.schema.names if name not in {"id", *chunk.parts}]
            self._writer = pq.ParquetWriter(
                self._path, table.schema, compression="zstd", use_dictionary=plain
            )
        self._writer.write_table(table, row_group_size=max(1, len(table)))

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()


@contextmanager
def writing(path: Path, *, overwrite: bool = False) -> Iterator[PoolWriter]:
    """Open a pool for writing; the file appears, whole, when the block ends without an error.

    Args:
        path: The file to be.
        overwrite: Replace an existing file.

    Raises:
        PoolError: If the file exists and is not to be replaced, or cannot be written.
    """
    if path.exists() and not overwrite:
        raise PoolError(f"{path}: exists already; give another name, or --overwrite")
    if not path.parent.is_dir():
        raise PoolError(f"{path}: the folder {path.parent} does not exist; make it first")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    writer = PoolWriter(temporary)
    try:
        yield writer
        writer.close()
        temporary.replace(path)
    except OSError as error:
        raise PoolError(f"{path}: cannot be written ({error})") from None
    finally:
        writer.close()
        temporary.unlink(missing_ok=True)


def _lists(part: Part) -> Any:
    """Return an Arrow column of fixed-size lists, null where absent."""
    flat = np.ascontiguousarray(part.values).reshape(-1)
    size = int(np.prod(part.values.shape[1:]))
    absent = pa.array(~part.present)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), size, mask=absent)


def _metadata(part: Part) -> dict[bytes, bytes] | None:
    """Return the field metadata that keeps the shape of an image; plain vectors need none."""
    shape = part.values.shape[1:]
    return {SHAPE_KEY: json.dumps(list(shape)).encode()} if len(shape) > 1 else None


def _plain(values: npt.NDArray[Any]) -> Any:
    """Return a text or number column."""
    # Arrow knows NumPy's object and number arrays, but not all versions know its fixed-width text.
    return (
        pa.array(values.astype(object), pa.string())
        if values.dtype.kind == "U"
        else pa.array(values)
    )
