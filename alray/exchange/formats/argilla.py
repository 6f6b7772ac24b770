"""Argilla's records as JSON: what `dataset.records.to_json` writes and `from_json` reads (of its SDK 2.8)."""

from pathlib import Path

from alray.errors import ExchangeError
from alray.exchange.answers import ANSWERED, SKIPPED, Answer, answer_table
from alray.exchange.cells import as_text
from alray.exchange.formats.format import Format, Found
from alray.exchange.formats.records import (
    Record,
    json_list,
    json_records,
    part,
    require_ids,
    task_id,
)
from alray.exchange.label_config import QUESTION
from alray.exchange.notes import Notes
from alray.exchange.tasks import PREDICTED, PRIORITY, PROBABILITY, Task, Tasks, plain_names


def _read(path: Path) -> Found:
    notes = Notes()
    every = [*json_records(path)]
    question = _question(every, path)
    answers: list[Answer] = []
    named = 0
    for place, record in every:
        task = task_id(record, ("id",), place, notes)
        if task is None:
            continue
        named += 1
        responses = part(part(record, "responses", dict, place), question, list, place)
        if not responses:
            notes.add("unanswered", task)
        for response in responses:
            found = _answer(task, response, place, notes)
            if found is not None:
                answers.append(found)
    require_ids(named, path, notes, "id")
    return answer_table(answers), notes.found()


def _question(records: list[tuple[str, Record]], path: Path) -> str:
    names: set[str] = {
        str(name) for place, record in records for name in part(record, "responses", dict, place)
    }
    if QUESTION in names or not names:
        return QUESTION
    if len(names) > 1:
        raise ExchangeError(
            f"{path} has answers to several questions: {', '.join(sorted(names))}; call the one about classes "
            f"{QUESTION!r}, or leave one alone"
        )
    return names.pop()


def _answer(task: str, response: object, place: str, notes: Notes) -> Answer | None:
    if not isinstance(response, dict):
        raise ExchangeError(f"{place}, 'responses' holds {response!r}; export the records again")
    if response.get("status") == "draft":
        notes.add("draft", task)
        return None
    value = response.get("value")
    choices = value if isinstance(value, list) else [] if value is None else [value]
    label = as_text(choices[0], f"{place}, 'responses'") if len(choices) == 1 else None
    # A response that was discarded has no value, or one that its worker has taken back.
    if response.get("status") == "discarded" or value is None:
        notes.add("skipped", task)
        label = None
    elif label is None:
        notes.add("several_choices" if choices else "no_choice", task)
    worker = as_text(response.get("user_id"), f"{place}, 'user_id'") or ""
    return Answer(task, worker, label, SKIPPED if label is None else ANSWERED)


def _write(tasks: Tasks) -> dict[str, bytes]:
    # A server takes fields of small letters alone.
    keys = {name: key.lower() for name, key in plain_names(tasks.shown).items()}
    return {"": json_list([_record(each, keys) for each in tasks.rows])}


def _record(task: Task, keys: dict[str, str]) -> Record:
    suggestions = {}
    if task.predicted is not None:
        suggestions[QUESTION] = {
            "value": task.predicted,
            "score": task.probability,
            "agent": "alray",
        }
    about = {PREDICTED: task.predicted, PROBABILITY: task.probability, PRIORITY: task.priority}
    return {
        "id": task.id,
        "fields": {keys[name]: text for name, text in task.shown.items()},
        "metadata": {name: value for name, value in about.items() if value is not None},
        "suggestions": suggestions,
        "responses": {},
        "vectors": {},
    }


ARGILLA = Format("Argilla: records as JSON", "json", _read, _write)
