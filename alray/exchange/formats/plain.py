"""The long table as CSV, Parquet or JSON Lines: for spreadsheets, scripts, and tools that read a table."""

import csv
import io
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from alray.exchange.answers import COLUMNS
from alray.exchange.cells import guarded
from alray.exchange.formats.format import Format, Found
from alray.exchange.long_table import read_long_table
from alray.exchange.tasks import ABOUT, PREDICTED, PRIORITY, PROBABILITY, Task, Tasks, shown_as
from alray.pools.answer_cells import read_csv, read_parquet
from alray.pools.imports.json_lines import open_json_lines

_TO_FILL_IN = ("worker", "label", "status")
_OWN = {*COLUMNS, *ABOUT}


def _read_csv(path: Path) -> Found:
    return read_long_table(read_csv(path), str(path), from_spreadsheet=True)


def _read_parquet(path: Path) -> Found:
    return read_long_table(read_parquet(path, str(path)), str(path))


def _read_json_lines(path: Path) -> Found:
    table = open_json_lines(path)
    return read_long_table(pa.Table.from_batches(table.batches(), table.schema), str(path))


def _write_csv(tasks: Tasks) -> dict[str, bytes]:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    rows = [_row(task) for task in tasks.rows]
    writer.writerow([guarded(name) for name in rows[0]])
    for row in rows:
        writer.writerow([_cell(value) for value in row.values()])
    return {"": text.getvalue().encode()}


def _write_parquet(tasks: Tasks) -> dict[str, bytes]:
    rows = [_row(task) for task in tasks.rows]
    kinds = {PROBABILITY: pa.float64(), PRIORITY: pa.float64()}
    columns = {
        name: pa.array([row[name] for row in rows], kinds.get(name, pa.string()))
        for name in rows[0]
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return {"": sink.getvalue()}


def _write_json_lines(tasks: Tasks) -> dict[str, bytes]:
    lines = [json.dumps(_row(task), ensure_ascii=False) for task in tasks.rows]
    return {"": ("\n".join(lines) + "\n").encode()}


def _row(task: Task) -> dict[str, Any]:
    """Return a task as a row, with empty columns for what is to be filled in."""
    return {
        "task": task.id,
        **{_named(name, task.shown): text for name, text in task.shown.items()},
        PREDICTED: task.predicted,
        PROBABILITY: task.probability,
        PRIORITY: task.priority,
        **dict.fromkeys(_TO_FILL_IN),
    }


def _named(name: str, shown: Collection[str]) -> str:
    """Return what a shown column is called in the file: never what its reader takes for one of the answer's own."""
    return shown_as(name, shown) if name.strip().lower() in _OWN else name


def _cell(value: Any) -> Any:
    return guarded(value) if isinstance(value, str) else value


CSV = Format("table to fill in: task, worker, label", "csv", _read_csv, _write_csv)
PARQUET = Format("the same table as Parquet", "parquet", _read_parquet, _write_parquet)
JSON_LINES = Format(
    "the same table, an object a line", "jsonl", _read_json_lines, _write_json_lines
)
