"""Tasks written for a tool, answered there, and read again: every id and every class comes back as it was."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alray.exchange.cells import guarded, unguarded
from alray.exchange.formats.registry import FORMATS
from alray.exchange.reading import read_answers
from alray.exchange.writing import write_tasks
from tests.helpers.filled_tasks import TOOLS, fill_in

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64)
# Settings of a Label Studio project are XML, which has no control characters.
CLASSES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1, max_size=20)
HARD = [
    "007",
    "7",
    "-5",
    "=1+1",
    "'=1",
    "@me",
    "a\tb",
    'say "x"',
    "a\r\nb",
    "ünï ✓ 🙂",
    "x" * 64,
    " 7 ",
    "7.0",
    "null",
]


def test_every_format_is_tried():
    assert {tool.removesuffix("-min") for tool in TOOLS} == {*FORMATS}


@settings(max_examples=15)
@given(st.text(st.sampled_from("'=+-@\t\ra1 ")))
def test_a_guarded_cell_is_no_formula_and_comes_back(text):
    cell = guarded(text)
    assert unguarded(cell) == text
    assert cell[:1] not in {*"=+@\t\r"}
    assert not cell.startswith("-") or cell[1:].isdecimal()


@pytest.mark.parametrize("tool", TOOLS)
@settings(max_examples=12)
@given(
    ids=st.lists(TEXTS, min_size=1, max_size=6, unique=True),
    classes=st.lists(CLASSES, min_size=1, max_size=4, unique=True),
)
@example(ids=HARD, classes=["=cmd", "'-x", "<a & 'b'>", "x,y", "01", "1", "null"])
def test_ids_and_classes_come_back_as_they_were(tool, ids, classes):
    name = tool.removesuffix("-min")
    tasks = pd.DataFrame({"id": ids, "text": ids[::-1], "label": ids})
    answers = {each: classes[number % len(classes)] for number, each in enumerate(ids)}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "batch"
        write_tasks(tasks, path, name, classes)
        fill_in(tool, path, answers)
        found, notes = read_answers(path)
        assert dict(zip(found["task"], found["label"], strict=True)) == answers
        assert {*found["status"]} == {"answered"}
        assert {note.kind for note in notes} <= {"unused_columns"}
        named, _ = read_answers(path, name)
        pd.testing.assert_frame_equal(found, named)
