"""Columns of records: in files, and as `results/README.md` documents them."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

README = Path(__file__).parents[2] / "results" / "README.md"


def schema(path: Path) -> dict[str, str]:
    """Return column: type; what Arrow calls large has the same content."""
    return {field.name: str(field.type).removeprefix("large_") for field in pq.read_schema(path)}


def typed(columns: Mapping[str, tuple[pa.DataType, str]]) -> list[tuple[str, str, str]]:
    """Return the rows that the README should have of these columns."""
    return [(name, str(kind), meaning) for name, (kind, meaning) in columns.items()]


def documented() -> dict[str, list[tuple[str, str, str]]]:
    """Return heading: rows of the table below it, from the README."""
    tables: dict[str, list[tuple[str, str, str]]] = {}
    heading = ""
    for line in README.read_text().splitlines():
        if line.startswith("#"):
            heading = line.strip("# ")
        elif line.startswith("| `"):
            name, kind, meaning = line.strip("| ").split(" | ")
            tables.setdefault(heading, []).append((name.strip("`"), kind, meaning))
    return tables
