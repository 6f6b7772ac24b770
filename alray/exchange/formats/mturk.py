"""Mechanical Turk's CSV of a batch's input and of its results, as its requesters' pages have them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alray.errors import ExchangeError
from alray.exchange.answers import ANSWERED, REJECTED, SKIPPED, Answer, answer_table
from alray.exchange.cells import as_number
from alray.exchange.formats.columns import (
    Row,
    answer_column,
    number_cell,
    object_id,
    read_rows,
    task_column,
    write_table,
)
from alray.exchange.formats.format import Format, Found
from alray.exchange.notes import Notes
from alray.exchange.tasks import Tasks

_ID, _WORKER, _STATUS = "AssignmentId", "WorkerId", "AssignmentStatus"
_STATUSES = {"Approved": ANSWERED, "Submitted": ANSWERED, "Rejected": REJECTED}
_ZONES = {"PST": -8, "PDT": -7, "UTC": 0, "GMT": 0}
_FORMS = "taskAnswers"
"""The column of forms that are made of Amazon's own elements: a list with one object."""


def _read(path: Path) -> Found:
    rows, names = read_rows(path, (_ID, _WORKER, _STATUS))
    task = task_column(names, "Input.", path)
    label = answer_column(names, "Answer.", path, ("category.label", "category", "label", _FORMS))
    notes = Notes()
    answers = []
    for number, row in enumerate(rows):
        place = f"{path}: row {number} (counted from 0), column "
        name = object_id(row, task)
        if not name:
            notes.add("without_id", f"row {number}, counted from 0")
            continue
        text = row[label] or ""
        if label.endswith(f".{_FORMS}"):
            text = _of_form(text, f"{place}{label!r}")
        answers.append(_answer(name, text, row, place, notes))
    return answer_table(answers), notes.found()


def _answer(task: str, text: str, row: Row, place: str, notes: Notes) -> Answer:
    given = row[_STATUS].strip()
    if given not in _STATUSES:
        raise ExchangeError(
            f"{place}{_STATUS!r} is {given!r}; Mechanical Turk writes {', '.join(_STATUSES)}"
        )
    status = _STATUSES[given]
    if given == "Submitted":
        notes.add("not_reviewed", task)
    if status == ANSWERED and not text:
        notes.add("no_choice", task)
        status = SKIPPED
    elif status == REJECTED:
        notes.add(status, task)
    return Answer(
        task,
        row[_WORKER],
        None if status == SKIPPED else text or None,
        status,
        as_number(row.get("WorkTimeInSeconds"), f"{place}'WorkTimeInSeconds'"),
        as_number(number_cell(row.get("Reward")), f"{place}'Reward'"),
        _time(row.get("SubmitTime"), f"{place}'SubmitTime'"),
        row[_ID],
    )


def _of_form(text: str, place: str) -> str:
    """Return the class in answers of Amazon's element `crowd-classifier`, such as [{"category": {"label": "cat"}}]."""
    if not text:
        return ""
    try:
        ((value,),) = (each.values() for each in json.loads(text))
        found = value["label"] if isinstance(value, dict) else value
    except (ValueError, AttributeError, TypeError, KeyError):
        found = None
    if not isinstance(found, str):
        raise ExchangeError(
            f"{place} is {text[:60]!r}; of forms only answers such as "
            '[{"category": {"label": "cat"}}] can be read: use the element crowd-classifier'
        )
    return found


def _time(text: str | None, place: str) -> datetime | None:
    """Return a time such as `Wed Nov 20 10:11:12 PST 2024` in UTC."""
    if not text:
        return None
    words = text.split()
    try:
        zone = _ZONES[words.pop(-2)]
        found = datetime.strptime(" ".join(words), "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        return found - timedelta(hours=zone)
    except (KeyError, IndexError, OverflowError, ValueError):
        raise ExchangeError(
            f"{place} is {text!r}; Mechanical Turk writes times such as Wed Nov 20 10:11:12 PST 2024"
        ) from None


def _write(tasks: Tasks) -> dict[str, bytes]:
    # The input's columns have no prefix; the results call them Input.NAME.
    return write_table(tasks, "", ",")


MTURK = Format("Mechanical Turk: CSV of a batch and of its results", "csv", _read, _write)
