"""Import clip-retrieval's folder: embeddings in shards of `.npy`, and their metadata in shards of Parquet."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from alray.errors import PoolError
from alray.pools.files.layouts import CLIP_FOLDERS
from alray.pools.imports.npy import map_npy
from alray.pools.imports.rows import Rows, concatenate_rows, rows_of
from alray.pools.imports.source import ImportOptions, ImportSource, name_modalities
from alray.pools.imports.tables import Table, from_table

_METADATA = "metadata"


def from_clip_retrieval(path: Path, options: ImportOptions) -> ImportSource:
    """Return the embeddings, with labels, ids and further columns of the metadata.

    Raises:
        PoolError: Shards are missing or differ in length, or the metadata has no labels.
    """
    metadata = _shards(path / _METADATA, "parquet")
    if not metadata:
        raise PoolError(
            f"{path}: no {_METADATA}/metadata_0.parquet, which would hold the labels; copy the folder as "
            "clip-retrieval wrote it, or put labels and embeddings into one folder as labels.npy and image.npy"
        )
    names = {name: folder for name, folder in CLIP_FOLDERS.items() if (path / folder).is_dir()}
    if options.modalities:
        names = {name: _folder(path, text, names) for name, text in options.modalities.items()}
    name_modalities(path, names, given=True)
    rows = {name: _embeddings(path / folder, metadata) for name, folder in names.items()}
    return from_table(_metadata_table(str(path), list(metadata.values())), options, rows)


def _folder(path: Path, wanted: str, found: dict[str, str]) -> str:
    folder = found.get(wanted, wanted)
    if folder not in found.values():
        raise PoolError(
            f"{path}: no folder of embeddings {wanted!r}; there are {', '.join(found.values())}"
        )
    return folder


def _shards(folder: Path, ending: str) -> dict[int, Path]:
    """Return number: file, sorted by number."""
    found = {
        int(match[1]): file
        for file in folder.glob(f"*.{ending}")
        if (match := re.search(r"(\d+)$", file.stem))
    }
    return dict(sorted(found.items()))


def _embeddings(folder: Path, metadata: dict[int, Path]) -> Rows:
    shards = _shards(folder, "npy")
    if list(shards) != list(metadata):
        lacking = min(set(metadata) ^ set(shards))
        where = folder if lacking in metadata else folder.with_name(_METADATA)
        raise PoolError(
            f"{where}: no shard with the number {lacking}; copy the whole folder again"
        )
    parts = []
    for number, file in shards.items():
        rows = rows_of(str(file), map_npy(file))
        wanted = pq.ParquetFile(metadata[number]).metadata.num_rows
        if rows.count != wanted:
            raise PoolError(
                f"{file}: {rows.count:,} rows, and {metadata[number]} has {wanted:,}; copy both again"
            )
        parts.append(rows)
    return concatenate_rows(parts)


def _metadata_table(origin: str, files: list[Path]) -> Table:
    try:
        schema = pq.read_schema(files[0])
    except (pa.ArrowException, OSError) as error:
        raise PoolError(f"{files[0]}: cannot be read ({error}); copy it again") from None

    def batches() -> Iterator[Any]:
        for file in files:
            try:
                table = pq.ParquetFile(file)
                for batch in table.iter_batches():
                    yield from (
                        pa.Table.from_batches([batch])
                        .select(schema.names)
                        .cast(schema)
                        .to_batches()
                    )
            except (pa.ArrowException, OSError, KeyError, ValueError) as error:
                raise PoolError(
                    f"{file}: cannot be read, or its columns are not those of {files[0]} ({error}); copy it again"
                ) from None

    return Table(f"{origin}/{_METADATA}", schema, batches)
