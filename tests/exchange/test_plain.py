"""The long table: names of columns in the wild, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from alray.errors import AlrayError
from alray.exchange.answers import COLUMNS
from alray.exchange.long_table import answers_from_frame
from alray.exchange.reading import read_answers
from alray.exchange.writing import write_tasks
from tests.helpers.filled_tasks import fill_in


def written(folder, text, name="answers.csv"):
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("task", ["task", "item", "id", "object", "Task"])
@pytest.mark.parametrize("worker", ["worker", "annotator", "assessor", "user"])
@pytest.mark.parametrize("label", ["label", "answer"])
def test_columns_go_by_any_of_their_names(tmp_path, task, worker, label):
    path = written(tmp_path, f"{worker},{label},{task}\nann,cat,007\n,dog,7\n")
    table, notes = read_answers(path)
    assert list(table.columns) == list(COLUMNS)
    assert table["task"].tolist() == ["007", "7"]
    assert table["worker"].tolist() == ["ann", ""]
    assert table["label"].tolist() == ["cat", "dog"]
    assert table["status"].tolist() == ["answered", "answered"]
    assert notes == ()


def test_optional_columns_have_their_types(tmp_path):
    path = written(
        tmp_path,
        "task,label,status,seconds,cost,time,answer_id,text\n"
        "a,cat,,1.5,0.02,2026-01-31T12:00:00+01:00,k1,hello\n"
        "b,,skipped,,,,,\n"
        "c,dog,rejected,,,2026-01-31 12:00:00,k3,\n"
        "d,,,,,,,\n",
    )
    table, notes = read_answers(path)
    assert table["status"].tolist() == ["answered", "skipped", "rejected"]
    assert table["label"].tolist() == ["cat", None, "dog"]
    assert table["seconds"].tolist()[0] == 1.5
    assert np.isnan(table["cost"].tolist()[1])
    assert table["time"].iloc[0] == pd.Timestamp("2026-01-31T11:00:00Z")
    assert table["time"].isna().tolist() == [False, True, False]
    assert str(table["time"].dtype) == "datetime64[us, UTC]"
    assert table["answer_id"].tolist() == ["k1", None, "k3"]
    assert [(note.kind, note.count, note.names) for note in notes] == [
        ("unanswered", 1, ("d",)),
        ("skipped", 1, ("b",)),
        ("rejected", 1, ("c",)),
        ("unused_columns", 1, ("text",)),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task,lable\na,cat\n", "has no column label .* rename 'lable' to label"),
        ("colour,label\na,cat\n", r"has no column task \(or item or id or object\)"),
        ("id,item,label\na,b,cat\n", "'id' and 'item' may both be the task; rename"),
        ("task,label,status\na,cat,skiped\n", "row 0, column 'status' is 'skiped'; did you mean"),
        ("task,label,cost\na,cat,$5\n", r"row 0 \(counted from 0\), column 'cost' is '\$5'"),
        ("task,label,seconds\na,cat,-1\n", "column 'seconds' is '-1'; write a number from 0 on"),
        ("task,label,time\na,cat,now\n", "column 'time' is 'now'; write a time such as"),
        (
            "task,label,time\na,cat,0001-01-01T00:00:00+05:00\n",
            r"column 'time' is '0001-01-01T00:00:00\+05:00'; write a time such as",
        ),
        ("task,label\na,\n", r"has no answers \(tasks without an answer, left out: 1 \(a\)\)"),
        ("", "is empty; export the answers again"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(AlrayError, match=message) as refused:
        read_answers(path)
    assert str(path) in str(refused.value)
    assert refused.value.exit_code == 2


def test_a_format_that_is_not_known_is_refused(tmp_path):
    path = written(tmp_path, "task,label\na,cat\n")
    with pytest.raises(AlrayError, match="format 'parqet' is not known; did you mean parquet"):
        read_answers(path, "parqet")


def test_a_frame_is_read_as_a_file_is():
    frame = pd.DataFrame({"id": [7, 8], "annotator": ["ann", None], "label": ["cat", "dog"]})
    table, _ = answers_from_frame(frame)
    assert table["task"].tolist() == ["7", "8"]
    assert table["worker"].tolist() == ["ann", ""]
    with pytest.raises(AlrayError, match=r"the answers: .*; write values of one kind"):
        answers_from_frame(pd.DataFrame({"task": ["a", 1], "label": ["cat", "dog"]}))


def test_tasks_come_in_the_order_of_their_priority_with_columns_to_fill_in(tmp_path):
    tasks = pd.DataFrame(
        {
            "id": ["007", "7", "8"],
            "text": ["=1+1", 'two\nlines, "quoted"', "ünï"],
            "label": ["x", "y", "z"],
            "predicted": ["cat", None, "dog"],
            "priority": [0.1, 0.9, np.nan],
        }
    )
    (path,) = write_tasks(tasks, tmp_path / "batch.csv", "csv", ["cat", "dog"])
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert frame["task"].tolist() == ["7", "007", "8"]
    assert frame["text"].tolist() == ['two\nlines, "quoted"', "'=1+1", "ünï"]
    assert frame["shown_label"].tolist() == ["y", "x", "z"]
    assert frame["label"].tolist() == ["", "", ""]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_shown_columns_are_never_read_as_the_answers(tmp_path, kind):
    """Names of columns are read whatever their case and the spaces around them."""
    names = [*map(str.capitalize, COLUMNS), " cost ", "worker", "shown_worker", "shown_Time"]
    shown = {name: [f"of {name}"] for name in names}
    known = {"predicted": ["cat"], "probability": [0.5], "priority": [1.0]}
    tasks = pd.DataFrame({"id": ["007"], **shown, **known})
    (path,) = write_tasks(tasks, tmp_path / f"batch.{kind}", kind, ["cat"])
    fill_in(kind, path, {"007": "cat"})
    table, (note,) = read_answers(path)
    assert table[["task", "worker", "label", "status"]].to_numpy().tolist() == [
        ["007", "1", "cat", "answered"]
    ]
    assert table[["seconds", "cost", "time", "answer_id"]].isna().all(axis=None)
    assert note.kind == "unused_columns"
    assert note.count == len(shown) + len(known), "none is lost"
