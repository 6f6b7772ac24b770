"""Ids, labels and groups of the types that files have, as they are meant."""

import json
import logging
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from alray.errors import PoolError
from alray.pools.files import fixed_size_lists
from tests.helpers.pools_fixtures import (
    IDS,
    columns,
    features,
    parquet,
    read,
    vectors,
    write_table,
)

WORDS = ["cat", "dog", "cat", "dog", "cat", "dog"]
HALF = [True, False] * 3
UUIDS = [uuid.UUID(int=number << 64 | number) for number in range(6)]
WRITES_VIEWS = pytest.mark.skipif(
    int(pa.__version__.split(".")[0]) < 24, reason="older versions of PyArrow write no string_view"
)


def words_of(pool):
    return [pool.classes[code] for code in pool.labels]


def dictionary(values, kind):
    return pa.array(values, kind).dictionary_encode()


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        ([2.0, 10.0] * 3, ["2", "10"] * 3),
        (np.asarray([2.0, -0.0, 0.0] * 2, np.float16), ["2", "0", "0"] * 2),
        ([2.0**53, 2.0**53 - 1] * 3, ["9007199254740992", "9007199254740991"] * 3),
        (
            pa.array([2**64 - 1, 2**63, 2**63 + 1] * 2, pa.uint64()),
            ["18446744073709551615", "9223372036854775808", "9223372036854775809"] * 2,
        ),
        ([2**63 - 1, -(2**63)] * 3, ["9223372036854775807", "-9223372036854775808"] * 3),
        ([Decimal("2.00"), Decimal("10.00")] * 3, ["2", "10"] * 3),
        ([b"cat", "Straße".encode()] * 3, ["cat", "Straße"] * 3),
        (pa.array([b"cat", b"dog"] * 3, pa.binary(3)), WORDS),
        (pa.array(WORDS, pa.large_string()), WORDS),
        pytest.param(pa.array(WORDS, pa.string_view()), WORDS, marks=WRITES_VIEWS),
        (dictionary(WORDS, pa.large_string()), WORDS),
        (dictionary([7, 6] * 3, pa.int64()), ["7", "6"] * 3),
        (HALF, ["True", "False"] * 3),
        (["\ufeffcat", "dog", "cat", "dog", "cat", "\ufeffdog"], WORDS),
    ],
)
def test_labels_are_exact(tmp_path, labels, wanted):
    assert words_of(read(parquet(tmp_path, label=labels))) == wanted


def test_numbers_are_sorted_by_value_and_text_by_its_characters(tmp_path):
    assert read(parquet(tmp_path, label=[10.0, 9.0] * 3)).classes == ("9", "10")
    assert read(parquet(tmp_path, label=["10", "9"] * 3)).classes == ("10", "9")


@pytest.mark.parametrize(
    "labels",
    [
        ["cat", "dog", None, "", "cat", "dog"],
        [1, 2, None, None, 1, 2],
        [1.0, 2.0, float("nan"), None, 1.0, 2.0],
        [b"cat", b"dog", b"", None, b"cat", b"dog"],
        dictionary(["cat", "dog", None, "", "cat", "dog"], pa.string()),
        ["cat", "dog", "\ufeff", None, "cat", "dog"],
    ],
)
def test_objects_without_a_label_are_left_out_and_counted(tmp_path, caplog, labels):
    caplog.set_level(logging.INFO, "alray")
    text = vectors([[float(row), 0.0] for row in range(6)])
    pool = read(parquet(tmp_path, label=labels, text=text, words=list("xyxyxy")), group_by="words")
    assert pool.ids.tolist() == ["a", "b", "e", "f"]
    assert pool.labels.tolist() == [0, 1, 0, 1]
    assert pool.groups.tolist() == [0, 1, 0, 1]
    assert features(pool, "text")[:, 0].tolist() == [0, 1, 4, 5]
    (line,) = caplog.messages
    assert "left out 2 of 6 objects without a label" in line
    assert line.endswith(": c, d")


def test_what_has_no_label_is_no_small_class(tmp_path, caplog):
    caplog.set_level(logging.INFO, "alray")
    pool = read(parquet(tmp_path, label=["b", "a", "a", None, "b", "c"]), min_class_size=2)
    assert words_of(pool) == ["b", "a", "a", "b"]
    assert "1 of 6 objects without a label" in caplog.messages[0]
    assert "dropped 1 classes with fewer than 2 objects (1 of 5 objects): c" in caplog.messages[1]


def test_rows_are_numbered_where_no_column_has_the_usual_name_of_ids(tmp_path, caplog):
    caplog.set_level(logging.INFO, "alray")
    source = parquet(tmp_path, row_group_size=4, id=None, name=IDS)
    assert read(source).ids.tolist() == ["0", "1", "2", "3", "4", "5"]
    assert "no column 'id', so ids are the numbers of the rows, from 0" in caplog.messages[0]
    assert read(source, id="name").ids.tolist() == IDS
    with pytest.raises(PoolError, match="no column 'nmae'; did you mean 'name'"):
        read(source, id="nmae")


@pytest.mark.parametrize("name", ["id", "label"])
def test_a_name_with_a_byte_order_mark_is_that_of_the_column(tmp_path, name):
    changed = {"\ufeff" + name: columns()[name], name: None}
    assert read(parquet(tmp_path, **changed)).fingerprint == read(parquet(tmp_path)).fingerprint


MOMENTS = [datetime(2024, 1, 1 + day, tzinfo=UTC) for day in range(6)]


@pytest.mark.parametrize(
    ("ids", "third"),
    [
        (pa.array([number.bytes for number in UUIDS], pa.binary(16)), str(UUIDS[2])),
        ([number.bytes for number in UUIDS], str(UUIDS[2])),
        (
            pa.array([b"0123456789abcde%d" % row for row in range(6)], pa.binary(16)),
            "0123456789abcde2",
        ),
        ([f"é{row}".encode() for row in range(6)], "é2"),
        (pa.array(range(2**64 - 6, 2**64), pa.uint64()), "18446744073709551612"),
        (pa.array(MOMENTS, pa.timestamp("ms", "UTC")), "2024-01-03 00:00:00.000Z"),
        ([date(2024, 1, 1 + day) for day in range(6)], "2024-01-03"),
        ([Decimal(f"{row}.10") for row in range(6)], "2.10"),
        ([0.5, 1.0, 2.0, 3.0, 4.0, 5.0], "2"),
        pytest.param(pa.array(IDS, pa.string_view()), "c", marks=WRITES_VIEWS),
        (dictionary(IDS, pa.string()), "c"),
        (["\ufeffa", *IDS[1:]], "c"),
    ],
)
def test_ids_of_many_types_become_text(tmp_path, ids, third):
    pool = read(parquet(tmp_path, id=ids))
    assert pool.ids[2] == third
    assert len(set(pool.ids.tolist())) == 6
    assert not any("\ufeff" in text for text in pool.ids)


@pytest.mark.skipif(not hasattr(pa, "uuid"), reason="this PyArrow has no type for UUIDs")
def test_ids_of_arrows_own_type_of_uuids(tmp_path):
    storage = pa.array([number.bytes for number in UUIDS], pa.binary(16))
    ids = pa.ExtensionArray.from_storage(pa.uuid(), storage)
    assert read(parquet(tmp_path, id=ids)).ids.tolist() == [str(number) for number in UUIDS]


def test_one_long_id_does_not_make_all_of_them_as_large(tmp_path):
    ids = [*IDS[:5], "x" * 1000]
    pool = read(parquet(tmp_path, id=ids))
    assert pool.ids.itemsize == 8
    assert pool.ids.tolist() == ids


def hugging_face(folder, labels, names):
    """Write a pool as Hugging Face's `datasets` does: integers, and their names in the schema's metadata."""
    features = {
        "label": {"names": names, "_type": "ClassLabel"},
        "id": {"dtype": "string", "_type": "Value"},
    }
    table = pa.table(columns(label=labels))
    described = {"huggingface": json.dumps({"info": {"features": features}})}
    write_table(table.replace_schema_metadata(described), folder / "pool.parquet")
    return str(folder / "pool.parquet")


def test_class_labels_of_hugging_face_have_their_names(tmp_path, caplog):
    caplog.set_level(logging.INFO, "alray")
    pool = read(hugging_face(tmp_path, [1, 0, 1, -1, 1, 0], ["dog", "cat", "emu"]))
    assert words_of(pool) == ["cat", "dog", "cat", "cat", "dog"]
    assert pool.classes == ("cat", "dog")
    assert "1 of 6 objects without a label" in caplog.messages[0]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["dog"], r"holds 1 \(object a\), and the file's metadata names 1 classes"),
        (["cat", "cat"], "names a class twice"),
    ],
)
def test_class_labels_that_do_not_fit_their_names_are_refused(tmp_path, names, words):
    with pytest.raises(PoolError, match=words):
        read(hugging_face(tmp_path, [1, 0] * 3, names))


@pytest.mark.parametrize("name", ["image", "a.b"])
def test_a_name_with_a_dot_is_not_taken_for_a_part_of_another_column(tmp_path, name):
    """Parquet's own paths of columns, `a.b` for b within a, cannot tell the two apart."""
    inside = pa.array([{"b": "no"}] * 6)
    source = parquet(
        tmp_path, label=None, a=inside, **{name: pa.array(WORDS)}, words=vectors([[1.0, 2.0]] * 6)
    )
    assert words_of(read(source, label=name, modalities={"words": "words"})) == WORDS


@pytest.mark.parametrize("source", ["own", "openclipart"])
def test_lists_of_fixed_size_are_read_by_every_pyarrow(tmp_path, monkeypatch, source):
    """PyArrow below 26 fails at null rows in them, and reads them as lists of variable length."""
    rows = vectors([[1.0, 2.0], None, [3.0, 4.0], None, None, [5.0, 6.0]])
    if source == "own":
        source = parquet(tmp_path, image=rows, text=vectors([[1.0]] * 6, size=1), row_group_size=4)
    wanted = read(source)
    monkeypatch.setattr(fixed_size_lists, "_NULL_ROWS_SINCE", (10_000,))
    found = read(source)
    assert found.fingerprint == wanted.fingerprint
    assert [part.features.dtype for part in found.modalities] == [
        part.features.dtype for part in wanted.modalities
    ]
