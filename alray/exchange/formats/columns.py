"""Tables of tools whose columns have a prefix for what was shown and what was answered."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alray.errors import ExchangeError
from alray.exchange.cells import guarded, unguarded
from alray.exchange.label_config import QUESTION
from alray.exchange.tasks import KEY, Tasks, plain_names
from alray.pools.answer_cells import read_csv

Row = dict[str, str]


def read_rows(path: Path, required: Sequence[str]) -> tuple[list[Row], list[str]]:
    """Return the rows of a table, all cells as text, and its columns.

    Raises:
        AlrayError: It cannot be read, or lacks a column.
    """
    table = read_csv(path)
    names = list(table.schema.names)
    missing = [each for each in required if each not in names]
    if missing:
        raise ExchangeError(
            f"{path} has no column {' and no column '.join(missing)}; its columns are {', '.join(names)}: export the "
            "results with all columns"
        )
    return table.to_pylist(), names


def task_column(names: Sequence[str], prefix: str, path: Path) -> str:
    """Return the column that says which object was shown.

    Raises:
        ExchangeError: There is none.
    """
    for name in (f"{prefix}{KEY}", f"{prefix}id"):
        if name in names:
            return name
    raise ExchangeError(
        f"{path} has no column {prefix}{KEY}, so it does not say which objects were answered about; keep that column "
        "of the tasks that alray wrote"
    )


def answer_column(names: Sequence[str], prefix: str, path: Path, known: Sequence[str] = ()) -> str:
    """Return the column of the answers: alray's own name, one that the tool's forms have, or the only one.

    Raises:
        ExchangeError: There is none, or there are several.
    """
    for name in (QUESTION, *known):
        if f"{prefix}{name}" in names:
            return f"{prefix}{name}"
    found = [name for name in names if name.startswith(prefix)]
    if len(found) == 1:
        return found[0]
    what = f"several columns of answers: {', '.join(found)}" if found else "no column of answers"
    raise ExchangeError(f"{path} has {what}; call the one about classes {prefix}{QUESTION}")


def object_id(row: Row, column: str) -> str:
    """Return the id of the object that a row is about, as it was before `write_table`, "" where there is none."""
    return unguarded(row.get(column) or "")


def number_cell(value: Any) -> Any:
    """Return the text of an amount without the sign of its currency."""
    return value.lstrip("$€£ ") if isinstance(value, str) else value


def write_table(tasks: Tasks, prefix: str, delimiter: str) -> dict[str, bytes]:
    """Return tasks as a table with a column for the id, and one for each that is shown."""
    names = plain_names(tasks.shown, ("id",))
    text = io.StringIO(newline="")
    # Python leaves a lone carriage return without quotes, and readers break the line there.
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow([f"{prefix}{KEY}", *(f"{prefix}{name}" for name in names.values())])
    for task in tasks.rows:
        writer.writerow([guarded(task.id), *(guarded(task.shown[name]) for name in names)])
    return {"": text.getvalue().encode()}
