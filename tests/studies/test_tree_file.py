"""The file of a tree of classes: read, or refused before anything runs, with the file, the column and the value."""

import pandas as pd
import pytest

from alray import api
from alray.errors import PoolError, SpecError
from alray.settings.questions import QuestionsSpec
from alray.strategies.base import given
from alray.studies.sweep.tree_file import read_tree
from tests.helpers.command import alray
from tests.helpers.studies import settings

ROWS = {"class": ["class-0", "class-1", "class-2", "low"], "parent": ["low", "low", "all", "all"]}
ROOTED = {"class": ["root", "a", "b"], "parent": [None, "root", "root"]}


def tree(path):
    return QuestionsSpec(tree=str(path))


def write(path, rows=None):
    frame = pd.DataFrame(ROWS if rows is None else rows)
    (frame.to_parquet if path.suffix == ".parquet" else frame.to_csv)(path, index=False)
    return path


def planned(pool, questions):
    return api.plan_sweep(settings(pool, strategies=["questions:passive"], questions=questions))


@pytest.mark.parametrize("name", ["tree.csv", "tree.parquet"])
def test_a_file_gives_the_sets_of_classes(pool, tmp_path, name):
    path = write(tmp_path / name)
    (run,) = planned(pool, {"tree": str(path)}).runs
    sets = given(run.questions).sets
    assert sets is not None
    assert ("low", (0, 1)) in sets
    moved = write(tmp_path / "elsewhere.csv")
    assert planned(pool, {"tree": str(moved)}).runs[0].run_id == run.run_id
    other = write(tmp_path / "other.csv", {**ROWS, "parent": ["all", "low", "low", "all"]})
    assert planned(pool, {"tree": str(other)}).runs[0].run_id != run.run_id


def test_class_names_with_a_separator_give_them_too(pool):
    with pytest.raises(SpecError, match="names finds no tree"):
        planned(pool, {"tree": "names"})
    built = planned(pool, {}).runs[0]
    assert given(built.questions).sets is None


def test_classes_stay_texts_and_the_root_has_no_parent(tmp_path):
    path = write(tmp_path / "tree.csv", {"class": ["007", "NA", "x"], "parent": ["x", "x", None]})
    assert read_tree(tree(path)) == [("007", "x"), ("NA", "x"), ("x", "")]
    path = write(tmp_path / "tree.parquet", {"class": ["7", "x"], "parent": ["x", None]})
    assert read_tree(tree(path)) == [("7", "x"), ("x", "")]
    assert read_tree(QuestionsSpec()) is read_tree(QuestionsSpec(tree="names")) is None
    assert read_tree(None) is None


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            {"class": ["a"], "above": ["b"]},
            "there is no column parent; its columns are class, above",
        ),
        ({"class": ["a", ""], "parent": ["b", "b"]}, "column class is empty in row 2"),
        ({"class": [], "parent": []}, "there are no rows"),
    ],
)
def test_what_is_no_table_of_a_tree_is_refused(tmp_path, rows, message):
    with pytest.raises(SpecError, match=rf"tree.csv: {message}"):
        read_tree(tree(write(tmp_path / "tree.csv", rows)))


def test_a_file_that_is_not_there_or_no_table_is_refused(tmp_path):
    with pytest.raises(SpecError, match=r"there is no file '.*nowhere.csv'; write the path"):
        read_tree(tree(tmp_path / "nowhere.csv"))
    (tmp_path / "text.parquet").write_text("no table")
    with pytest.raises(PoolError, match=r"text.parquet: not a readable Parquet file"):
        read_tree(tree(tmp_path / "text.parquet"))
    with pytest.raises(SpecError, match="is no local file"):
        read_tree(tree("s3://bucket/tree.csv"))


@pytest.mark.parametrize(
    ("parents", "words"),
    [
        (["low", "low", "all", "class-0"], "column parent has a cycle"),
        (["low", "low", "", "all"], "column parent leaves 2 nodes without a parent"),
    ],
)
def test_the_command_refuses_what_is_no_tree_with_exit_code_2(pool, tmp_path, parents, words):
    path = write(tmp_path / "tree.csv", {**ROWS, "parent": parents})
    strategies = ["--strategies", "questions:alpf", "--questions", f"tree={path}"]
    ended = alray("sweep", "--pool", str(pool), *strategies, "--dry-run", "--results", tmp_path)
    assert ended.exit_code == 2
    assert f"{path}: {words}" in ended.output.replace("\n", " ")
    assert "Traceback" not in ended.output


def test_the_plan_says_what_is_asked(pool, tmp_path):
    path = write(tmp_path / "tree.csv")
    strategies = ["--strategies", "random,questions:alpf", "--questions", f"tree={path},cost=.5"]
    size = ["--initial", "20", "--query", "5", "--rounds", "4", "--executor", "inline"]
    ended = alray(
        "sweep", "--pool", str(pool), *strategies, *size, "--dry-run", "--results", tmp_path
    )
    assert ended.exit_code == 0, ended.output
    said = " ".join(ended.output.split())
    assert "yes/no questions: 10 a round, at 0.5 an answer, about" in said
    assert (
        "(2 nodes): by halves 1.67 for an object, 2 at most (mean over classes); a label" in said
    )
    assert "a label costs 1" in said


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (pd.DataFrame(ROOTED).convert_dtypes(), [("root", ""), ("a", "root"), ("b", "root")]),
        (pd.DataFrame(ROOTED).astype("category"), [("root", ""), ("a", "root"), ("b", "root")]),
        (
            pd.DataFrame({"class": [0, 1, 2], "parent": [None, 0, 0]}),
            [("0", ""), ("1", "0"), ("2", "0")],
        ),
    ],
)
def test_the_types_that_pandas_writes_are_read_as_texts(tmp_path, frame, expected):
    frame.to_parquet(tmp_path / "tree.parquet")
    assert read_tree(tree(tmp_path / "tree.parquet")) == expected


def test_a_column_of_fractions_is_no_names(tmp_path):
    path = write(tmp_path / "tree.parquet", {"class": [0.5, 1], "parent": [None, 0.5]})
    with pytest.raises(SpecError, match=r"tree.parquet: column 'class' holds 0.5; write text or"):
        read_tree(tree(path))
