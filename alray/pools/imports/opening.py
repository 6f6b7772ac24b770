"""Open a source of any layout."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from alray.errors import PoolError
from alray.pools.files.layouts import find_layout, import_command, supported
from alray.pools.imports.arrow_files import open_arrow
from alray.pools.imports.clip_retrieval import from_clip_retrieval
from alray.pools.imports.delimited import open_csv
from alray.pools.imports.folder import from_folder
from alray.pools.imports.hdf5 import open_hdf5
from alray.pools.imports.huggingface import open_dataset
from alray.pools.imports.idx import from_idx
from alray.pools.imports.json_lines import open_json_lines
from alray.pools.imports.named_arrays import from_parts
from alray.pools.imports.npy import open_npz
from alray.pools.imports.source import ImportOptions, ImportSource
from alray.pools.imports.study_array import from_study_array
from alray.pools.imports.tables import from_table
from alray.pools.imports.tensors import open_safetensors, open_torch

_OPENERS: dict[str, Callable[[Path, ImportOptions], ImportSource]] = {
    "npy": from_study_array,
    "npz": lambda path, options: from_parts(path, open_npz(path), options),
    "safetensors": lambda path, options: from_parts(path, open_safetensors(path), options),
    "torch": lambda path, options: from_parts(path, open_torch(path), options),
    "hdf5": lambda path, options: from_parts(path, open_hdf5(path), options),
    "arrow": lambda path, options: from_table(open_arrow(path), options),
    "jsonl": lambda path, options: from_table(open_json_lines(path), options),
    "csv": lambda path, options: from_table(open_csv(path), options),
    "idx": from_idx,
    "folder": from_folder,
    "datasets": lambda path, options: from_table(open_dataset(path, options), options),
    "clip": from_clip_retrieval,
}


def open_source(path: Path, options: ImportOptions) -> ImportSource:
    """Open a file or folder of a supported layout.

    Raises:
        PoolError: There is no such file or folder, it is a pool already, or its layout is not supported.
    """
    if not path.exists():
        raise PoolError(f"{path}: no such file or folder; check the path")
    try:
        layout = find_layout(path)
    except OSError as error:
        raise PoolError(f"{path}: cannot be read: {error}") from None
    if layout == "parquet":
        raise PoolError(
            f"{path}: Parquet, which is a pool without an import; name its columns where you use it, such as "
            f"`alray pool describe {shlex.quote(str(path))} --label COLUMN --id COLUMN --modality NAME=COLUMN`"
            f"{_columns(path)}"
        )
    if layout is None and path.is_dir():
        raise PoolError(
            f"{path}: no .npy and no idx files in this folder; put one .npy per modality and labels.npy there"
            f"{_other_files(path)}"
        )
    if layout is None:
        raise PoolError(f"{path}: not a supported file; convert it to one of: {supported()}")
    return _OPENERS[layout](path, options)


def _other_files(folder: Path) -> str:
    """Return the command that imports a file of the folder, for messages."""
    commands = (import_command(file) for file in sorted(folder.iterdir()) if file.is_file())
    found = next((command for command in commands if command), None)
    return f", or import one of its files: `{found}`" if found else ""


def _columns(path: Path) -> str:
    """Return the columns of a Parquet file with their types, for messages."""
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError):
        return ""
    return "; columns are " + ", ".join(f"{field.name} ({field.type})" for field in schema)
