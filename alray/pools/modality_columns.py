"""Find the columns of a pool's file that are its modalities."""

from typing import Any

import pyarrow as pa

from alray.errors import PoolError
from alray.pools.modality_names import can_name_modality
from alray.pools.parquet import PoolFile
from alray.settings.common import PoolSpec

SHAPE_KEY = b"alray.shape"
"""Field metadata of an image column: JSON list such as `[28, 28]`."""


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
        if not can_name_modality(name):
            raise PoolError(
                f"{file.path}: {name!r} cannot name a modality (letters, digits, _ and -, not 'fused'); "
                f"give one with --modality NAME={column}"
            )
    return chosen
