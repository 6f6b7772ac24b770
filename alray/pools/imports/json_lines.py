"""Open JSON Lines: an object in each line.

Python's parser reads them, because PyArrow's turns whole numbers above int64 into floats without a word.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from alray.errors import PoolError
from alray.pools.imports.tables import Table
from alray.pools.imports.text_files import open_text

Record = dict[str, Any]

_BATCH_ROWS = 1024


def open_json_lines(path: Path) -> Table:
    """Return the table of a file of JSON Lines, `.gz` or not; a key that a line lacks is null there.

    Raises:
        PoolError: A line is no JSON object, or a key has values of different kinds.
    """
    keys: dict[str, _Values] = {}
    for number, record in enumerate(read_records(path), 1):
        for key, value in record.items():
            if value is not None:
                keys.setdefault(key, _Values()).add(value, number)
    schema = pa.schema(
        [(key, values.arrow_type(f"{path}: {key!r}")) for key, values in keys.items()]
    )

    def batches() -> Iterator[Any]:
        records = read_records(path)
        while rows := list(islice(records, _BATCH_ROWS)):
            columns = [_column([row.get(part.name) for row in rows], part.type) for part in schema]
            yield pa.record_batch(columns, schema=schema)

    return Table(str(path), schema, batches)


def read_records(path: Path) -> Iterator[Record]:
    """Return the objects of a file of JSON Lines, one after the other.

    Raises:
        PoolError: A line is no JSON object, or holds half a character.
    """
    with open_text(path) as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                record = error
            if not isinstance(record, dict):
                what = f"no JSON ({record})" if isinstance(record, Exception) else "no JSON object"
                hint = (
                    "; a list of objects becomes lines with `jq -c '.[]'` or pandas.read_json(path).to_json(out, "
                    "orient='records', lines=True)"
                )
                raise PoolError(f"{path}: line {number} is {what}; write one object a line{hint}")
            if "\\ud" in line.lower() and not is_unicode(record):
                raise PoolError(
                    f"{path}: line {number} holds half a character (\\ud800 or such); mend the text"
                )
            yield record


def is_unicode(record: Any) -> bool:
    """Return whether all texts of a JSON value can be written as UTF-8."""
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass
class _Values:
    """What kinds of values a key has, with the first line of each kind, and the range of its whole numbers."""

    lines: dict[str, int] = field(default_factory=dict)
    least: int = 0
    largest: int = 0
    depth: int = 0

    def add(self, value: Any, line: int) -> None:
        kind = {bool: "bool", int: "integer", float: "float", str: "text", list: "list"}.get(
            type(value), "object"
        )
        if kind == "integer":
            self.least, self.largest = min(self.least, value), max(self.largest, value)
        if kind == "list":
            depth = _depth(value)
            kind = "list" if depth and self.depth in {0, depth} else "list of other things"
            self.depth = depth or self.depth
        self.lines.setdefault(kind, line)

    def arrow_type(self, origin: str) -> Any:
        kinds = set(self.lines)
        if kinds == {"integer"}:
            small = self.least >= -(2**63) and self.largest < 2**63
            fits = small or (self.least >= 0 and self.largest < 2**64)
            return (pa.int64() if small else pa.uint64()) if fits else pa.string()
        if kinds <= {"integer", "float"}:
            exact = max(-self.least, self.largest) <= 2**53
            return pa.float64() if exact else pa.string()
        if kinds == {"list"}:
            kind = pa.float64()
            for _ in range(self.depth):
                kind = pa.list_(kind)
            return kind
        if kinds <= {"object", "list", "list of other things"}:
            return pa.struct([])
        if len(kinds) > 1:
            first, second = list(self.lines.items())[:2]
            raise PoolError(
                f"{origin} is {first[0]} in line {first[1]} and {second[0]} in line {second[1]}; "
                "write values of one kind"
            )
        return pa.bool_() if kinds == {"bool"} else pa.string()


def _depth(value: list[Any]) -> int:
    """Return 1 for a list of numbers, 2 for a list of such lists, ..., and 0 for lists of other things."""
    kinds = set(map(type, value)) - {type(None)}
    if kinds != {list}:
        return int(kinds <= {int, float, bool})
    depths = {_depth(item) for item in value if item is not None}
    return depths.pop() + 1 if len(depths) == 1 and 0 not in depths else 0


def _column(values: list[Any], kind: Any) -> Any:
    if pa.types.is_struct(kind):
        return pa.nulls(len(values), kind)
    if pa.types.is_string(kind):
        values = [None if value is None else str(value) for value in values]
    try:
        return pa.array(values, kind)
    except pa.ArrowInvalid:
        return pa.array(_as_floats(values), kind)


def _as_floats(value: Any) -> Any:
    """Return nested lists with floats for whole numbers: Arrow refuses those above 2^53 among floats."""
    if isinstance(value, list):
        return [_as_floats(item) for item in value]
    if isinstance(value, int) and abs(value) > 2**53:
        return float(value) if abs(value) < 2**1000 else math.inf
    return value
