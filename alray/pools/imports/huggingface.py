"""Open folders that Hugging Face's `save_to_disk` writes: Arrow streams and their description in JSON."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from alray.errors import PoolError
from alray.pools.columns.modality_names import clean_name
from alray.pools.imports.arrow_files import open_arrow
from alray.pools.imports.parts import PARTS, part_rank
from alray.pools.imports.source import ImportOptions
from alray.pools.imports.tables import Table


def open_dataset(path: Path, options: ImportOptions) -> Table:
    """Return the table of a `Dataset`, or of the parts of a `DatasetDict` with a column of the part, `split`.

    Raises:
        PoolError: Files are missing, or parts differ in their columns.
    """
    if not (path / "dataset_dict.json").exists():
        return _open_part(path)
    listed = _json(path / "dataset_dict.json").get("splits")
    names = sorted(map(str, listed), key=part_rank) if isinstance(listed, list) else []
    if not names:
        raise PoolError(f"{path / 'dataset_dict.json'}: names no splits; save the data set again")
    parts = {name: _open_part(path / name) for name in names}
    column = clean_name(options.split_column or "split", parts[names[0]].schema.names)
    return _join(str(path), parts, column)


def _open_part(path: Path) -> Table:
    state = _json(path / "state.json") if (path / "state.json").exists() else {}
    if state.get("_indices_files"):
        raise PoolError(f"{path}: rows chosen by an index; save dataset.flatten_indices() instead")
    try:
        listed = [path / file["filename"] for file in state.get("_data_files", [])]
    except (TypeError, KeyError):
        raise PoolError(
            f"{path / 'state.json'}: names no files under _data_files; save the data set again"
        ) from None
    files = listed or sorted(path.glob("*.arrow"))
    missing = [str(file) for file in files if not file.exists()]
    if missing or not files:
        raise PoolError(
            f"{path}: no file {missing[0] if missing else '*.arrow'}; copy the whole folder again"
        )
    shards = [open_arrow(file) for file in files]
    schema = _described(shards[0].schema, path)

    def batches() -> Iterator[Any]:
        for shard in shards:
            yield from shard.batches()

    return Table(str(path), schema, batches)


def _described(schema: Any, path: Path) -> Any:
    """Return the schema with the names of classes, which older versions write to dataset_info.json alone."""
    file = path / "dataset_info.json"
    if b"huggingface" in (schema.metadata or {}) or not file.exists():
        return schema
    info = {"info": {"features": _json(file).get("features")}}
    return schema.with_metadata({b"huggingface": json.dumps(info).encode()})


def _join(origin: str, parts: dict[str, Table], column: str) -> Table:
    first = next(iter(parts.values()))
    for part in parts.values():
        if part.schema.names != first.schema.names:
            raise PoolError(
                f"{part.origin}: columns are {', '.join(part.schema.names)}, and those of {first.origin} are "
                f"{', '.join(first.schema.names)}; import one of the two folders"
            )
    schema = first.schema.append(pa.field(column, pa.string()))

    def batches() -> Iterator[Any]:
        for name, part in parts.items():
            for batch in part.batches():
                split = pa.array([PARTS.get(name.lower(), name)] * batch.num_rows, pa.string())
                yield pa.record_batch([*batch.columns, split], names=schema.names)

    counts = [
        (name, sum(batch.num_rows for batch in part.batches())) for name, part in parts.items()
    ]
    return Table(origin, schema, batches, counts)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PoolError(f"{path}: cannot be read: {error}") from None
    return content if isinstance(content, dict) else {}
