"""A pool of many Parquet files whose columns differ: in types that one type holds, or in what cannot be one pool."""

import json
from decimal import Decimal

import pyarrow as pa
import pytest

from alray.errors import PoolError
from tests.helpers.many_files import refusal, write
from tests.helpers.pools_fixtures import columns, features, read, vectors

TWO = vectors([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("column", "first", "second", "wanted"),
    [
        (
            "label",
            pa.array([1, 300], pa.int16()),
            pa.array([2**40, 2], pa.int64()),
            {"1", "300", "2", str(2**40)},
        ),
        (
            "label",
            pa.array([1, 200], pa.uint8()),
            pa.array([-1, 2], pa.int16()),
            {"1", "200", "-1", "2"},
        ),
        (
            "label",
            pa.array(["x", "y"]).dictionary_encode(),
            pa.array(["z", "x"], pa.large_string()),
            set("xyz"),
        ),
        ("label", pa.array(["x", "y"]), pa.array([None, None]), set("xy")),
        ("label", pa.array([b"x", b"y"]), pa.array([b"z", b"x"], pa.binary(1)), set("xyz")),
        ("label", pa.array([1, 2], pa.float32()), pa.array([3, 1], pa.float64()), set("123")),
    ],
)
def test_types_that_one_type_holds_exactly_are_one(tmp_path, column, first, second, wanted):
    for name, rows, values in (("a", slice(0, 2), first), ("b", slice(2, 4), second)):
        table = pa.table(columns()).slice(rows.start, 2)
        position = table.column_names.index(column)
        write(tmp_path / f"{name}.parquet", table.set_column(position, column, values))
    assert set(read(str(tmp_path)).classes) == wanted


def test_lists_that_one_type_holds_exactly_are_one(tmp_path):
    half = pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2))
    whole = pa.array([[0.1, 0.2], [5.0, 6.0]], pa.list_(pa.float64(), 2))
    free = pa.array([[3.0, 4.0], None], pa.list_(pa.float32()))
    for name, image in {"a": half, "b": whole, "c": free}.items():
        ids = [name, name * 2]
        table = pa.table({"id": ids, "label": ["x", "y"], "image": image, "text": TWO})
        write(tmp_path / f"{name}.parquet", table)
    image = features(read(str(tmp_path)), "image")
    assert image[[0, 2, 3, 4]].tolist() == [
        [1, 2],
        [pytest.approx(0.1), pytest.approx(0.2)],
        [5, 6],
        [3, 4],
    ]


@pytest.mark.parametrize(
    ("column", "other", "words"),
    [
        ("label", [1, 2], r"column 'label' is string in .*a\.parquet, and int64 in .*b\.parquet"),
        ("label", pa.array([1, 2], pa.uint64()), r"is string in .*a\.parquet, and uint64 in"),
        ("label", [Decimal("1.5"), None], r"is string in .*a\.parquet, and decimal"),
        (
            "label",
            None,
            r"column 'label' is in .*a\.parquet, and not in .*b\.parquet; write it alike in all files",
        ),
        (
            "image",
            pa.array([[1], [2]], pa.list_(pa.int64())),
            r"column 'image' is fixed_size_list.* and list",
        ),
        ("image", None, r"column 'image' is in .*a\.parquet, and not in .*b\.parquet"),
    ],
)
def test_files_that_do_not_agree_are_named_with_the_column(tmp_path, column, other, words):
    write(tmp_path / "a.parquet", rows=slice(0, 2))
    table = pa.table(columns(**{column: None})).slice(2, 2)
    if other is not None:
        table = table.append_column(column, pa.array(other))
    write(tmp_path / "b.parquet", table)
    with pytest.raises(PoolError, match=words):
        read(str(tmp_path))


def test_integers_beyond_either_type_are_not_mixed(tmp_path):
    for name, kind in (("a", pa.uint64()), ("b", pa.int64())):
        table = pa.table({"id": [name], "label": pa.array([1], kind), "text": TWO[:1]})
        write(tmp_path / f"{name}.parquet", table)
    assert "is uint64 in" in refusal(tmp_path)


def test_a_column_that_is_not_used_may_differ(tmp_path):
    write(tmp_path / "a.parquet", rows=slice(0, 3), words=list("xxxxxx"))
    write(tmp_path / "b.parquet", rows=slice(3, 6), words=list(range(6)))
    write(tmp_path / "c.parquet", pa.table(columns(id=list("uvwxyz"))))
    assert len(read(str(tmp_path))) == 12


def test_class_names_of_hugging_face_must_be_those_of_all_files(tmp_path):
    for name, names in (("a", ["cat", "dog"]), ("b", ["dog", "cat"])):
        info = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
        table = pa.table({"id": [name], "label": [0], "text": TWO[:1]})
        write(
            tmp_path / f"{name}.parquet",
            table.replace_schema_metadata({"huggingface": json.dumps(info)}),
        )
    assert "names other classes in" in refusal(tmp_path)
