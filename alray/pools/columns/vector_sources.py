"""Find where a modality's numbers lie in a file: a column, a child of a record, or a column per feature."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pyarrow as pa

from alray.errors import PoolError
from alray.pools.columns.metadata import name_some
from alray.pools.columns.number_lists import (
    ABSENT,
    NumberLists,
    as_numpy,
    fixed_shape,
    is_number,
    number_type,
    read_lists,
)
from alray.pools.files.arrow_types import is_text
from alray.pools.files.parquet import PoolFile
from alray.settings.base import nearest
from alray.settings.common import PoolSpec

OPTION = "--modality NAME=COLUMN"
_NUMBERED = re.compile(r"(.*?)(\d+)")


@dataclass(frozen=True, eq=False)
class VectorSource:
    """The place of one modality's numbers.

    Attributes:
        columns: The column of lists, or a column of numbers per feature in the order of the features.
        children: Names of the record's fields that lead from the column to the lists.
        field: The Arrow field of the lists, or None for a column per feature.
        number_type: Arrow's type of the numbers.
    """

    file: PoolFile
    columns: tuple[str, ...]
    children: tuple[str, ...]
    field: Any
    number_type: Any

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of one object's features if types or columns say it, else None."""
        return (len(self.columns),) if self.field is None else fixed_shape(self.field.type)

    @property
    def metadata(self) -> Mapping[bytes, bytes] | None:
        """The metadata of the field of the lists."""
        return None if self.field is None else self.field.metadata

    def batches(self, size: int) -> Iterator[NumberLists]:
        """Yield the lists of at most so many rows."""
        parts = [self.file.batches(column, size) for column in self.columns]
        for arrays in zip(*parts, strict=True):
            yield self._side_by_side(arrays) if self.field is None else self._lists(arrays[0])

    def _lists(self, array: Any) -> NumberLists:
        for child in self.children:
            array = array.flatten()[array.type.get_field_index(child)]
        return read_lists(array)

    def _side_by_side(self, arrays: Sequence[Any]) -> NumberLists:
        """Return a list per row of its numbers in all columns, null where all of them are."""
        dtype = np.float64 if pa.types.is_float64(self.number_type) else np.float32
        table = np.empty((len(arrays[0]), len(arrays)), dtype)
        filled = np.zeros(len(table), np.bool_)
        for position, array in enumerate(arrays):
            with np.errstate(over="ignore"):
                table[:, position] = as_numpy(array)
            filled |= array.is_valid().to_numpy(zero_copy_only=False)
        sizes = np.where(filled, len(arrays), ABSENT)[:, None]
        return NumberLists(sizes, pa.array(table[filled].reshape(-1)))


def vector_source(file: PoolFile, column: str, spec: PoolSpec) -> VectorSource:
    """Return the place that a setting names: a column, `record.child`, `img_*` or `img_0:img_511`.

    Raises:
        PoolError: There is no such column, or it does not hold numbers as a modality does.
    """
    if column not in file.schema.names:
        several = _matching(file, column, spec)
        if several is not None:
            return _column_per_feature(file, column, several)
        found = _child(file, column)
        if found is not None:
            return found
    field = file.field(column, OPTION)
    numbers = number_type(field.type)
    if numbers is None:
        raise PoolError(
            f"{file.path}: column {column!r} is {field.type}, {_no_vector(field.type, column)}"
        )
    return VectorSource(file, (column,), (), field, numbers)


def in_natural_order(names: Sequence[str]) -> list[str]:
    """Return names sorted so that numbers in them count by value: img_2 before img_10."""
    return sorted(
        names,
        key=lambda name: [
            int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)
        ],
    )


def lists_in(kind: Any, path: str) -> list[str]:
    """Return the dotted paths of all lists of numbers in a type of records."""
    if number_type(kind) is not None:
        return [path]
    fields = kind if pa.types.is_struct(kind) else ()
    return [found for field in fields for found in lists_in(field.type, f"{path}.{field.name}")]


def _no_vector(kind: Any, path: str) -> str:
    if is_number(kind):
        return (
            "one number per object; name columns that are features together by a pattern or a range, such as "
            "--modality 'NAME=img_*' or --modality NAME=img_0:img_511"
        )
    if is_text(kind):
        return (
            "and a modality is a list of numbers, which an encoder makes of a text (a text that holds numbers must be "
            f"written as lists); name another one with {OPTION}"
        )
    lists = lists_in(kind, path)
    if lists:
        return f"a record; name one of its lists of numbers with {OPTION}: {', '.join(lists)}"
    return (
        "and a modality is a list of numbers of one length (float32, float16, uint8 or others); convert it, or name "
        f"another one with {OPTION}"
    )


def _child(file: PoolFile, path: str) -> VectorSource | None:
    """Return the place that a dotted path leads to, or None if it begins with no column of records."""
    for column in file.schema.names:
        kind = file.field(column, OPTION).type
        if not (path.startswith(f"{column}.") and pa.types.is_struct(kind)):
            continue
        fields = _fields_in(kind, column, ())
        if path not in fields:
            lists = lists_in(kind, column)
            near = nearest(path, lists)
            hint = f"did you mean {near!r}? " if near else ""
            raise PoolError(
                f"{file.path}: no column {path!r}; {hint}lists of numbers in {column!r} are "
                f"{', '.join(lists)}; name one with {OPTION}"
            )
        children, field = fields[path]
        numbers = number_type(field.type)
        if numbers is None:
            raise PoolError(
                f"{file.path}: column {path!r} is {field.type}, {_no_vector(field.type, path)}"
            )
        return VectorSource(file, (column,), children, field, numbers)
    return None


def _fields_in(
    kind: Any, path: str, children: tuple[str, ...]
) -> dict[str, tuple[tuple[str, ...], Any]]:
    """Return the children of all depths of a record by dotted path: the names that lead there, and the Arrow field."""
    found = {}
    for field in kind if pa.types.is_struct(kind) else ():
        below, names = f"{path}.{field.name}", (*children, field.name)
        found[below] = (names, field)
        found.update(_fields_in(field.type, below, names))
    return found


def _matching(file: PoolFile, text: str, spec: PoolSpec) -> list[str] | None:
    """Return the columns of a pattern or a range, or None if the text is neither."""
    names = [n for n in file.schema.names if n not in {spec.id, spec.label, spec.group_by}]
    if "*" in text:
        found = in_natural_order([name for name in names if fnmatchcase(name, text)])
        if not found:
            raise PoolError(
                f"{file.path}: no column fits the pattern {text!r}; columns are {name_some(names)}; "
                f"name them with {OPTION}"
            )
        return found
    for position in [found.start() for found in re.finditer(":", text)]:
        first, last = text[:position], text[position + 1 :]
        if first in names and last in names:
            return _between(file, first, last, names)
    return None


def _between(file: PoolFile, first: str, last: str, names: list[str]) -> list[str]:
    """Return the columns from one to another, both included: by their numbers, or else by their order in the file."""
    start, end = _NUMBERED.fullmatch(first), _NUMBERED.fullmatch(last)
    if not (start and end and start[1] == end[1]):
        found = names[names.index(first) : names.index(last) + 1]
    else:
        matches = [match for name in names if (match := _NUMBERED.fullmatch(name))]
        numbered = {int(match[2]): match[0] for match in matches if match[1] == start[1]}
        wanted = range(int(start[2]), int(end[2]) + 1)
        missing = itertools.islice((number for number in wanted if number not in numbered), 6)
        lacking = [f"{start[1]}{number}" for number in missing]
        if lacking:
            raise PoolError(
                f"{file.path}: the range {first}:{last} has gaps: no column {name_some(lacking)}; "
                f"name the columns that there are by a pattern, such as --modality 'NAME={start[1]}*'"
            )
        found = [numbered[number] for number in wanted]
    if not found:
        raise PoolError(
            f"{file.path}: the range {first}:{last} is empty; write the first column first: {last}:{first}"
        )
    return found


def _column_per_feature(file: PoolFile, text: str, columns: list[str]) -> VectorSource:
    kinds = {name: file.field(name, OPTION).type for name in columns}
    others = [f"{name} ({kind})" for name, kind in kinds.items() if not is_number(kind)]
    if others:
        raise PoolError(
            f"{file.path}: {text!r} stands for {len(columns):,} columns, and some do not hold numbers: "
            f"{name_some(others)}; name a narrower pattern or a range with {OPTION}"
        )
    exact = all(pa.types.is_float32(kind) or pa.types.is_float16(kind) for kind in kinds.values())
    return VectorSource(file, tuple(columns), (), None, pa.float32() if exact else pa.float64())
