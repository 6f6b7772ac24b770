"""doccano's JSON Lines of text classification (of 1.8, `data_export/pipeline` of its source).

An export has doccano's own number of an example as `id`, and what the import brought beside text and label as it was.
"""

from pathlib import Path

from alray.exchange.answers import ANSWERED, SKIPPED, Answer, answer_table
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


def _read(path: Path) -> Found:
    notes = Notes()
    answers = []
    named = 0
    for place, record in json_records(path):
        task = task_id(record, (KEY,), place, notes)
        if task is None:
            continue
        named += 1
        labels = part(record, "label", list, place)
        if not labels:
            notes.add("unanswered", task)
            continue
        if len(labels) > 1:
            notes.add("several_choices", task)
            answers.append(Answer(task, status=SKIPPED))
            continue
        answers.append(Answer(task, "", as_text(labels[0], f"{place}, 'label'"), ANSWERED))
    require_ids(named, path, notes)
    return answer_table(answers), notes.found()


def _write(tasks: Tasks) -> dict[str, bytes]:
    return {"": json_lines([_example(each) for each in tasks.rows])}


def _example(task: Task) -> Record:
    shown = [*task.shown.items()]
    text = shown[0][1] if len(shown) == 1 else "\n".join(f"{name}: {text}" for name, text in shown)
    about = {PREDICTED: task.predicted, PROBABILITY: task.probability, PRIORITY: task.priority}
    kept = {name: value for name, value in about.items() if value is not None}
    return {"text": text, "label": [], KEY: task.id, **kept}


DOCCANO = Format("doccano: JSON Lines of text classification", "jsonl", _read, _write)
