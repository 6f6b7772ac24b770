"""Small pools as real files."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from alray.pools.pool import Indices, Modality, Pool, Texts
from alray.pools.reading import read_pool
from alray.pools.writing import Chunk, ChunkModality, writing
from alray.settings.common import PoolSpec

IDS = ["a", "b", "c", "d", "e", "f"]
LABELS = ["cat", "dog", "cat", "dog", "cat", "dog"]


def vectors(rows: list[Any], kind: Any = None, size: int | None = 2) -> Any:
    """Return a list column: of fixed size unless `size` is None."""
    values = kind or pa.float32()
    return pa.array(rows, pa.list_(values) if size is None else pa.list_(values, size))


def columns(**changed: Any) -> dict[str, Any]:
    """Return the columns of a good pool of six objects, with changes; None removes a column."""
    image = [[1.0, 2.0], [3.0, 4.0], None, [5.0, 6.0], [7.0, 8.0], [9.0, 10.0]]
    text = [[0.5, 0.25], None, [1.5, 2.5], [3.5, 4.5], [5.5, 6.5], [7.5, 8.5]]
    good = {"id": IDS, "label": LABELS, "image": vectors(image), "text": vectors(text)}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def parquet(folder: Path, **changed: Any) -> str:
    """Write a good pool of six objects, with changes, and return its path."""
    path = folder / "pool.parquet"
    pq.write_table(pa.table(columns(**changed)), path)
    return str(path)


def read(source: str, **settings: Any) -> Any:
    return read_pool(PoolSpec(source=source, **settings))


def features(pool: Any, name: str) -> Any:
    """Return a modality's features with a row per object, NaN where absent."""
    part = next(part for part in pool.modalities if part.name == name)
    dense = np.full((len(pool), part.dimension), np.nan, np.float64)
    dense[part.present] = part.features[part.rows[part.present]]
    return dense


def write_chunk(
    path: Path, labels: Any, modalities: dict[str, ChunkModality], ids: Any = None
) -> str:
    names = np.arange(len(labels)).astype(np.str_) if ids is None else ids
    with writing(path) as writer:
        writer.write(Chunk(names, labels, modalities))
    return str(path)


def write_pool(
    pool: Pool, path: Path, *, overwrite: bool = False, chunk_bytes: int = 1 << 25
) -> None:
    """Write a pool that is in memory, a chunk at a time; groups go to a column `group`."""
    labels = _class_values(pool.classes)
    row_bytes = sum(m.dimension * m.features.itemsize for m in pool.modalities)
    size = max(1, chunk_bytes // row_bytes)
    with writing(path, overwrite=overwrite) as writer:
        for start in range(0, len(pool), size):
            objects = slice(start, start + size)
            modalities = {m.name: _chunk_modality(m, objects) for m in pool.modalities}
            extras = {} if pool.groups is None else {"group": pool.groups[objects]}
            writer.write(
                Chunk(pool.ids[objects], labels[pool.labels[objects]], modalities, extras)
            )


def _class_values(classes: tuple[str, ...]) -> Texts | Indices:
    """Return the classes as integers if all are, so that 10 comes after 9 again when they are read."""
    try:
        numbers = sorted(int(name) for name in classes)
    except ValueError:
        numbers = []
    if tuple(str(number) for number in numbers) == classes:
        return np.asarray(numbers, np.int64)
    return np.asarray(classes, np.str_)


def _chunk_modality(modality: Modality, objects: slice) -> ChunkModality:
    present = modality.present[objects]
    # Absent objects take row 0, which is not written.
    rows = np.where(present, modality.rows[objects], 0)
    return ChunkModality(modality.features[rows].reshape(len(rows), *modality.shape), present)
