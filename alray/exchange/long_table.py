"""The long table `task, worker, label` of a file or of a frame, by the names that its columns have in the wild."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from alray.errors import ExchangeError
from alray.exchange.answers import (
    ANSWERED,
    COLUMNS,
    SKIPPED,
    STATUSES,
    Answer,
    answer_table,
)
from alray.exchange.cells import as_number, as_time, unguarded
from alray.exchange.notes import Note, Notes
from alray.pools.answer_cells import cell_texts
from alray.settings.base import nearest

NAMES = {
    "task": ("task", "item", "id", "object"),
    "worker": ("worker", "annotator", "assessor", "user"),
    "label": ("label", "answer"),
    **{name: (name,) for name in COLUMNS if name not in {"task", "worker", "label"}},
}
"""Column of the long table: names that it may have in a file, the first of all being its own."""

REQUIRED = ("task", "label")


def answers_from_frame(
    frame: pd.DataFrame, origin: str = "the answers"
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Return a frame of answers as the table that `answer_table` describes.

    Args:
        frame: A row per answer, with columns of `NAMES`, of which those of tasks and labels are needed.
        origin: What messages call it.

    Raises:
        AlrayError: A column is missing or named twice, or a value is not what its column holds.
    """
    plain = frame.reset_index(drop=True)
    plain.columns = plain.columns.map(str)
    try:
        table = pa.Table.from_pandas(plain, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ExchangeError(
            f"{origin}: {reason}; write values of one kind in each column, ids as text"
        ) from None
    return read_long_table(table, origin)


def read_long_table(
    table: Any, origin: str, *, from_spreadsheet: bool = False
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Return an Arrow table of answers as the table that `answer_table` describes, and what was left out.

    Rows without a task, and answers without a label, are left out and counted.

    Args:
        table: The Arrow table.
        origin: The file's name, for messages.
        from_spreadsheet: Whether ids may have been written by `guarded`, against formulas.

    Raises:
        AlrayError: A column is missing or named twice, or a value is not what its column holds.
    """
    found = _columns(table.schema.names, origin)
    notes = Notes()
    for name in table.schema.names:
        if name not in found.values():
            notes.add("unused_columns", name)
    texts = {
        column: _texts(table, found, column, origin)
        for column in ("task", "worker", "label", "status", "answer_id")
    }
    if from_spreadsheet:
        texts["task"] = [None if each is None else unguarded(each) for each in texts["task"]]
    values = {column: _values(table, found, column) for column in ("seconds", "cost", "time")}
    answers = []
    for row in range(table.num_rows):
        task, label = texts["task"][row], texts["label"][row]
        status = _status(
            texts["status"][row], f"{origin}: row {row}, column {found.get('status')!r}"
        )
        if task is None:
            notes.add("without_id", f"row {row}, counted from 0")
            continue
        if label is None and status == ANSWERED:
            notes.add("unanswered", task)
            continue
        if status != ANSWERED:
            notes.add(status, task)
        place = f"{origin}: row {row} (counted from 0), column "
        answers.append(
            Answer(
                task,
                texts["worker"][row] or "",
                None if status == SKIPPED else label,
                status,
                as_number(values["seconds"][row], f"{place}{found.get('seconds')!r}"),
                as_number(values["cost"][row], f"{place}{found.get('cost')!r}"),
                as_time(values["time"][row], f"{place}{found.get('time')!r}"),
                texts["answer_id"][row],
            )
        )
    return answer_table(answers), notes.found()


def _columns(names: Sequence[str], origin: str) -> dict[str, str]:
    """Return for each column of the long table how the file calls it, where it has it."""
    bare = [name.strip().lower() for name in names]
    found = {}
    for column, aliases in NAMES.items():
        own = [name for name, each in zip(names, bare, strict=True) if each == column]
        named = own or [name for name, each in zip(names, bare, strict=True) if each in aliases]
        if len(named) > 1:
            raise ExchangeError(
                f"{origin}: the columns {' and '.join(map(repr, named))} may both be the {column}; "
                f"rename the right one {column}"
            )
        if named:
            found[column] = named[0]
    for column in REQUIRED:
        if column not in found:
            raise ExchangeError(_missing(column, [*names], [*found.values()], origin))
    return found


def _missing(column: str, names: list[str], taken: list[str], origin: str) -> str:
    aliases = NAMES[column]
    near = next(
        (name for name in names if name not in taken and nearest(name.lower(), aliases)), None
    )
    hint = f"rename {near!r} to {column}" if near else f"name the right one {column}"
    return (
        f"{origin} has no column {column} (or {' or '.join(aliases[1:])}); its columns are "
        f"{', '.join(map(repr, names))}: {hint}"
    )


def _texts(table: Any, found: dict[str, str], column: str, origin: str) -> list[str | None]:
    if column not in found:
        return [None] * table.num_rows
    return cell_texts(origin, found[column], table.column(found[column]))


def _values(table: Any, found: dict[str, str], column: str) -> list[Any]:
    if column not in found:
        return [None] * table.num_rows
    return list(table.column(found[column]).to_pylist())


def _status(text: str | None, place: str) -> str:
    if text is None:
        return ANSWERED
    status = text.strip().lower()
    if status not in STATUSES:
        near = nearest(status, STATUSES)
        hint = f"did you mean {near}?" if near else f"write {', '.join(STATUSES)}, or nothing"
        raise ExchangeError(f"{place} is {text!r}; {hint}")
    return status
