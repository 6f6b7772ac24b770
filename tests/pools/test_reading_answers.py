"""Files of answers: what is read of them, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from alray.errors import AlrayError
from alray.pools.answer_table import UNKNOWN
from alray.pools.reading_answers import read_answer_table

CLASSES = ("bird", "cat", "dog")
ROWS = [
    ("t2", "zoe", "cat", "dog"),
    ("t1", "amy", "bird", "bird"),
    ("t1", "zoe", "bird", "bird"),
    ("t3", "bob", "dog", ""),
    ("t3", "amy", "cat", ""),
    ("t4", "amy", "", "cat"),
]


def written(folder, rows=ROWS, columns=("task", "worker", "label", "truth"), name="answers.csv"):
    path = folder / name
    frame = pd.DataFrame(rows, columns=columns)
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.replace("", None).to_parquet(path)
    return str(path)


def test_rows_become_numbers_of_sorted_workers_and_of_the_pools_classes(tmp_path):
    table = read_answer_table(written(tmp_path), CLASSES)
    assert table.workers == ("amy", "bob", "zoe")
    assert table.tasks.tolist() == [1, 0, 0, 2, 2]
    assert table.answered_by.tolist() == [2, 0, 2, 1, 0]
    assert table.labels.tolist() == [1, 0, 0, 2, 1]
    assert table.truths.tolist() == [0, 2, UNKNOWN]
    assert table.skipped == 1


def test_the_content_is_that_of_the_rows_whatever_the_file(tmp_path):
    csv = read_answer_table(written(tmp_path), CLASSES)
    parquet = read_answer_table(written(tmp_path, ROWS[::-1], name="a.parquet"), CLASSES)
    assert csv.content == parquet.content
    changed = [*ROWS[:4], ("t3", "amy", "bird", ""), ROWS[5]]
    assert read_answer_table(written(tmp_path, changed), CLASSES).content != csv.content


def test_without_a_column_truth_nothing_is_known(tmp_path):
    rows = [row[:3] for row in ROWS]
    table = read_answer_table(written(tmp_path, rows, ("task", "worker", "label")), CLASSES)
    assert set(table.truths.tolist()) == {UNKNOWN}


def test_whole_numbers_are_names_too(tmp_path):
    rows = [(1, 10, 2.0, 2.0), (1, 11, 0.0, 2.0), (2, 10, 1.0, np.nan)]
    table = read_answer_table(written(tmp_path, rows, name="a.parquet"), ("0", "1", "2"))
    assert table.workers == ("10", "11")
    assert table.labels.tolist() == [2, 0, 1]
    assert table.truths.tolist() == [2, UNKNOWN]


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([], ("task", "worker", "label"), "has no answers; write a row for each"),
        ([("t", "w", "")], ("task", "worker", "label"), "has no answers"),
        (
            [("t", "w", "cat")],
            ("task", "annotator", "label"),
            "has no column worker; its columns are task, annotator, label",
        ),
        ([("t", "cat")], ("task", "answer"), "has no column worker and no column label"),
        (
            [("t", "w", "catt")],
            ("task", "worker", "label"),
            "column 'label' names 1 classes that the pool does not have: 'catt'; did you mean 'cat'",
        ),
        (
            [("t", "w", "cat", "horse")],
            ("task", "worker", "label", "truth"),
            "column 'truth' names 1 classes .* 'horse'; its classes are bird, cat, dog",
        ),
        (
            [("t", "w", "cat"), ("t", "w", "dog")],
            ("task", "worker", "label"),
            "worker 'w' has two answers about task 't'",
        ),
        (
            [("t", "w", "cat", "cat"), ("t", "v", "cat", "dog")],
            ("task", "worker", "label", "truth"),
            "column 'truth' has two classes for task 't': 'cat' and 'dog'",
        ),
        (
            [("t", "", "cat"), ("s", "v", "cat")],
            ("task", "worker", "label"),
            r"column 'worker' is empty in 1 rows with a label \(0, counted from 0\)",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(tmp_path, rows, columns, message):
    path = written(tmp_path, rows, columns)
    with pytest.raises(AlrayError, match=message) as refused:
        read_answer_table(path, CLASSES)
    assert path in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("value", [0.5, np.inf, -np.inf])
def test_numbers_that_are_not_whole_are_refused(tmp_path, value):
    path = written(tmp_path, [("t", "w", value)], ("task", "worker", "label"), "a.parquet")
    words = rf"column 'label' holds {value:g}; write text or whole numbers"
    with pytest.raises(AlrayError, match=words):
        read_answer_table(path, CLASSES)


def test_files_that_are_not_there_empty_or_no_table_are_refused(tmp_path):
    with pytest.raises(AlrayError, match=r"nothing\.csv: there is no such file; check the path"):
        read_answer_table(str(tmp_path / "nothing.csv"), CLASSES)
    with pytest.raises(AlrayError, match="copy it to this machine"):
        read_answer_table("s3://bucket/answers.csv", CLASSES)
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(AlrayError, match=r"empty\.csv is empty; write"):
        read_answer_table(str(tmp_path / "empty.csv"), CLASSES)
    (tmp_path / "a.parquet").write_text("task,worker,label")
    with pytest.raises(AlrayError, match=r"a\.parquet: not a readable Parquet file"):
        read_answer_table(str(tmp_path / "a.parquet"), CLASSES)
