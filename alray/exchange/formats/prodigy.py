"""Prodigy's JSON Lines of its interface `choice` (https://prodi.gy/docs/api-interfaces#choice)."""

from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from alray.errors import ExchangeError
from alray.exchange.answers import ANSWERED, REJECTED, SKIPPED, Answer, answer_table
from alray.exchange.cells import as_text
from alray.exchange.formats.format import Format, Found
from alray.exchange.formats.records import (
    Record,
    json_lines,
    json_records,
    part,
    require_ids,
    task_id,
)
from alray.exchange.notes import Notes
from alray.exchange.tasks import KEY, PREDICTED, PRIORITY, PROBABILITY, Task, Tasks

_STATUSES = {"accept": ANSWERED, "reject": REJECTED, "ignore": SKIPPED}


def _read(path: Path) -> Found:
    notes = Notes()
    answers = []
    named = 0
    for place, record in json_records(path):
        task = task_id(record, (KEY, "id"), place, notes)
        if task is None:
            continue
        named += 1
        if record.get("answer") is None:
            notes.add("unanswered", task)
        else:
            answers.append(_answer(task, record, place, notes))
    require_ids(named, path, notes)
    return answer_table(answers), notes.found()


def _answer(task: str, record: Record, place: str, notes: Notes) -> Answer:
    status = _STATUSES.get(str(record["answer"]))
    if status is None:
        raise ExchangeError(
            f"{place}, 'answer' is {record['answer']!r}; Prodigy writes {', '.join(_STATUSES)}: export again"
        )
    # Without options the record asks whether one class is right.
    choices = part(record, "accept", list, place)
    if "accept" not in record and "label" in record:
        choices = [record["label"]]
    label = as_text(choices[0], f"{place}, 'accept'") if len(choices) == 1 else None
    if status == ANSWERED and label is None:
        notes.add("several_choices" if choices else "no_choice", task)
        status = SKIPPED
    elif status != ANSWERED:
        notes.add(status, task)
    worker = record.get("_annotator_id") or record.get("_session_id")
    return Answer(
        task,
        as_text(worker, f"{place}, '_annotator_id'") or "",
        None if status == SKIPPED else label,
        status,
        time=_time(record.get("_timestamp"), place),
    )


def _time(value: Any, place: str) -> datetime | None:
    """Return a time in seconds since 1970."""
    if value is None:
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise ExchangeError(
            f"{place}, '_timestamp' is {value!r}, not seconds since 1970; export again"
        ) from None


def _write(tasks: Tasks) -> dict[str, bytes]:
    options = [{"id": name, "text": name} for name in tasks.classes]
    return {"": json_lines([_task(each, tasks, options) for each in tasks.rows])}


def _task(task: Task, tasks: Tasks, options: list[dict[str, str]]) -> Record:
    about = {PREDICTED: task.predicted, PROBABILITY: task.probability, PRIORITY: task.priority}
    meta = {name: value for name, value in about.items() if value is not None}
    return {KEY: task.id, **_shown(task, tasks), "options": options, "meta": meta}


def _shown(task: Task, tasks: Tasks) -> dict[str, str]:
    """Return what the interface shows: one text or image, or HTML where there are several columns."""
    (name, text), *more = task.shown.items()
    if not more:
        return {"image" if name in tasks.images else "text": text}
    pieces = [
        f'<img src="{escape(text)}" alt="">' if name in tasks.images else f"<p>{escape(text)}</p>"
        for name, text in task.shown.items()
    ]
    return {"html": "".join(pieces)}


PRODIGY = Format("Prodigy: JSON Lines of the interface choice", "jsonl", _read, _write)
