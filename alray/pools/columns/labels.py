"""Labels of objects as positions in sorted classes, from text, whole numbers, or numbers that the file names."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from alray.errors import PoolError
from alray.pools.columns.texts import LARGEST_EXACT, read_texts
from alray.pools.files.arrow_types import decoded, is_bytes, is_text
from alray.pools.files.parquet import PoolFile
from alray.pools.pool import Indices, Texts

NO_LABEL = -1
"""The position of an object without a label."""

_HUGGING_FACE = b"huggingface"
"""Key of a schema's metadata under which Hugging Face's `datasets` describes the columns."""

Class = int | str


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of all objects of a file.

    Attributes:
        codes: (objects,) int64, positions in `classes`, or NO_LABEL.
        classes: Class names, sorted; numbers by value.
    """

    codes: Indices
    classes: tuple[str, ...]


def read_labels(file: PoolFile, column: str, ids: Texts, option: str = "--label COLUMN") -> Labels:
    """Read the labels; null, empty text and NaN are no label, nor is the -1 of a `ClassLabel`.

    Args:
        file: The pool.
        column: The column that holds them.
        ids: (rows,) how messages name the objects.
        option: The command-line option that names another column, for messages.

    Raises:
        PoolError: The column is neither text nor whole numbers, or a number is not exact or has no name.
    """
    values, class_of = _values_and_classes(file, column, option)
    encoded = values.dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    codes = pc.fill_null(encoded.indices, len(distinct)).to_numpy(zero_copy_only=False)
    found: list[Class | None] = []
    for number, value in enumerate(distinct):
        try:
            found.append(class_of(value))
        except ValueError as error:
            first = ids[np.flatnonzero(codes == number)[0]]
            raise PoolError(
                f"{file.path}: column {column!r} is {file.field(column, option).type} and holds {value} "
                f"(object {first}), {error}; convert it, or name another column with {option}"
            ) from None
    ordered = _sorted([name for name in found if name is not None])
    position = {name: code for code, name in enumerate(ordered)}
    lookup = [NO_LABEL if name is None else position[name] for name in found]
    return Labels(np.asarray([*lookup, NO_LABEL], np.int64)[codes], tuple(map(str, ordered)))


def _sorted(names: list[Class]) -> list[Class]:
    """Return the distinct names: numbers by value, texts by their characters; no column holds both."""
    return sorted(set(names), key=lambda name: (isinstance(name, str), name))


def _values_and_classes(
    file: PoolFile, column: str, option: str
) -> tuple[Any, Callable[[Any], Class | None]]:
    """Return a column's values in a type with few distinct ones, and what each of them is called."""
    kind = decoded(file.field(column, option).type)
    if is_text(kind) or is_bytes(kind) or pa.types.is_null(kind):
        return read_texts(file, column), lambda text: text or None
    values = file.column(column)
    if pa.types.is_boolean(kind):
        return values, str
    if pa.types.is_integer(kind):
        names = _class_names(file, column)
        return values, int if names is None else lambda number: _named(number, names)
    if pa.types.is_floating(kind):
        limit = LARGEST_EXACT[kind]
        return values.cast(pa.float64()), lambda number: _whole_float(number, limit)
    if pa.types.is_decimal(kind):
        return values, _whole
    raise PoolError(
        f"{file.path}: column {column!r} is {kind}, and labels are text or whole numbers; "
        f"convert it, or name another column with {option}"
    )


def _named(number: int, names: list[str]) -> str | None:
    if number == -1:  # how Hugging Face writes "no label"
        return None
    if not 0 <= number < len(names):
        raise ValueError(f"and the file's metadata names {len(names)} classes, from 0")
    return names[number] or None


def _whole_float(number: float, limit: float) -> int | None:
    if math.isnan(number):
        return None
    if abs(number) > limit:
        raise ValueError(
            f"and this type is exact for whole numbers to {limit:,.0f} only: labels may have become equal or changed"
        )
    return _whole(number)


def _whole(number: Any) -> int:
    if number != int(number):
        raise ValueError("and labels are text or whole numbers")
    return int(number)


def _class_names(file: PoolFile, column: str) -> list[str] | None:
    """Return the names of a Hugging Face `ClassLabel`, if the metadata of the files says that the column is one."""
    first, *others = (_names_in(shard.schema.metadata, column) for shard in file.shards)
    for shard, names in zip(file.shards[1:], others, strict=True):
        if names != first:
            raise PoolError(
                f"{file.path}: the metadata of column {column!r} (Hugging Face's ClassLabel) names other classes in "
                f"{shard.source.name} than in {file.shards[0].source.name}; write the labels as text"
            )
    if first is not None and len(set(first)) < len(first):
        raise PoolError(
            f"{file.path}: the metadata of column {column!r} (Hugging Face's ClassLabel) names a class twice; "
            "write the labels as text"
        )
    return first


def _names_in(metadata: Any, column: str) -> list[str] | None:
    try:
        feature = json.loads((metadata or {}).get(_HUGGING_FACE, b""))["info"]["features"][column]
        names = feature["names"] if feature["_type"] == "ClassLabel" else None
    except (TypeError, ValueError, KeyError):
        return None
    return None if names is None else [str(name) for name in names]
