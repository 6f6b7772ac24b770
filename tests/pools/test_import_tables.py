"""Feather, Arrow IPC, JSON Lines and CSV, imported as pools."""

import re
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from alray.pools.imports.source import ImportOptions
from tests.helpers.import_files import (
    write_csv,
    write_feather,
    write_json_lines,
    write_numpy_lists,
    write_stream,
    write_zipped,
)
from tests.helpers.imports import draw, imported, refusal, run, table_of
from tests.helpers.pools_fixtures import features

IMAGE = draw(4, 3)
RECORDS: list[dict[str, Any]] = [
    {"url": "u", "image": IMAGE[0].tolist(), "label": "cat", "id": "007", "text": None},
    {"url": None, "image": None, "label": "dog", "id": "8", "text": [1, 2.5]},
    {"url": "ü,\n", "image": IMAGE[2].tolist(), "label": "cat", "id": "9", "text": [3, 4]},
    {"url": "", "image": IMAGE[3].tolist(), "label": "dog", "id": "10", "text": None},
]
"""In this order of keys, labels and ids last; an object lacks each modality."""


@pytest.mark.parametrize(
    "write",
    [write_feather, write_stream, write_json_lines, write_zipped, write_csv, write_numpy_lists],
)
def test_each_layout_gives_the_same_pool(tmp_path, write):
    source = write(tmp_path, RECORDS)
    written = run(source, chunk_bytes=2 * 20)
    table = table_of(written.path)
    assert table.column_names == ["id", "label", "url", "image", "text"]
    assert table["id"].to_pylist() == ["007", "8", "9", "10"]
    assert table["label"].to_pylist() == ["cat", "dog", "cat", "dog"]
    assert [url or "" for url in table["url"].to_pylist()] == ["u", "", "ü,\n", ""]
    pool = imported(source, overwrite=True)
    assert np.array_equal(features(pool, "image")[[0, 2, 3]], IMAGE[[0, 2, 3]])
    assert features(pool, "text")[1:3].tolist() == [[1, 2.5], [3, 4]]
    assert [part.present.tolist() for part in pool.modalities] == [
        [True, False, True, True],
        [False, True, True, False],
    ]


WIDE = [
    {
        "img_10": 3.0,
        "img_2": 2.0,
        "txt.1": 5 + row,
        "txt.0": 4,
        "age": 30,
        "y": row % 2,
        "n 1": "a",
    }
    for row in range(4)
]


@pytest.mark.parametrize("write", [write_feather, write_json_lines, write_csv])
def test_numbered_columns_are_modalities_in_the_order_of_their_numbers(tmp_path, write):
    pool = imported(write(tmp_path, WIDE))
    assert [part.name for part in pool.modalities] == ["img", "txt"]
    assert features(pool, "img").tolist() == [[2, 3]] * 4
    assert features(pool, "txt").tolist() == [[4, 5 + row] for row in range(4)]
    assert pool.classes == ("0", "1")


@pytest.mark.parametrize(
    ("wanted", "found", "further"),
    [
        ("img_*", [2, 3], ["txt.1", "txt.0", "age", "n 1"]),
        ("img_10:txt.1", [3, 2, 5], ["txt.0", "age", "n 1"]),
        ("age,img_?", [30, 2], ["img_10", "txt.1", "txt.0", "n 1"]),
        ("age", [30], ["img_10", "img_2", "txt.1", "txt.0", "n 1"]),
    ],
)
def test_columns_are_chosen_by_pattern_range_or_name(tmp_path, wanted, found, further):
    source = write_csv(tmp_path, WIDE)
    path = run(source, ImportOptions(modalities={"m": wanted})).path
    table = pq.read_table(path)
    assert table.column_names == ["id", "label", *further, "m"]
    assert table["m"].to_pylist()[0] == found


def test_columns_without_names_are_features(tmp_path):
    """As pandas writes a frame of numbers."""
    (tmp_path / "a.csv").write_text(",0,1,label\n0,1.5,,a\n1,,,b\n2,3,4,a\n")
    assert "NaN, infinite or too large" in refusal(tmp_path / "a.csv", drop_empty=True)
    (tmp_path / "a.csv").write_text(",0,1,label\n0,1.5,2,a\n1,NA, nan,b\n2,3,4,a\n")
    written = run(tmp_path / "a.csv", drop_empty=True)
    assert (written.objects, written.dropped) == (2, 1)
    assert written.notes == ("column '' is kept as 'unnamed'",)
    table = table_of(written.path).to_pydict()
    assert table["unnamed"] == ["0", "2"]
    assert table["features"] == [[1.5, 2], [3, 4]]


def lists(*values: Any, kind: Any) -> Any:
    return pa.array(values, kind)


@pytest.mark.parametrize(
    ("column", "dtype", "values"),
    [
        (lists([1, 2], [3, 4], kind=pa.list_(pa.int8())), np.float32, [[1, 2], [3, 4]]),
        (lists([1, 2], None, kind=pa.list_(pa.uint8(), 2)), np.float32, [[1, 2], None]),
        (
            pa.LargeListArray.from_arrays(
                [0, 2, 4], pa.array(np.asarray([1, 2, 3, 4], np.float16))
            ),
            np.float16,
            [[1, 2], [3, 4]],
        ),
        (
            lists([[1, 2]], [[3, 4]], kind=pa.list_(pa.list_(pa.float64()))),
            np.float32,
            [[1, 2], [3, 4]],
        ),
        (
            lists([[1], [2]], [[3], [4]], kind=pa.list_(pa.list_(pa.uint8()))),
            np.uint8,
            [[1, 2], [3, 4]],
        ),
        (
            lists([Decimal("1.5")], None, kind=pa.list_(pa.decimal128(5, 2))),
            np.float32,
            [[1.5], None],
        ),
        (
            lists([{"v": 1.0}], [{"v": 2.0}], kind=pa.list_(pa.struct([("v", pa.float64())]))),
            np.float32,
            [[1], [2]],
        ),
        (
            pa.FixedShapeTensorArray.from_numpy_ndarray(
                np.arange(1, 9, dtype="f4").reshape(2, 2, 2)
            ),
            np.float32,
            [[1, 2, 3, 4], [5, 6, 7, 8]],
        ),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_lists_of_any_numbers_are_features(tmp_path, column, dtype, values):
    ones = pa.array([[1.0]] * 2)
    table = pa.table({"label": ["a", "b"], "m": column, "other": ones})
    feather.write_feather(table, tmp_path / "a.feather")
    written = table_of(run(tmp_path / "a.feather").path)
    assert written["m"].type.value_type == pa.from_numpy_dtype(dtype)
    assert written["m"].to_pylist() == values


def test_shapes_of_lists_of_lists_are_kept(tmp_path):
    images = np.arange(1, 13, dtype=np.uint8).reshape(2, 2, 3)
    table = pa.table(
        {"label": ["a", "b"], "m": pa.array(images.tolist(), pa.list_(pa.list_(pa.uint8())))}
    )
    feather.write_feather(table, tmp_path / "a.feather")
    (part,) = imported(tmp_path / "a.feather").modalities
    assert (part.shape, part.features.dtype) == ((2, 3), np.uint8)


def test_an_image_of_bytes_without_a_pixel_is_refused_with_its_object(tmp_path):
    """It must not become a black pixel. The image is in the second batch."""
    images = [[[1, 2], [3, 4]]] * 3 + [[[1, 2], [3, None]]]
    column = pa.array(images, pa.list_(pa.list_(pa.uint8())))
    table = pa.table({"id": list("pqrs"), "label": list("abab"), "m": column})
    feather.write_feather(table, tmp_path / "a.feather", chunksize=2)
    words = r"a\.feather:m: NaN, infinite or too large values for float32 in objects s;"
    assert re.search(words, refusal(tmp_path / "a.feather", chunk_bytes=8))


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([2**64 - 1, 2**63, 5], [2**64 - 1, 2**63, 5]),
        ([2**70, -5, 5], [str(2**70), "-5", "5"]),
        ([1.0, 2, 3], [1, 2, 3]),
        ([True, False, True], ["true", "false", "true"]),
        (["1", "01", "1"], ["1", "01", "1"]),
    ],
)
def test_labels_of_json_lines_are_kept_exactly(tmp_path, values, kept):
    records = [{"label": value, "m": [1.0, 2]} for value in values]
    table = pq.read_table(run(write_json_lines(tmp_path, records)).path)
    assert table["label"].to_pylist() == kept


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"label": 1}\n[1]\n', "line 2 is no JSON object"),
        ('[{"label": 1}]\n', "line 1 is no JSON object; .*jq -c"),
        ('{"label": 1\n', "line 1 is no JSON "),
        (
            '{"label": 1, "m": [1]}\n{"label": "a", "m": [1]}\n',
            "'label' is integer in line 1 and text in line 2",
        ),
        (
            '{"label": 1, "m": [1]}\n{"label": 2, "m": [1, 2]}\n',
            r"most lists .* \(rows [01], counted",
        ),
        ('{"label": 1, "m": [1, null]}\n', "m: NaN, infinite or too large values"),
        ('{"label": "", "m": [1]}\n', "none of its 1 objects has a label"),
        ('{"label": null, "m": [1]}\n{"label": "", "m": [1]}\n', "none of its 2 objects has a"),
        ('{"label": "a", "m": ["x"]}\n', r"no column of lists.*columns are label \(string\)"),
        ("\n", "no column of labels"),
    ],
)
def test_json_lines_are_refused(tmp_path, content, words):
    (tmp_path / "a.jsonl").write_text(content)
    assert re.search(words, refusal(tmp_path / "a.jsonl"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"label,m_1,m_2\na,1,2\nb,x,2\n", "no column of lists"),
        (b"label,m_1,m_2\na,1\n", "Expected 3 columns, got 2"),
        (b"0.1,0.2\n1,2\n", "the first line is no header"),
        (b"", "the first line is no header"),
        (b"label,m,m\na,1,2\n", "two columns are called 'm'"),
        (b'label,m\na,"[1, 2]"\nb,"[1 ... 2]"\n', "row 1 .* cut off"),
        (b'label,m\na,"[1, 2]"\nb,word\n', "no column of lists"),
        (b"label,m_1,m_2\ncaf\xe9,1,2\n", "save it as UTF-8"),
        ("label,m_1,m_2\na,1,2\n".encode("utf-16"), "not UTF-8 text but UTF-16"),
        (b"label,m_1,m_2\na,1,2\n", None),
    ],
)
def test_csv_is_refused(tmp_path, content, words):
    (tmp_path / "a.csv").write_bytes(content)
    if words is None:
        assert run(tmp_path / "a.csv").objects == 1
    else:
        assert re.search(words, refusal(tmp_path / "a.csv"))


def test_a_value_that_is_no_number_is_named(tmp_path):
    (tmp_path / "a.csv").write_text("label,m_1,m_2\na,1,2\nb,x,2\n")
    message = refusal(tmp_path / "a.csv", ImportOptions(modalities={"m": "m_*"}))
    assert re.search("a.csv:m_.: column 'm_1': not a column of numbers .*'x'", message)


def test_arrow_that_is_damaged_is_refused(tmp_path):
    source = write_feather(tmp_path, RECORDS)
    source.write_bytes(source.read_bytes()[:-30])
    assert "a.feather: cannot be read as Feather or Arrow IPC" in refusal(source)
