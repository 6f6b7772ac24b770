"""Exports of labelling tools: what becomes of skips, several choices, golden tasks and what else they hold.

The files of Label Studio were exported by its server, version 1.23.2. The others follow what their makers publish:
https://prodi.gy/docs/api-interfaces#choice, `Record.to_dict` of Argilla's SDK 2.8, `data_export` of doccano 1.8.4,
https://toloka.ai/docs/guide/result-of-eval and the results page of Mechanical Turk's requesters.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alray.errors import AlrayError
from alray.exchange.reading import read_answers
from alray.exchange.writing import write_tasks

EXPORTS = Path(__file__).parent / "exports"
LONG = "a" * 64


def lines(*records):
    return "\n".join(json.dumps(each) for each in records)


def table(delimiter, *rows):
    return "\n".join(delimiter.join(row) for row in rows)


def read(folder, text):
    path = folder / "export"
    path.write_text(text)
    return read_answers(path)


def noted(notes):
    return {note.kind: note.names for note in notes}


def rows(found, *columns):
    return [tuple(row) for row in found[list(columns)].itertuples(index=False)]


def test_label_studio_has_skips_several_answers_and_unanswered_tasks():
    found, notes = read_answers(EXPORTS / "label_studio_1.23.2.json")
    assert rows(found, "task", "worker", "label", "status", "answer_id") == [
        ("7", "1", '<a&"b">', "answered", "2"),
        ("7", "1", "x,y", "answered", "3"),
        (LONG, "1", None, "skipped", "5"),
        ("-5", "1", None, "skipped", "4"),
        ("007", "1", "cat", "answered", "1"),
    ]
    assert found["seconds"].tolist() == [1.25, 3.0, 0.5, 0.5, 2.5]
    assert noted(notes) == {
        "unanswered": ("ünï ✓",),
        "skipped": ("-5",),
        "several_choices": (LONG,),
    }


def test_both_exports_of_label_studio_say_the_same_of_what_both_hold():
    full, _ = read_answers(EXPORTS / "label_studio_1.23.2.json")
    short, notes = read_answers(EXPORTS / "label_studio_1.23.2_min.json")
    # JSON_MIN has no skips.
    kept = full[full["task"] != "-5"]
    for one, other in zip(
        kept.sort_values("answer_id").itertuples(index=False),
        short.sort_values("answer_id").itertuples(index=False),
        strict=True,
    ):
        assert str(one) == str(other)
    assert noted(notes) == {"several_choices": (LONG,)}


def test_a_worker_of_label_studio_has_one_name_however_the_export_writes_him(tmp_path):
    task = {"data": {"alray_id": "a"}}
    value = {"from_name": "kind", "type": "choices", "value": {"choices": ["cat"]}}
    by = {"completed_by": {"id": 7, "email": "ann@example.org"}, "result": [value], "id": 3}
    found, _ = read(tmp_path, json.dumps([{**task, "annotations": [by]}]))
    assert rows(found, "task", "worker", "label") == [("a", "7", "cat")]
    other = {**value, "from_name": "tone"}
    with pytest.raises(AlrayError, match="several questions: kind, tone; call the one about"):
        read(tmp_path, json.dumps([{**task, "annotations": [{**by, "result": [value, other]}]}]))


def test_prodigy(tmp_path):
    options = [{"id": "cat", "text": "cat"}, {"id": "dog", "text": "dog"}]
    task = {"text": "x", "options": options, "_task_hash": 1, "_annotator_id": "set-ann"}
    found, notes = read(
        tmp_path,
        lines(
            {**task, "alray_id": "007", "accept": ["cat"], "answer": "accept", "_timestamp": 1e9},
            {**task, "alray_id": "b", "accept": [], "answer": "ignore"},
            {**task, "alray_id": "c", "accept": ["dog"], "answer": "reject"},
            {**task, "alray_id": "d", "accept": ["dog", "cat"], "answer": "accept"},
            {**task, "alray_id": "e", "accept": [], "answer": "accept"},
            {**task, "accept": ["dog"], "answer": "accept"},
        ),
    )
    assert rows(found, "task", "worker", "label", "status") == [
        ("007", "set-ann", "cat", "answered"),
        ("b", "set-ann", None, "skipped"),
        ("c", "set-ann", "dog", "rejected"),
        ("d", "set-ann", None, "skipped"),
        ("e", "set-ann", None, "skipped"),
    ]
    assert found["time"].iloc[0] == pd.Timestamp("2001-09-09T01:46:40Z")
    assert noted(notes) == {
        "skipped": ("b",),
        "rejected": ("c",),
        "several_choices": ("d",),
        "no_choice": ("e",),
        "without_id": ("record 6",),
    }


def test_argilla(tmp_path):
    def record(number, *values):
        responses = [{"value": value, "user_id": f"u{user}"} for user, value in enumerate(values)]
        return {
            "id": number,
            "fields": {"text": "x"},
            "metadata": {},
            "suggestions": {},
            "responses": {"kind": responses} if values else {},
            "status": "completed",
            "_server_id": "s",
        }

    found, notes = read(
        tmp_path,
        json.dumps(
            [
                record("007", "cat", "dog"),
                record("b", None),
                record("c", ["cat"]),
                record("d", ["cat", "dog"]),
                record("e"),
            ]
        ),
    )
    assert rows(found, "task", "worker", "label", "status") == [
        ("007", "u0", "cat", "answered"),
        ("007", "u1", "dog", "answered"),
        ("b", "u0", None, "skipped"),
        ("c", "u0", "cat", "answered"),
        ("d", "u0", None, "skipped"),
    ]
    assert noted(notes) == {
        "skipped": ("b",),
        "several_choices": ("d",),
        "unanswered": ("e",),
    }


def test_doccano_whose_own_number_is_no_id(tmp_path):
    def example(number, label, **meta):
        return {"id": number, "text": "x", "label": label, "Comments": [], **meta}

    found, notes = read(
        tmp_path,
        lines(
            example(1, ["cat"], alray_id="7"),
            example(2, [], alray_id="8"),
            example(3, ["cat", "dog"], alray_id="9"),
            example(7, ["dog"]),
        ),
    )
    assert rows(found, "task", "worker", "label", "status") == [
        ("7", "", "cat", "answered"),
        ("9", "", None, "skipped"),
    ]
    assert noted(notes) == {
        "unanswered": ("8",),
        "several_choices": ("9",),
        "without_id": ("record 4",),
    }
    with pytest.raises(AlrayError, match="no record says which object it is about; keep the fie"):
        read(tmp_path, lines(example(7, ["dog"])))


TOLOKA = [
    "INPUT:alray_id",
    "OUTPUT:result",
    "GOLDEN:result",
    "ASSIGNMENT:assignment_id",
    "ASSIGNMENT:task_id",
    "ASSIGNMENT:worker_id",
    "ASSIGNMENT:status",
    "ASSIGNMENT:started",
    "ASSIGNMENT:submitted",
    "ASSIGNMENT:reward",
]


def test_toloka_shares_out_the_time_and_the_reward_of_a_page(tmp_path):
    times = ("2026-01-31T12:00:00.000", "2026-01-31T12:00:30.000")
    found, notes = read(
        tmp_path,
        table(
            "\t",
            TOLOKA,
            ("007", "cat", "", "p1", "t1", "ann", "APPROVED", *times, "0.03"),
            ("b", "dog", "dog", "p1", "t2", "ann", "APPROVED", *times, "0.03"),
            ("c", "", "", "p1", "t3", "ann", "APPROVED", *times, "0.03"),
            ("d", "dog", "", "p2", "t4", "bob", "REJECTED", *times, "0.03"),
            ("e", "dog", "", "p3", "t5", "bob", "SUBMITTED", *times, "0.03"),
            ("f", "", "", "p4", "t6", "bob", "EXPIRED", times[0], "", "0.03"),
        ),
    )
    assert rows(found, "task", "worker", "label", "status", "answer_id") == [
        ("007", "ann", "cat", "answered", "p1:t1"),
        ("c", "ann", None, "skipped", "p1:t3"),
        ("d", "bob", "dog", "rejected", "p2:t4"),
    ]
    assert found["seconds"].tolist() == [10, 10, 30]
    np.testing.assert_allclose(found["cost"], [0.01, 0.01, 0.03])
    assert found["time"].iloc[0] == pd.Timestamp("2026-01-31T12:00:30Z")
    assert noted(notes) == {
        "golden": ("b",),
        "no_choice": ("c",),
        "rejected": ("d",),
        "waiting": ("e",),
        "not_submitted": ("f",),
    }


MTURK = [
    "HITId",
    "AssignmentId",
    "WorkerId",
    "AssignmentStatus",
    "SubmitTime",
    "WorkTimeInSeconds",
    "Reward",
    "Input.alray_id",
]
WEDNESDAY = "Wed Nov 20 10:11:12 PST 2024"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Answer.category.label", "cat"),
        ("Answer.taskAnswers", '"[{""category"":{""label"":""cat""}}]"'),
        ("Answer.kind", "cat"),
    ],
)
def test_mechanical_turk(tmp_path, column, value):
    found, notes = read(
        tmp_path,
        table(
            ",",
            [*MTURK, column],
            ("h1", "a1", "ann", "Approved", WEDNESDAY, "12", "$0.05", "007", value),
            ("h1", "a2", "bob", "Submitted", WEDNESDAY, "12", "$0.05", "007", value),
            ("h2", "a3", "bob", "Rejected", WEDNESDAY, "12", "$0.05", "b", value),
            ("h3", "a4", "bob", "Approved", "", "", "", "c", ""),
        ),
    )
    assert rows(found, "task", "worker", "label", "status", "answer_id") == [
        ("007", "ann", "cat", "answered", "a1"),
        ("007", "bob", "cat", "answered", "a2"),
        ("b", "bob", "cat", "rejected", "a3"),
        ("c", "bob", None, "skipped", "a4"),
    ]
    assert found["cost"].tolist()[:3] == [0.05] * 3
    assert found["seconds"].tolist()[:3] == [12] * 3
    assert found["time"].iloc[0] == pd.Timestamp("2024-11-20T18:11:12Z")
    assert noted(notes) == {"not_reviewed": ("007",), "rejected": ("b",), "no_choice": ("c",)}


HIT = ("h", "a", "w", "Approved", WEDNESDAY, "1", "$1", "x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", r"record 1 is '1', not an object; export"),
        ("[{", "is no JSON .*; export the answers again"),
        ('[{"data": 1, "annotations": []}]', "record 1, 'data' is '1', not an object; export"),
        ('[{"data": {}, "annotations": []}]', "no record says which object it is about; keep the"),
        (
            '[{"id": 1, "kind": "cat", "annotation_id": 1}]',
            "is in JSON_MIN and has no key 'alray_class': .*; export as JSON",
        ),
        (
            "id,kind,annotator,annotation_id,lead_time\n1,cat,1,1,1\n",
            "that Label Studio wrote; exp",
        ),
        ("PK\x03\x04", "is an archive .*; unpack it"),
        (
            '{"alray_id": "a", "answer": "maybe", "accept": []}',
            "'answer' is 'maybe'; Prodigy writ",
        ),
        ('{"alray_id": "a", "label": [[0, 5, "LOC"]]}', r"'label' is \[0, 5, 'LOC'\]; write text"),
        (table("\t", TOLOKA[3:], ["p"] * 7), "has no column INPUT:alray_id, so it does not say"),
        (
            table("\t", TOLOKA, ["x", "y", "", "p", "t", "w", "DONE", "", "", ""]),
            r"row 0 \(counted from 0\), column 'ASSIGNMENT:status' is 'DONE'; Toloka writes",
        ),
        (
            table(",", [*MTURK, "Answer.a", "Answer.b"], [*HIT, "1", "2"]),
            "several columns of answers: Answer.a, Answer.b; call the one about classes Answer.alr",
        ),
        (table(",", MTURK, HIT), "has no column of answers; call"),
        (
            table(",", [*MTURK, "Answer.a"], [*HIT[:4], "yesterday", *HIT[5:], "1"]),
            r"column 'SubmitTime' is 'yesterday'; Mechanical Turk writes times such as",
        ),
        (
            table(
                ",",
                [*MTURK, "Answer.a"],
                [*HIT[:4], "Fri Dec 31 23:00:00 PST 9999", *HIT[5:], "1"],
            ),
            r"column 'SubmitTime' is 'Fri Dec 31 23:00:00 PST 9999'; Mechanical Turk writes times",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(tmp_path, text, message):
    with pytest.raises(AlrayError, match=message) as refused:
        read(tmp_path, text)
    assert str(tmp_path / "export") in str(refused.value)
    assert refused.value.exit_code == 2


TASKS = pd.DataFrame(
    {"id": ["a", "b"], "my text": ["<b>1</b>", "2"], "url": ["x/1.png", "x/2.JPG?s"]}
)


def test_label_studio_gets_the_settings_of_a_project_beside_the_tasks(tmp_path):
    tasks = TASKS.assign(
        predicted=pd.Series(["dog", None]), probability=[0.7, np.nan], priority=[1.0, 2.0]
    )
    written = write_tasks(tasks, tmp_path / "batch.json", "label-studio", ["cat", 'd<&">g', "dog"])
    assert [each.name for each in written] == ["batch.json", "batch.label_config.xml"]
    first, second = json.loads(written[0].read_text())
    assert first["data"] == {"alray_id": "b", "shown_my_text": "2", "url": "x/2.JPG?s"}
    (prediction,) = second["predictions"]
    assert prediction["score"] == 1.0
    assert prediction["result"][0]["value"] == {"choices": ["dog"]}
    config = written[1].read_text()
    assert '<Text name="show_shown_my_text" value="$shown_my_text" />' in config
    assert '<Image name="show_url" value="$url" />' in config
    assert '<Choice value="d&lt;&amp;&quot;&gt;g" />' in config
    with pytest.raises(AlrayError, match=r"class 'a\\x00' holds a character .*; rename the class"):
        write_tasks(tasks[["id"]], tmp_path / "other.json", "label-studio", ["a\0"])


def test_prodigy_shows_several_columns_as_escaped_html(tmp_path):
    (path,) = write_tasks(TASKS, tmp_path / "a.jsonl", "prodigy", ["cat"])
    task = json.loads(path.read_text().split("\n")[0])
    assert task["html"] == '<p>&lt;b&gt;1&lt;/b&gt;</p><img src="x/1.png" alt="">'
    (path,) = write_tasks(TASKS[["id", "url"]], tmp_path / "a.jsonl", "prodigy", ["cat"])
    assert json.loads(path.read_text().split("\n")[0])["image"] == "x/1.png"


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (TASKS.drop(columns="id"), "tasks need a column 'id'; their columns are my text, url"),
        (TASKS[:0], "there is no task to write"),
        (TASKS.assign(id="a"), "column 'id' of the tasks holds a more than once"),
        (
            TASKS.assign(id=["a", ""]),
            r"column 'id' of the tasks is empty in 1 rows \(1, counted",
        ),
        (TASKS.assign(predicted="horse"), "names horse, which is none of the classes cat; add it"),
        (TASKS.assign(priority=np.inf), "column 'priority' of the tasks is inf in row 0"),
        (
            TASKS.assign(image=pd.Series([[1.0]] * 2)),
            "column 'image' of the tasks holds list in row 0",
        ),
        (
            TASKS.assign(url=pd.Series(["\ud800"] * 2, dtype=object)),
            "column 'url' of the tasks holds half a character in row 0",
        ),
    ],
)
def test_tasks_that_cannot_be_written_are_refused(tmp_path, tasks, message):
    with pytest.raises(AlrayError, match=message):
        write_tasks(tasks, tmp_path / "a.csv", "csv", ["cat"])
    assert not [*tmp_path.iterdir()]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(AlrayError, match=r"cannot write .*nowhere/a\.csv: .*; choose another --o"):
        write_tasks(TASKS, tmp_path / "nowhere" / "a.csv", "csv", ["cat"])
