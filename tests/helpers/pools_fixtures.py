"""Small pools as real files."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from alray.pools.files.fixed_size_lists import (
    null_rows_work,
    restore_fixed_sizes,
    with_variable_lists,
)
from alray.pools.reading import read_pool
from alray.pools.writing import Chunk, ChunkModality, write_pool
from alray.settings.common import PoolSpec

IDS = ["a", "b", "c", "d", "e", "f"]
LABELS = ["cat", "dog", "cat", "dog", "cat", "dog"]


def vectors(rows: list[Any], kind: Any = None, size: int | None = 2) -> Any:
    """Return a list column: of fixed size unless `size` is None."""
    values = kind or pa.float32()
    if values == pa.float16():  # of Python's numbers older versions of PyArrow make none
        rows = [
            row and [value if value is None else np.float16(value) for value in row]
            for row in rows
        ]
    return pa.array(rows, pa.list_(values) if size is None else pa.list_(values, size))


def write_table(table: Any, path: Path, **options: Any) -> None:
    """Write a table by any version of PyArrow, also where fixed-size lists have null rows."""
    if null_rows_work():
        pq.write_table(table, path, **options)
        return
    pq.write_table(with_variable_lists(table), path, **options)
    restore_fixed_sizes(path)


def columns(**changed: Any) -> dict[str, Any]:
    """Return the columns of a good pool of six objects, with changes; None removes a column."""
    image = [[1.0, 2.0], [3.0, 4.0], None, [5.0, 6.0], [7.0, 8.0], [9.0, 10.0]]
    text = [[0.5, 0.25], None, [1.5, 2.5], [3.5, 4.5], [5.5, 6.5], [7.5, 8.5]]
    good = {"id": IDS, "label": LABELS, "image": vectors(image), "text": vectors(text)}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def parquet(
    folder: Path, *, row_group_size: Any = None, fields: Any = None, **changed: Any
) -> str:
    """Write a good pool of six objects, with changes and metadata of fields, and return its path."""
    path = folder / "pool.parquet"
    table = pa.table(columns(**changed))
    for name, metadata in (fields or {}).items():
        position = table.schema.get_field_index(name)
        field = table.schema.field(position).with_metadata(metadata)
        table = table.cast(table.schema.set(position, field))
    write_table(table, path, row_group_size=row_group_size)
    return str(path)


def shaped(folder: Path, shape: str, image: Any) -> str:
    """Write a pool whose images have this shape in their metadata."""
    field = pa.field("image", image.type, metadata={"alray.shape": shape})
    schema = pa.schema([("id", pa.string()), ("label", pa.string()), field])
    write_table(pa.table([IDS, LABELS, image], schema=schema), folder / "pool.parquet")
    return str(folder / "pool.parquet")


def read(source: str, **settings: Any) -> Any:
    return read_pool(PoolSpec(source=source, **settings))


def features(pool: Any, name: str) -> Any:
    """Return a modality's features with a row per object, NaN where absent."""
    part = next(part for part in pool.modalities if part.name == name)
    dense = np.full((len(pool), part.dimension), np.nan, np.float64)
    dense[part.present] = part.features[part.rows[part.present]]
    return dense


def everywhere(values: Any) -> ChunkModality:
    """Return a modality that no object lacks."""
    return ChunkModality(values, np.ones(len(values), np.bool_))


def write_objects(
    path: Path,
    labels: Any,
    modalities: dict[str, ChunkModality],
    size: int | None = None,
    **extras: Any,
) -> str:
    """Write objects with ids 0, 1, ... in chunks of `size` of them, or in one, and return the path."""
    ids = np.arange(len(labels)).astype(np.str_)

    def chunk(start: int) -> Chunk:
        objects = slice(start, start + (size or len(labels)))
        kept = {
            name: ChunkModality(modality.values[objects], modality.present[objects])
            for name, modality in modalities.items()
        }
        further = {name: values[objects] for name, values in extras.items()}
        return Chunk(ids[objects], labels[objects], kept, further)

    write_pool(path, map(chunk, range(0, len(labels), size or len(labels))))
    return str(path)
