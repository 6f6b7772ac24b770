"""Columns that hold numbers in other forms than lists of floats."""

import decimal
import logging

import numpy as np
import pyarrow as pa
import pytest

from alray.errors import PoolError
from alray.pools.columns import features as features_module
from alray.pools.files.fixed_size_lists import null_rows_work
from tests.helpers.pools_fixtures import parquet, read, vectors

ROWS = [[1.0, 2.0], [3.0, 4.0], None, [5.0, 6.0], [0.0, 8.0], [9.0, 10.0]]
PRESENT = [row for row in ROWS if row]


def each(function):
    return [None if row is None else function(row) for row in ROWS]


def tensors(rows, shape, kind):
    flat = pa.array(rows, pa.list_(kind, int(np.prod(shape))))
    return pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(kind, shape), flat)


SPARK = pa.struct(
    [
        ("type", pa.int8()),
        ("size", pa.int32()),
        ("indices", pa.list_(pa.int32())),
        ("values", pa.list_(pa.float64())),
    ]
)


def dense(row):
    return {"type": 1, "values": row}


def sparse(size, indices, values):
    return {"type": 0, "size": size, "indices": indices, "values": values}


def record_lists(name):
    return pa.list_(pa.struct([(name, pa.float64())]))


BIG_QUERY = pa.struct([("list", record_lists("element"))])
FORMS = {
    "tensors": tensors(ROWS, (2,), pa.float32()),
    "a row of numbers": pa.array(each(lambda row: [row]), pa.list_(pa.list_(pa.float32()))),
    "a column of numbers": pa.array(
        each(lambda row: [[x] for x in row]), pa.list_(pa.list_(pa.float64()))
    ),
    "fixed lists of a fixed list": pa.array(
        each(lambda row: [row]), pa.list_(pa.list_(pa.float32(), 2), 1)
    ),
    "DuckDB": pa.array(each(lambda row: [{"value": x} for x in row]), record_lists("value")),
    "BigQuery": pa.array(
        each(lambda row: {"list": [{"element": x} for x in row]}),
        BIG_QUERY,
    ),
    "Spark": pa.array(each(dense), SPARK),
    "sparse Spark": pa.array(
        [
            *(sparse(2, [0, 1], row) for row in ROWS[:2]),
            None,
            dense(ROWS[3]),
            sparse(2, [1], [8.0]),
            dense(ROWS[5]),
        ],
        SPARK,
    ),
}


WRITES_NULL_TENSORS = pytest.mark.skipif(
    not null_rows_work(), reason="older versions of PyArrow write no null rows of tensors"
)
CASES = [
    pytest.param(values, id=name, marks=[WRITES_NULL_TENSORS] if name == "tensors" else [])
    for name, values in FORMS.items()
]


@pytest.mark.parametrize("values", CASES)
@pytest.mark.parametrize("batch_bytes", [8, 1 << 25])
def test_vectors_in_other_forms(tmp_path, values, batch_bytes, monkeypatch):
    """They are modalities without being named where no column is a plain list of floats."""
    monkeypatch.setattr(features_module, "BATCH_BYTES", batch_bytes)
    words = tensors([[1.0, 1.5]] * 6, (2,), pa.float32())
    pool = read(parquet(tmp_path, image=values, text=words, row_group_size=4))
    assert [part.name for part in pool.modalities] == ["image", "text"]
    image = pool.modalities[0]
    assert (image.shape, image.features.dtype) == ((2,), np.float32)
    assert image.features.tolist() == PRESENT
    assert image.rows.tolist() == [0, 1, -1, 2, 3, 4]


@pytest.mark.parametrize("values", CASES)
def test_where_plain_lists_are_there_other_forms_must_be_named(tmp_path, values, caplog):
    """Pools that hold both keep their modalities."""
    caplog.set_level(logging.INFO, "alray")
    source = parquet(tmp_path, image=values, text=vectors([[1.0, 2.0]] * 6))
    chosen = read(source, modalities={"text": "text", "x": "image"})
    assert [part.name for part in chosen.modalities] == ["text", "x"]
    assert not caplog.messages
    assert [part.name for part in read(source).modalities] == ["text"]
    assert "column 'image' holds numbers in another form" in caplog.messages[0]


GRID = [[[float(k), 1.0, 2.0], [3.0, 4.0, 5.0]] for k in range(6)]
NESTED = pa.list_(pa.list_(pa.float32()))


@pytest.mark.parametrize(
    "values",
    [
        pa.array(GRID, NESTED),
        pa.array(GRID, pa.large_list(pa.list_(pa.float32(), 3))),
        tensors([sum(grid, []) for grid in GRID], (2, 3), pa.float32()),  # noqa: RUF017 -- two short lists
    ],
    ids=["lists", "fixed and large lists", "tensors"],
)
def test_the_shape_of_lists_in_lists_is_kept(tmp_path, values):
    (part,) = read(parquet(tmp_path, image=values, text=None)).modalities
    assert part.shape == (2, 3)
    assert part.features[4].tolist() == [4, 1, 2, 3, 4, 5]


def test_bytes_in_the_lists_of_hugging_face_stay_bytes(tmp_path):
    """Without the package `datasets` an Array3D is a list of lists of lists, and its field says what it was."""
    kind = pa.list_(pa.list_(pa.list_(pa.uint8())))
    name = {"ARROW:extension:name": "datasets.features.features.Array3DExtensionType"}
    values = pa.array([[[[k, 1], [2, 3]]] * 3 for k in range(6)], kind)
    source = parquet(tmp_path, image=values, text=None, fields={"image": name})
    (part,) = read(source).modalities
    assert (part.shape, part.features.dtype) == ((3, 2, 2), np.uint8)
    assert part.features[5].tolist() == [5, 1, 2, 3] * 3


@pytest.mark.parametrize("size", [2, None], ids=["fixed", "variable"])
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        (pa.int8(), np.float32),
        (pa.uint8(), np.uint8),
        (pa.int64(), np.float32),
        (pa.decimal128(9, 2), np.float32),
        (pa.float16(), np.float16),
    ],
    ids=str,
)
def test_lists_of_other_numbers_are_modalities_where_they_are_named(tmp_path, kind, dtype, size):
    cells = {pa.decimal128(9, 2): decimal.Decimal, pa.float16(): np.float16}
    cell = cells.get(kind, int)
    values = vectors(each(lambda row: [cell(int(x)) for x in row]), kind, size)
    pool = read(parquet(tmp_path, image=values), modalities={"image": "image", "text": "text"})
    image = pool.modalities[0]
    assert image.features.dtype == dtype
    assert image.features.tolist() == PRESENT


UNUSABLE = "column 'image' has NaN, null or infinite values in 1 objects: b; make the whole"
LISTS = pa.list_(pa.float32())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (vectors([[1, 2], [None, 2], *[[1, 2]] * 4], pa.int64()), UNUSABLE),
        (
            pa.array([[[1.0, 2.0]], [[1.0, None]], *[[[1.0, 2.0]]] * 4], NESTED),
            UNUSABLE,
        ),
        (
            pa.array(
                [[{"value": 1.0}], [{"value": None}], *[[{"value": 1.0}]] * 4],
                record_lists("value"),
            ),
            UNUSABLE,
        ),
        (
            pa.array([[{"value": 1.0}], [None], *[[{"value": 1.0}]] * 4], record_lists("value")),
            UNUSABLE,
        ),
        (
            pa.array([dense([1.0, 2.0]), sparse(2, [7], [1.0]), *[dense([1.0, 2.0])] * 4], SPARK),
            UNUSABLE,
        ),
        (
            pa.array(
                [dense([1.0, 2.0]), sparse(2, [1], [1.0, 2.0]), *[dense([1.0, 2.0])] * 4], SPARK
            ),
            UNUSABLE,
        ),
        (
            pa.array([dense([1.0, 2.0]), sparse(3, [1], [1.0]), *[dense([1.0, 2.0])] * 4], SPARK),
            "is ragged: most lists have 2 values, 1 objects have 3: b; mend",
        ),
        (
            pa.array([[[1.0, 2.0]], [[1.0], [2.0]], *[[[1.0, 2.0]]] * 4], NESTED),
            "most lists have the shape 1 x 2, 1 objects have 2 x 1: b;",
        ),
        (
            pa.array([[[1.0], [2.0]], [[1.0, 2.0], []], *[[[1.0], [2.0]]] * 4], NESTED),
            "most lists have the shape 2 x 1, 1 objects have 2 x unequal: b;",
        ),
        (
            pa.array([[[1.0], [2.0]], [[1.0], None], *[[[1.0], [2.0]]] * 4], NESTED),
            "most lists have the shape 2 x 1, 1 objects have 2 x unequal: b;",
        ),
        (
            pa.array([[[1.0, 2.0]] * 3, *[[[1.0, 2.0]] * n for n in (1, 4, 3, 3, 3)]], NESTED),
            "shape 3 x 2, 2 objects have 1 x 2 or 4 x 2: b, c; make one vector of all vectors of an",
        ),
        (
            pa.array([[[1.0], [2.0, 3.0]]] * 6, NESTED),
            "has lists of different sizes within all 6 objects; make one vector",
        ),
        (
            pa.array([[], [2.0, 1.0], *[[]] * 4], LISTS),
            "most lists have 2 values, 5 objects have 0: a, c, d, e, f; make an empty list null if",
        ),
        (pa.array([[1.0], [2.0, 1.0], *[[1.0]] * 4], LISTS), "1 objects have 2: b; mend"),
    ],
    ids=[
        "null in integers",
        "null in a list",
        "null in a record",
        "null record",
        "index beyond the size",
        "more values than indices",
        "sizes of Spark",
        "turned",
        "unequal",
        "null list",
        "vectors of words",
        "all unequal",
        "empty lists",
        "longer",
    ],
)
def test_refuses_values_and_sizes_with_their_objects(tmp_path, values, words):
    source = parquet(tmp_path, image=values)
    with pytest.raises(PoolError, match=r"pool\.parquet: column 'image' ") as caught:
        read(source, modalities={"image": "image", "text": "text"})
    assert words in str(caught.value)


def test_children_of_records_are_named_by_a_dotted_path(tmp_path):
    """A record that is null has no children; a name may hold a dot itself."""
    kind = pa.struct([("a", pa.struct([("v.1", LISTS), ("size", pa.int8())]))])
    values = pa.array(each(lambda row: {"a": {"v.1": row, "size": 2}}), kind)
    words = vectors([[1.0, 2.0]] * 6)
    source = parquet(tmp_path, both=values, image=None, text=words)
    image = read(source, modalities={"image": "both.a.v.1", "text": "text"}).modalities[0]
    assert image.features.tolist() == PRESENT
    assert image.rows.tolist() == [0, 1, -1, 2, 3, 4]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (
            "both.b",
            "no column 'both.b'; did you mean 'both.a'? lists of numbers in 'both' are both.a;",
        ),
        (
            "both",
            ", a record; name one of its lists of numbers with --modality NAME=COLUMN: both.a",
        ),
        ("both.a.x", "no column 'both.a.x'"),
        ("both.c", "column 'both.c' is int8, one number per object"),
        ("other.a", "columns are id, label, image, text, both"),
    ],
)
def test_refuses_paths_that_lead_to_no_list(tmp_path, path, words):
    kind = pa.struct([("a", LISTS), ("c", pa.int8())])
    source = parquet(tmp_path, both=pa.array([{"a": [1.0], "c": 1}] * 6, kind))
    with pytest.raises(PoolError) as caught:
        read(source, modalities={"image": path})
    assert words in str(caught.value)
