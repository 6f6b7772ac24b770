"""Toloka's TSV of tasks and of results (https://toloka.ai/docs/guide/result-of-eval)."""

from collections import Counter
from datetime import datetime
from pathlib import Path

from alray.errors import ExchangeError
from alray.exchange.answers import ANSWERED, REJECTED, SKIPPED, Answer, answer_table
from alray.exchange.cells import as_number, as_time
from alray.exchange.formats.columns import (
    Row,
    answer_column,
    object_id,
    read_rows,
    task_column,
    write_table,
)
from alray.exchange.formats.format import Format, Found
from alray.exchange.notes import Notes
from alray.exchange.tasks import Tasks

_ID, _WORKER, _STATUS = (f"ASSIGNMENT:{each}" for each in ("assignment_id", "worker_id", "status"))
_STATUSES = {"APPROVED": ANSWERED, "REJECTED": REJECTED, "SKIPPED": SKIPPED}
_LEFT_OUT = {"SUBMITTED": "waiting", "ACTIVE": "not_submitted", "EXPIRED": "not_submitted"}


def _read(path: Path) -> Found:
    rows, names = read_rows(path, (_ID, _WORKER, _STATUS))
    task, label = task_column(names, "INPUT:", path), answer_column(names, "OUTPUT:", path)
    golden = label.replace("OUTPUT:", "GOLDEN:", 1)
    pages = Counter(row[_ID] for row in rows)
    notes = Notes()
    answers = []
    for number, row in enumerate(rows):
        place = f"{path}: row {number} (counted from 0), column "
        name, status = object_id(row, task), row[_STATUS].strip().upper()
        if status not in _STATUSES and status not in _LEFT_OUT:
            raise ExchangeError(
                f"{place}{_STATUS!r} is {row[_STATUS]!r}; Toloka writes {', '.join([*_STATUSES, *_LEFT_OUT])}"
            )
        why = _left_out(name, status, row.get(golden))
        if why is not None:
            notes.add(why, name or f"row {number}, counted from 0")
            continue
        answers.append(_answer(name, row[label] or "", row, pages[row[_ID]], place, notes))
    return answer_table(answers), notes.found()


def _left_out(name: str, status: str, golden: str | None) -> str | None:
    """Return the kind of note that says why a row is no answer, None where it is one."""
    if not name:
        return "without_id"
    return "golden" if golden else _LEFT_OUT.get(status)


def _answer(task: str, text: str, row: Row, tasks: int, place: str, notes: Notes) -> Answer:
    """Return the answer of a row; time and reward are those of a page of several tasks, and are shared out."""
    status = _STATUSES[row[_STATUS].strip().upper()]
    if status == ANSWERED and not text:
        notes.add("no_choice", task)
        status = SKIPPED
    elif status != ANSWERED:
        notes.add(status, task)
    started, submitted = (
        as_time(row.get(column), f"{place}{column!r}")
        for column in ("ASSIGNMENT:started", "ASSIGNMENT:submitted")
    )
    column = "ASSIGNMENT:reward"
    part = row.get("ASSIGNMENT:task_id")
    return Answer(
        task,
        row[_WORKER],
        None if status == SKIPPED else text or None,
        status,
        _seconds(started, submitted) / tasks,
        as_number(row.get(column), f"{place}{column!r}") / tasks,
        submitted,
        f"{row[_ID]}:{part}" if part else row[_ID],
    )


def _seconds(started: datetime | None, submitted: datetime | None) -> float:
    if started is None or submitted is None:
        return float("nan")
    return max(0.0, (submitted - started).total_seconds())


def _write(tasks: Tasks) -> dict[str, bytes]:
    return write_table(tasks, "INPUT:", "\t")


TOLOKA = Format("Toloka: TSV of tasks and of results", "tsv", _read, _write)
