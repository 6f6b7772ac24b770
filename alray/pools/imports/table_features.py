"""Choose the columns of a table that are modalities, and read them."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from alray.errors import PoolError
from alray.pools.files.arrow_types import is_text
from alray.pools.imports.arrow_columns import (
    element_type,
    is_number,
    number_values,
)
from alray.pools.imports.batches import SharedBatches
from alray.pools.imports.source import name_modalities
from alray.settings.base import unknown_name

Columns = dict[str, tuple[str, list[str]]]
"""Modality name: what it is called in the file, and its columns."""


def choose_columns(
    origin: str, schema: Any, batches: SharedBatches, used: set[str], wanted: Mapping[str, str]
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
    lists = [name for name in free if holds_lists(schema.field(name).type, first, name)]
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


def holds_lists(kind: Any, first: Any, name: str) -> bool:
    """Return whether a column holds lists of numbers, or texts of them in the first batch."""
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
