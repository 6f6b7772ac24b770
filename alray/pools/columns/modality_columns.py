"""Find the columns of a pool's file that are its modalities."""

from collections.abc import Mapping
from shlex import quote
from typing import Any

import pyarrow as pa

from alray.errors import PoolError
from alray.pools.columns.column_advice import advice
from alray.pools.columns.metadata import name_some
from alray.pools.columns.modality_names import can_name_modality, clean_name
from alray.pools.columns.number_lists import is_spark_vector, number_type
from alray.pools.columns.vector_sources import vector_source
from alray.pools.files.parquet import PoolFile
from alray.settings.common import PoolSpec

SHAPE_KEY = b"alray.shape"
"""Field metadata of an image column: JSON list such as `[28, 28]`."""


def is_feature_type(kind: Any) -> bool:
    """Return whether a column of this type is a modality unless others are named: lists of floats, images of uint8."""
    if pa.types.is_fixed_size_list(kind):
        return kind.list_size > 0 and bool(
            pa.types.is_floating(kind.value_type) or pa.types.is_uint8(kind.value_type)
        )
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return bool(is_list and pa.types.is_floating(kind.value_type))


def is_other_feature_type(field: Any) -> bool:
    """Return whether a column is a modality where no plain list is one: tensors, lists in lists, records of numbers."""
    numbers = number_type(field.type)
    if numbers is None:
        return False
    extension = isinstance(field.type, pa.BaseExtensionType) or b"ARROW:extension:name" in (
        field.metadata or {}
    )
    return bool(
        pa.types.is_floating(numbers)
        or is_spark_vector(field.type)
        or (extension and pa.types.is_uint8(numbers))
    )


def modality_columns(file: PoolFile, spec: PoolSpec) -> dict[str, str]:
    """Return modality name: column, in the order of the settings, or else of the file.

    Without settings every column of plain lists of floats is a modality; where there is none, other forms of them are.
    A modality has its column's name, in which characters that no part of a network can have are replaced.

    Raises:
        PoolError: A named column is missing or no list of numbers, no column is a list of numbers, or a name of the
            settings cannot name a part of a network.
    """
    if spec.modalities:
        return _named(file, spec)
    taken = {spec.id, spec.label, spec.group_by}
    fields = [field for field in file.schema if field.name not in taken]
    found = [field.name for field in fields if is_feature_type(field.type)]
    found = found or [field.name for field in fields if is_other_feature_type(field)]
    if not found:
        raise PoolError(
            f"{file.path}: no column is a list of floats, so there is no modality; columns are "
            f"{name_some(file.schema.names)}{advice(file, spec)}"
        )
    chosen = {name: name for name in found if can_name_modality(name)}
    for column in found:
        if column not in chosen:
            chosen[clean_name(column, chosen)] = column
    return {name: column for column in found for name in chosen if chosen[name] == column}


def about_modalities(file: PoolFile, spec: PoolSpec, chosen: Mapping[str, str]) -> list[str]:
    """Return what the settings do not say: cleaned names, and columns that are no modality because others are."""
    if spec.modalities:
        return []
    lines = [
        f"column {column!r} is the modality {name!r}"
        for name, column in chosen.items()
        if name != column
    ]
    lines += [
        f"column {field.name!r} holds numbers in another form than plain lists, and is no modality; if it is to be "
        "one, name all modalities with --modality NAME=COLUMN"
        for field in file.schema
        if is_other_feature_type(field) and field.name not in chosen.values()
    ]
    return lines


def _named(file: PoolFile, spec: PoolSpec) -> dict[str, str]:
    for name, column in spec.modalities.items():
        vector_source(file, column, spec)
        if not can_name_modality(name):
            raise PoolError(
                f"{file.path}: {name!r} cannot name a modality (letters, digits, _ and -, not 'fused'); "
                f"give one with --modality {quote(f'NAME={column}')}"
            )
    return dict(spec.modalities)
