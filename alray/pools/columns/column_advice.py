"""Say of each column of a file without modalities what it is, and what would make it one."""

import json
import re
from collections import defaultdict
from pathlib import PurePath
from shlex import quote
from typing import Any

import pyarrow as pa

from alray.pools.columns.modality_names import clean_name
from alray.pools.columns.number_lists import is_number, number_type
from alray.pools.columns.vector_sources import in_natural_order, lists_in
from alray.pools.files.arrow_types import is_text
from alray.pools.files.parquet import PoolFile
from alray.settings.common import PoolSpec

_MOST = 20
_BYTES = (
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
    pa.types.is_binary_view,
)


def advice(file: PoolFile, spec: PoolSpec) -> str:
    """Return a line for each column that holds neither ids nor labels; columns of a pattern share one."""
    taken = {spec.id, spec.label, spec.group_by}
    fields = {field.name: field for field in file.schema if field.name not in taken}
    lines, grouped = [], _numbered(list(fields.values()))
    for prefix, names in grouped.items():
        lines.append(
            f"{names[0]} to {names[-1]} ({len(names):,} columns of numbers): if each is a feature, "
            + _option(f"{prefix}*")
        )
    rest = [
        name for name in fields if name not in {n for names in grouped.values() for n in names}
    ]
    lines += [
        f"{name} ({fields[name].type}): {_step(file, fields[name])}" for name in rest[:_MOST]
    ]
    if len(rest) > _MOST:
        lines.append(f"and {len(rest) - _MOST:,} more")
    return "".join(f"\n  {line}" for line in lines)


def _numbered(fields: list[Any]) -> dict[str, list[str]]:
    """Return prefix: columns of numbers whose names are that prefix and a number, in natural order."""
    found = defaultdict(list)
    for field in fields:
        match = re.fullmatch(r"(.*?)\d+", field.name)
        if match and match[1] and is_number(field.type):
            found[match[1]].append(field.name)
    return {prefix: in_natural_order(names) for prefix, names in found.items() if len(names) > 1}


def _step(file: PoolFile, field: Any) -> str:
    name, kind = field.name, field.type
    if number_type(kind) is not None:
        return f"lists of numbers; if they are features, {_option(name)}"
    if is_text(kind):
        return _text_step(file, name)
    if any(is_kind(kind) for is_kind in _BYTES):
        return "if it holds the bytes of float32 numbers, " + _convert(
            file, name, 'lambda cell: np.frombuffer(cell, "float32")', "numpy as np"
        )
    lists = lists_in(kind, name)
    if lists:
        return f"a record with lists of numbers: {' '.join(map(_option, lists))}"
    if is_number(kind):
        return "one number per object, and a modality is a list of them"
    return "not a list of numbers"


def _option(column: str) -> str:
    return f"--modality {quote(f'{clean_name(column, ())}={column}')}"


def _text_step(file: PoolFile, name: str) -> str:
    cell = next(
        (text for lists in file.batches(name, 1000) for text in lists.to_pylist() if text), ""
    )
    if not re.fullmatch(r"\s*\[[-+\d.eE,\s\[\]nainf]*\]\s*", cell, re.IGNORECASE):
        return "text; a modality is made of it by an encoder, which turns each text into a list of numbers"
    if "..." in cell:
        return "printed numbers that NumPy cut with '...'; make the embeddings again, and write them as lists"
    try:
        json.loads(cell)
    except ValueError:
        return "printed numbers; " + _convert(
            file, name, 'lambda cell: [float(word) for word in cell.strip("[]").split()]'
        )
    return "lists written as text; " + _convert(file, name, "json.loads", "json")


def _convert(file: PoolFile, name: str, function: str, module: str = "") -> str:
    """Return a line of Python that writes the file again with a column of lists, null where the cell is null."""
    imports = f"import {module}, pandas as pd" if module else "import pandas as pd"
    source, column = json.dumps(str(file.path)), json.dumps(name)
    out = json.dumps(f"{PurePath(str(file.path)).stem}-lists.parquet")
    code = (
        f"{imports}; frame = pd.read_parquet({source}); "
        f'frame[{column}] = frame[{column}].map({function}, na_action="ignore"); frame.to_parquet({out})'
    )
    return f"convert it: python -c {quote(code)}"
