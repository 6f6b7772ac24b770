"""Choose the columns of a table that are modalities, and read them."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa

from alray.errors import PoolError
from alray.pools.imports.arrow_columns import (
    element_type,
    is_number,
    is_text,
    list_shape,
    list_values,
    number_values,
    ragged,
)
from alray.pools.imports.rows import Array, Rows, rechunk
from alray.pools.imports.source import name_modalities
from alray.settings.base import unknown_name

Columns = dict[str, tuple[str, list[str]]]
"""Modality name: what it is called in the file, and its columns."""


def choose_columns(
    origin: str, schema: Any, batches: Iterable[Any], used: set[str], wanted: Mapping[str, str]
) -> Columns:
    """Return the columns of each modality.

    Without a wish these are the columns of lists, and where there are none, columns that a number follows: `img_0`,
    `img_1`, ... are the modality `img`.

    Args:
        origin: The file, for messages.
        schema: Its Arrow schema.
        batches: Its record batches.
        used: Columns of labels and ids.
        wanted: Modality name: a column, a pattern such as `img_*`, or a range such as `img_0:img_511`.

    Raises:
        PoolError: A column does not exist, or there is no modality.
    """
    free = [name for name in schema.names if name not in used]
    first = next(iter(batches), None)
    if first is None:
        raise PoolError(f"{origin}: there are no objects in it; save a row per object")
    if wanted:
        found = {
            name: (text, _matching(origin, schema.names, free, text))
            for name, text in wanted.items()
        }
        name_modalities(origin, wanted, given=True)
        return found
    lists = [name for name in free if _holds_lists(schema.field(name).type, first, name)]
    refused: list[str] = []
    groups = {name: [name] for name in lists} or _numbered(schema, free, first, refused)
    if not groups:
        kinds = ", ".join(f"{name} ({schema.field(name).type})" for name in schema.names)
        raise PoolError(
            f"{origin}: no column of lists, and no numbers in numbered columns (img_0, img_1, ...), so there is no "
            f"modality{refused[0] if refused else ''}; name the columns of numbers with --modality NAME=PATTERN, "
            f"such as --modality features='*'; columns are {kinds}"
        )
    names = name_modalities(origin, {name: name for name in groups}, given=False)
    return {name: (source, groups[source]) for name, source in names.items()}


def _matching(origin: str, names: Sequence[str], free: Sequence[str], text: str) -> list[str]:
    """Return the columns that a name, a range or comma-separated patterns stand for."""
    if text in free:
        return [text]
    if text in names:
        raise PoolError(
            f"{origin}: column {text!r} holds the labels or ids; name another one with --modality NAME=COLUMN"
        )
    first, colon, last = text.partition(":")
    if colon and first in names and last in names:
        chosen = list(names)[names.index(first) : names.index(last) + 1]
        return [name for name in chosen if name in free]
    patterns = text.split(",")
    found = sorted(
        (name for name in free if any(fnmatchcase(name, pattern) for pattern in patterns)),
        key=_by_number,
    )
    if not found:
        raise PoolError(f"{origin}: {unknown_name('column', text, list(names))}")
    return found


def _by_number(name: str) -> list[tuple[int, int, str]]:
    """Return what sorts `img_2` before `img_10`."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def _holds_lists(kind: Any, first: Any, name: str) -> bool:
    if element_type(kind) is not None:
        return True
    if not is_text(kind):
        return False
    texts = [
        text.strip()
        for text in islice(first.column(name).to_pylist(), 100)
        if text and text.strip()
    ]
    return bool(texts) and all(
        re.fullmatch(r"\[\s*[-+\d.\[].*\]", text, re.DOTALL) for text in texts
    )


def _numbered(
    schema: Any, free: list[str], first: Any, refused: list[str]
) -> dict[str, list[str]]:
    """Return the groups of at least two columns of numbers whose names differ in a number at the end.

    Why others were not taken is added to `refused`.
    """
    groups: dict[str, list[str]] = {}
    for name in free:
        match = re.fullmatch(r"(.*?)[-_. ]?\d+", name)
        if match is None or not (
            is_number(schema.field(name).type) or is_text(schema.field(name).type)
        ):
            continue
        try:
            number_values(f"{name!r} is numbered, but", first.column(name))
        except PoolError as error:
            refused.append(f" ({str(error).partition(';')[0]})")
            continue
        groups.setdefault(match[1] or "features", []).append(name)
    return {
        stem: sorted(names, key=_by_number) for stem, names in groups.items() if len(names) > 1
    }


def feature_rows(
    origin: str, schema: Any, batches: Iterable[Any], columns: list[str], count: int
) -> Rows:
    """Return the rows of a column of lists, or of several columns of numbers.

    Raises:
        PoolError: Lists differ in length, or columns hold no numbers.
    """
    kinds = [schema.field(name).type for name in columns]
    if len(columns) == 1 and element_type(kinds[0]) is not None:
        return _list_rows(origin, element_type(kinds[0]), batches, columns[0], count)
    if len(columns) == 1 and is_text(kinds[0]):
        first = next(iter(batches), None)
        if first is not None and _holds_lists(kinds[0], first, columns[0]):
            return _text_list_rows(origin, batches, columns[0], count)
    for name, kind in zip(columns, kinds, strict=True):
        if not (is_number(kind) or is_text(kind)):
            raise PoolError(
                f"{origin}: column {name!r} is {kind}, and a modality is a column of lists of numbers, or several "
                "columns of numbers; convert it, or name others with --modality"
            )

    def chunks(size: int) -> Iterator[Array]:
        arrays = (
            np.stack(
                [
                    number_values(f"{origin}: column {name!r}", batch.column(name))
                    for name in columns
                ],
                axis=1,
            )
            for batch in batches
        )
        return rechunk(arrays, size)

    return Rows(origin, count, (len(columns),), np.dtype(np.float64), chunks)


def _list_rows(origin: str, kind: Any, batches: Iterable[Any], column: str, count: int) -> Rows:
    shape, done, missing = None, 0, 0
    for batch in batches:
        found = list_shape(origin, batch.column(column), done)
        if found is not None and shape is not None and found != shape:
            raise ragged(origin, int(np.prod(shape)), range(done, done + batch.num_rows))
        shape = shape or found
        done += batch.num_rows
        missing += batch.column(column).null_count
    if shape is None or 0 in shape:
        raise PoolError(
            f"{origin}: {'null in every row' if shape is None else 'empty lists'}; "
            "leave the column out: name the others with --modality"
        )
    while len(shape) > 1 and shape[0] == 1:  # lists of one list
        shape = shape[1:]
    is_image = kind == pa.uint8() and not missing and len(shape) > 1
    dtype = np.dtype(
        np.uint8
        if is_image
        else kind.to_pandas_dtype()
        if pa.types.is_floating(kind)
        else np.float32
    )
    fixed = shape

    def chunks(size: int) -> Iterator[Array]:
        return rechunk(
            (list_values(batch.column(column), fixed, dtype) for batch in batches), size
        )

    return Rows(origin, count, fixed, dtype, chunks)


def _text_list_rows(origin: str, batches: Iterable[Any], column: str, count: int) -> Rows:
    """Return the rows of lists that are written as text, as JSON or as NumPy prints them."""
    width, done = 0, 0
    for batch in batches:
        for row, values in enumerate(map(_parse_list, batch.column(column).to_pylist()), done):
            if isinstance(values, str):
                raise PoolError(
                    f"{origin}: row {row} (counted from 0) holds {values}; write JSON lists of numbers"
                )
            width = width or (0 if values is None else len(values))
            if values is not None and len(values) != width:
                raise ragged(origin, width, [row])
        done += batch.num_rows

    def chunks(size: int) -> Iterator[Array]:
        def arrays() -> Iterator[Array]:
            for batch in batches:
                parsed = map(_parse_list, batch.column(column).to_pylist())
                yield np.stack(
                    [np.full(width, np.nan) if v is None else np.asarray(v) for v in parsed]
                )

        return rechunk(arrays(), size)

    return Rows(origin, count, (width,), np.dtype(np.float64), chunks)


def _parse_list(text: str | None) -> Array | str | None:
    """Return the numbers of a list, None for an empty text, or what is wrong with it."""
    bare = (text or "").strip()
    if bare.lower() in {"", "null", "none", "nan", "[]"}:
        return None
    if "..." in bare:
        return f"the list {bare[:30]!r}, which was cut off by '...' when it was written"
    try:
        values = np.asarray(json.loads(bare), np.float64)
    except (ValueError, TypeError):
        try:
            values = np.asarray(bare.strip("[]").replace(",", " ").split(), np.float64)
        except ValueError:
            return f"{bare[:30]!r}"
    return values.reshape(-1) if values.ndim else f"{bare[:30]!r}"
