"""Label Studio's tasks, and its exports JSON and JSON_MIN (of 1.23, https://labelstud.io/guide/export)."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from alray.errors import ExchangeError
from alray.exchange.answers import ANSWERED, SKIPPED, Answer, answer_table
from alray.exchange.cells import as_number, as_text, as_time
from alray.exchange.formats.format import Format, Found
from alray.exchange.formats.records import (
    Record,
    json_list,
    json_records,
    part,
    require_ids,
    task_id,
)
from alray.exchange.label_config import QUESTION, Question, data_keys, label_config
from alray.exchange.notes import Notes
from alray.exchange.tasks import KEY, Task, Tasks

MODEL = "alray"
"""What predictions are said to be by."""


def label_studio_answers(records: Iterable[tuple[str, Record]], path: Path | str) -> Found:
    """Return the answers of an export.

    Args:
        records: For each record its place and its content.
        path: The file or server, for messages.

    Raises:
        AlrayError: A value is not what its key holds, no record names an object, or there are several questions.
    """
    notes = Notes()
    every = [*records]
    question = _question([record for _, record in every], path)
    answers: list[Answer] = []
    named = 0
    for place, record in every:
        full = "data" in record
        data = part(record, "data", dict, place) if full else record
        # The `id` of JSON_MIN is a number of Label Studio's own.
        task = task_id(data, (KEY, "id") if full else (KEY,), place, notes)
        if task is None:
            continue
        named += 1
        found = _full(record, question, place) if full else [_shortened(record, question)]
        if not found:
            notes.add("unanswered", task)
        answers += [_answer(task, each, place, notes) for each in found]
    require_ids(named, Path(path), notes)
    return answer_table(answers), notes.found()


def label_studio_tasks(tasks: Tasks, question: Question | None = None) -> list[Record]:
    """Return tasks as Label Studio imports them.

    Args:
        tasks: What to label.
        question: What the project asks; by default what `label_config` makes it ask.
    """
    keys = data_keys(tasks)
    asked = question or Question(QUESTION, f"show_{next(iter(keys.values()))}", tasks.classes, ())
    return [_task(each, keys, asked) for each in tasks.rows]


def _task(task: Task, keys: dict[str, str], question: Question) -> Record:
    data = {KEY: task.id, **{keys[name]: text for name, text in task.shown.items()}}
    if task.predicted is None and task.priority is None:
        return {"data": data}
    prediction: Record = {"model_version": MODEL, "result": []}
    if task.priority is not None:
        prediction["score"] = task.priority
    if task.predicted is not None:
        result: Record = {
            "id": "alray",
            "from_name": question.name,
            "to_name": question.about,
            "type": "choices",
            "value": {"choices": [task.predicted]},
        }
        if task.probability is not None:
            result["score"] = task.probability
        prediction["result"] = [result]
    return {"data": data, "predictions": [prediction]}


def _question(records: list[Record], path: Path | str) -> str:
    """Return the name of the control whose choices are the classes."""
    names = {
        str(result.get("from_name"))
        for record in records
        for annotation in _dicts(record.get("annotations"))
        for result in _dicts(annotation.get("result"))
        if result.get("type") == "choices"
    }
    if QUESTION in names or not names:
        shortened = [each for each in records if "data" not in each]
        if shortened and not any(QUESTION in each for each in shortened):
            raise ExchangeError(
                f"{path} is in JSON_MIN and has no key {QUESTION!r}: it does not say which of its keys is the answer; "
                "export as JSON"
            )
        return QUESTION
    if len(names) > 1:
        raise ExchangeError(
            f"{path} has answers to several questions: {', '.join(sorted(names))}; call the one about classes "
            f"{QUESTION!r} in the project's settings, or leave one alone"
        )
    return names.pop()


def _dicts(values: Any) -> Iterator[Record]:
    return (each for each in values or () if isinstance(each, dict))


def _full(record: Record, question: str, place: str) -> list[Record]:
    """Return the annotations of a record in JSON, each in the form that `_answer` takes."""
    found = []
    for annotation in part(record, "annotations", list, place):
        if not isinstance(annotation, dict):
            raise ExchangeError(
                f"{place}, 'annotations' holds {annotation!r}; export as JSON again"
            )
        by = annotation.get("completed_by")
        choices = [
            choice
            for result in _dicts(part(annotation, "result", list, place))
            if result.get("type") == "choices" and str(result.get("from_name")) == question
            for choice in part(part(result, "value", dict, place), "choices", list, place)
        ]
        found.append(
            {**annotation, "choices": choices, "by": by.get("id") if isinstance(by, dict) else by}
        )
    return found


def _shortened(record: Record, question: str) -> Record:
    """Return the annotation that a record in JSON_MIN is, in the same form."""
    value = record.get(question)
    several = value.get("choices", []) if isinstance(value, dict) else [value]
    return {
        **record,
        "id": record.get("annotation_id"),
        "choices": [each for each in several if each is not None],
        "by": record.get("annotator"),
    }


def _answer(task: str, annotation: Record, place: str, notes: Notes) -> Answer:
    choices = annotation["choices"]
    label = as_text(choices[0], f"{place}, 'choices'") if len(choices) == 1 else None
    if annotation.get("was_cancelled"):
        notes.add("skipped", task)
        label = None
    elif label is None:
        notes.add("several_choices" if choices else "no_choice", task)
    time = annotation.get("updated_at") or annotation.get("created_at")
    return Answer(
        task,
        as_text(annotation["by"], f"{place}, 'completed_by'") or "",
        label,
        SKIPPED if label is None else ANSWERED,
        seconds=as_number(annotation.get("lead_time"), f"{place}, 'lead_time'"),
        time=as_time(time, f"{place}, 'updated_at'"),
        answer_id=as_text(annotation.get("id"), f"{place}, 'id' of an annotation"),
    )


def _read(path: Path) -> Found:
    return label_studio_answers(json_records(path), path)


def _write(tasks: Tasks) -> dict[str, bytes]:
    config = label_config(tasks)
    return {"": json_list(label_studio_tasks(tasks)), ".label_config.xml": config.encode()}


LABEL_STUDIO = Format("Label Studio: JSON or JSON_MIN", "json", _read, _write)
