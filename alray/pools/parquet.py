"""Open a pool's Parquet file, and find the columns that the settings name."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from alray.errors import PoolError
from alray.pools.builtin import locate
from alray.settings.common import PoolSpec

SHAPE_KEY = b"alray.shape"
"""Field metadata of an image column: JSON list such as `[28, 28]`."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


@dataclass(frozen=True, eq=False)
class PoolFile:
    """An open Parquet file with at least one row."""

    path: Path
    parquet: Any
    schema: Any

    def field(self, column: str, option: str) -> Any:
        """Return the Arrow field of a column.

        Raises:
            PoolError: There is no such column; the message names the nearest one, lists all, and names the command-line
                option that chooses another.
        """
        names = self.schema.names
        if column in names:
            return self.schema.field(names.index(column))
        near = get_close_matches(column, names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise PoolError(
            f"{self.path}: no column {column!r}; {hint}columns are {', '.join(names)}; "
            f"name another one with {option}"
        )


def open_pool(source: str) -> PoolFile:
    """Open a built-in pool or a Parquet file.

    Raises:
        PoolError: The file is missing, unreadable, not Parquet, or has no rows.
    """
    path = locate(source)
    try:
        # Without `pre_buffer=False` all compressed row groups are held in memory until the last is read.
        parquet = pq.ParquetFile(path, pre_buffer=False)
        schema = parquet.schema_arrow
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise PoolError(
            f"{path}: not a readable Parquet file ({reason}); "
            "convert other formats with `alray pool import`"
        ) from None
    if not parquet.metadata.num_rows:
        raise PoolError(f"{path}: the file has no rows; a pool has a row per object")
    return PoolFile(path, parquet, schema)


def is_feature_type(kind: Any) -> bool:
    """Return whether a column of this Arrow type can be a modality: lists of floats, fixed-size lists of uint8."""
    if pa.types.is_fixed_size_list(kind):
        return bool(pa.types.is_floating(kind.value_type) or pa.types.is_uint8(kind.value_type))
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return bool(is_list and pa.types.is_floating(kind.value_type))


def modality_columns(file: PoolFile, spec: PoolSpec) -> dict[str, str]:
    """Return modality name: column, in the order of the settings, or else of the file.

    Raises:
        PoolError: A named column is missing or no list of numbers, no column is a list of numbers, or a name cannot
            name a part of a network.
    """
    for column in spec.modalities.values():
        kind = file.field(column, "--modality NAME=COLUMN").type
        if not is_feature_type(kind):
            raise PoolError(
                f"{file.path}: column {column!r} is {kind}, and a modality is a list of float16 or float32 "
                "of one length (or a fixed-size list of uint8); convert it, or name another one with "
                "--modality NAME=COLUMN"
            )
    found = {field.name: field.name for field in file.schema if is_feature_type(field.type)}
    chosen = dict(spec.modalities) or found
    if not chosen:
        raise PoolError(
            f"{file.path}: no column is a list of floats, so there is no modality; add one; "
            f"columns are {', '.join(file.schema.names)}"
        )
    for name, column in chosen.items():
        if not _NAME.fullmatch(name) or name == "fused":  # the fused head's name
            raise PoolError(
                f"{file.path}: {name!r} cannot name a modality (letters, digits, _ and -, not 'fused'); "
                f"give one with --modality NAME={column}"
            )
    return chosen
