"""What each labelling tool makes of the tasks that it was given, by its published form."""

import csv
import io
import json
from pathlib import Path

import pandas as pd

START = 1_000
"""Numbers that the tools give are from here on: none is an object's id."""


def _lines(path):
    # Not by splitlines, which breaks lines at characters that JSON leaves as they are.
    return [json.loads(line) for line in path.read_text().split("\n") if line]


def _write(path, records):
    path.write_text("\n".join(json.dumps(each) for each in records))


def label_studio(path, answers):
    tasks = json.loads(path.read_text())
    for number, task in enumerate(tasks, START):
        label = answers[task["data"]["alray_id"]]
        value = {"from_name": "alray_class", "type": "choices", "value": {"choices": [label]}}
        task["id"] = number
        task["annotations"] = [{"id": number, "completed_by": 1, "result": [value]}]
    path.write_text(json.dumps(tasks))


def label_studio_min(path, answers):
    tasks = [each["data"] for each in json.loads(path.read_text())]
    for number, task in enumerate(tasks, START):
        task |= {"id": number, "annotation_id": number, "annotator": 1}
        task["alray_class"] = answers[task["alray_id"]]
    path.write_text(json.dumps(tasks))


def prodigy(path, answers):
    tasks = _lines(path)
    for number, task in enumerate(tasks, START):
        label = answers[task["alray_id"]]
        accept = [each["id"] for each in task["options"] if each["text"] == label]
        task |= {"accept": accept, "answer": "accept", "_task_hash": number}
    _write(path, tasks)


def argilla(path, answers):
    records = json.loads(path.read_text())
    for record in records:
        value = {"value": answers[record["id"]], "user_id": "1"}
        record |= {"responses": {"alray_class": [value]}, "_server_id": "s", "status": "completed"}
    path.write_text(json.dumps(records))


def doccano(path, answers):
    examples = _lines(path)
    for number, example in enumerate(examples, START):
        example |= {"id": number, "label": [answers[example["alray_id"]]], "Comments": []}
    _write(path, examples)


def _table(path, delimiter):
    return [*csv.reader(io.StringIO(path.read_bytes().decode(), newline=""), delimiter=delimiter)]


def _write_table(path, rows, delimiter):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    path.write_bytes(text.getvalue().encode())


def _plain(cell):
    """Return a cell as a program shows it that keeps texts as texts."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'")[:1] in {*"=+-@\t\r"} else cell


def toloka(path, answers):
    header, *rows = _table(path, "\t")
    header += ["OUTPUT:result", "GOLDEN:result", "ASSIGNMENT:assignment_id"]
    header += ["ASSIGNMENT:worker_id", "ASSIGNMENT:status"]
    for row in rows:
        row += [answers[_plain(row[0])], "", "page", "1", "APPROVED"]
    _write_table(path, [header, *rows], "\t")


def mturk(path, answers):
    header, *rows = _table(path, ",")
    header = [f"Input.{each}" for each in header]
    header = ["HITId", "AssignmentId", "WorkerId", "AssignmentStatus", *header, "Answer.kind"]
    rows = [["h", "a", "1", "Approved", *row, answers[_plain(row[0])]] for row in rows]
    _write_table(path, [header, *rows], ",")


def csv_table(path, answers):
    header, *rows = _table(path, ",")
    for row in rows:
        row[header.index("label")] = answers[_plain(row[0])]
        row[header.index("worker")] = "1"
    _write_table(path, [header, *rows], ",")


def parquet(path, answers):
    frame = pd.read_parquet(path)
    frame["label"] = [answers[each] for each in frame["task"]]
    frame["worker"] = "1"
    frame.to_parquet(path)


def json_lines(path, answers):
    rows = _lines(path)
    for row in rows:
        row |= {"label": answers[row["task"]], "worker": "1"}
    _write(path, rows)


TOOLS = {
    "label-studio": label_studio,
    "label-studio-min": label_studio_min,
    "prodigy": prodigy,
    "argilla": argilla,
    "doccano": doccano,
    "toloka": toloka,
    "mturk": mturk,
    "csv": csv_table,
    "parquet": parquet,
    "jsonl": json_lines,
}
"""Name of a tool: what fills in the file of tasks that was written for it."""


def fill_in(tool: str, path: Path, answers: dict[str, str]) -> None:
    """Change a file of tasks into the tool's file of answers, by the class for each object's id."""
    TOOLS[tool](path, answers)
