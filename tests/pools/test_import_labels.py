"""Files of labels beside arrays: text of any origin, CSV with ids, and Parquet."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alray.pools.imports.source import ImportOptions
from tests.helpers.imports import draw, imported, refusal, run


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "arrays"
    path.mkdir()
    np.save(path / "image.npy", draw(4, 3))
    return path


def labels_of(pool):
    return [pool.classes[code] for code in pool.labels]


@pytest.mark.parametrize(
    ("name", "content", "labels"),
    [
        ("labels.txt", b"\xef\xbb\xbfa\nb\na\na\n", "abaa"),
        ("labels.csv", b"\xef\xbb\xbflabel\na\nb\na\na\n", "abaa"),
        ("labels.csv", b'\xef\xbb\xbf"a"\nb\na\na\n', "abaa"),
        ("labels.txt", b"a\r\nb\r\na\r\na\r\n", "abaa"),
        ("labels.txt", b"a\nb\na\na\n\n \n", "abaa"),
        ("labels.csv", b"a\r\nb\r\na\r\na\r\n\r\n\r\n", "abaa"),
        ("labels.csv", b'"a\nc"\nb\n"a\nc"\nb\n', ["a\nc", "b", "a\nc", "b"]),
        ("labels.txt", b"a \nb\na \na \n", ["a ", "b", "a ", "a "]),
    ],
)
def test_byte_order_marks_line_ends_and_empty_last_lines_are_no_part_of_labels(
    folder, name, content, labels
):
    """A quoted cell may hold a line end, and spaces stay."""
    (folder / name).write_bytes(content)
    assert labels_of(imported(folder)) == list(labels)


TABLE = "{}p,x\nq,y\nr,x\ns,y\n"


@pytest.mark.parametrize(
    "content",
    [
        TABLE.format(""),
        TABLE.format("id,label\n"),
        TABLE.format("name,label\n"),
        TABLE.format("\ufeffid,class\n"),
        TABLE.format("id,label\n").replace(",", ";"),
        "id,label,url\np,x,1\nq,y,2\nr,x,3\ns,y,4\n\n",
    ],
)
def test_a_table_of_ids_and_labels_is_in_the_order_of_the_arrays(folder, content):
    (folder / "labels.csv").write_text(content)
    pool = imported(folder)
    assert (pool.ids.tolist(), labels_of(pool)) == (list("pqrs"), list("xyxy"))


def test_a_table_of_ids_and_labels_is_joined_to_a_file_of_ids(folder):
    (folder / "labels.csv").write_text("id,label,part\nunused,z,0\ns,y,1\np,x,2\nq,y,3\nr,x,4\n")
    (folder / "ids.txt").write_text("r\nq\ns\np\n")
    table = pq.read_table(run(folder).path).to_pydict()
    assert table["id"] == list("rqsp")
    assert table["label"] == list("xyyx")
    assert table["part"] == list("4312")


@pytest.mark.parametrize(
    ("content", "ids", "words"),
    [
        ("p,x\nq,y\nr,x\n", "pqrs", r"labels\.csv:label: no row for 1 ids of \S+ids\.txt: s"),
        ("p,x\nq,y\nr,x\np,y\ns,x\n", "pqrs", r"labels\.csv:label: ids are not unique: p"),
        ("a,b,c\n" * 4, "", r"labels\.csv: write one value per line.* line 1 has 3 values"),
        ("id,label\np,x\nq\nr,x\ns,x\n", "", r"labels\.csv: .* line 3 has 1 values"),
        ("id,topic,kind\n" + "p,x,z\n" * 4, "", r"labels\.csv: no column of labels .*--label"),
        ('p,"x\n', "", r"labels\.csv: cannot be read: unexpected end of data"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(folder, content, ids, words):
    (folder / "labels.csv").write_text(content)
    if ids:
        (folder / "ids.txt").write_text("\n".join(ids))
    assert re.search(words, refusal(folder), re.DOTALL)


@pytest.mark.parametrize(
    ("content", "labels"),
    [
        ("y\nn\nn\ny\n", "ynny"),
        ("y\nn\nn\ny\n\n", "ynny"),
        ("y\na\nb\nb\na\n", "abba"),
        ("label\na\nlabel\na\n", ["label", "a", "label", "a"]),
        ("a,y\nb,n\nc,n\nd,y\n", "ynny"),
        ("en,id\nfr,no\nge,id\nit,no\n", ["id", "no", "id", "no"]),
        ("name,y\na,n\nb,m\nc,n\nd,m\n", "nmnm"),
    ],
)
def test_a_first_label_that_comes_again_is_no_heading(folder, content, labels):
    (folder / "labels.csv").write_text(content)
    assert labels_of(imported(folder)) == list(labels)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("a,y\nb,n\nc,n\nd,y\ne,n\n\n", r"id,label \(in the order of the columns\)"),
        ("a,y\nb,n\nc,n\nd,n\n", r"id,label \(in the order of the columns\)"),
        ("y\nn\ny\nn\ny\n", "label"),
        ("y\nn\nn\nn\n", "label"),
        ("y\nn\nn\nn\n\n", "label"),
    ],
)
def test_a_first_line_that_may_be_a_heading_or_not_is_refused(folder, content, line):
    (folder / "labels.csv").write_text(content)
    words = f"csv: 'y' in the first line may be a heading or .* 4 objects; write the line {line} "
    assert re.search(words, refusal(folder))


@pytest.mark.parametrize("content", ["label\na\nb\na\n", "a\nb\na\n"])
def test_a_label_too_few_is_refused_with_or_without_a_heading(folder, content):
    (folder / "labels.csv").write_text(content)
    assert re.search(r"image\.npy: 4 rows, and \S+labels\.csv has 3", refusal(folder))


def test_a_first_id_that_could_head_labels_is_an_id(folder):
    (folder / "ids.csv").write_text("y\nz\na\nb\n")
    (folder / "labels.txt").write_text("c\nd\nc\nd\n")
    assert imported(folder).ids.tolist() == list("yzab")


def test_labels_of_utf16_are_refused(folder):
    (folder / "labels.txt").write_text("a\nb\na\nb\n", encoding="utf-16")
    assert "labels.txt: not UTF-8 text but UTF-16; save it as UTF-8" in refusal(folder)


def test_labels_in_parquet_with_further_columns(folder):
    columns = {
        "key": list("pqrs"),
        "topic": list("xyxy"),
        "url": [1, None, 3, 4],
        "list": [[1]] * 4,
    }
    pq.write_table(pa.table(columns), folder / "labels.parquet")
    assert "labels.parquet: no column of labels" in refusal(folder)
    options = ImportOptions(label="topic", id="key")
    table = pq.read_table(run(folder, options).path)
    assert table.column_names == ["id", "label", "url", "image"]
    assert table["id"].to_pylist() == list("pqrs")
    assert table["url"].to_pylist() == [1, None, 3, 4]
