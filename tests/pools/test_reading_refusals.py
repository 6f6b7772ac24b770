"""Pools that cannot be used: each refusal names the file, the column and the objects."""

import re
from datetime import timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alray.errors import PoolError
from tests.helpers.pools_fixtures import IDS, columns, parquet, read, shaped, vectors, write_table

NAN, INFINITY = float("nan"), float("inf")


def refusal(source: str, **settings: object) -> str:
    with pytest.raises(PoolError) as caught:
        read(source, **settings)
    return str(caught.value)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("openclipartt", r"did you mean 'openclipart'\?.* path"),
        ("none.parquet", r"none\.parquet: no such file; .*openclipart, icons"),
        ("none/*.parquet", r"none/\*\.parquet: no file matches this pattern"),
    ],
)
def test_refuses_a_source_that_is_no_file(source, words):
    assert re.search(words, refusal(source))


@pytest.mark.parametrize("shape", ["[2, 2]", "[-1, -2]", "two", "3", "[]"])
def test_refuses_a_shape_that_does_not_fit(tmp_path, shape):
    source = shaped(tmp_path, shape, vectors([[1.0, 2.0]] * 6))
    message = refusal(source)
    assert message.startswith(f"{source}: column 'image'")
    assert f"alray.shape = {shape}" in message


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (
            lambda _: b"id,label\n1,2\n",
            "not a readable Parquet file .*; write it as Parquet, or as what can be imported",
        ),
        (lambda content: content[: len(content) // 2], "not a readable Parquet file"),
        (lambda content: content[:4] + b"\xff" * 196 + content[200:], "damaged"),
    ],
    ids=["CSV", "truncated", "damaged"],
)
def test_refuses_a_broken_file(tmp_path, broken, words):
    source = parquet(tmp_path)
    path = tmp_path / "pool.parquet"
    path.write_bytes(broken(path.read_bytes()))
    with pytest.raises(PoolError, match=rf"pool\.parquet: {words}"):
        read(source)


def test_what_is_not_known_to_be_damaged_is_not_called_so(tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise pa.ArrowNotImplementedError("Unhandled type for Arrow to Parquet schema conversion")

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", refuse)
    message = refusal(parquet(tmp_path))
    assert "damaged" not in message
    assert f"PyArrow {pa.__version__} cannot read something in it (Unhandled type" in message


def test_a_column_that_is_there_twice_is_refused_where_it_is_used(tmp_path):
    twice = [*columns().items(), ("words", pa.array(IDS)), ("words", pa.array(IDS))]
    arrays = [array if isinstance(array, pa.Array) else pa.array(array) for _, array in twice]
    path = tmp_path / "pool.parquet"
    write_table(pa.table(arrays, names=[name for name, _ in twice]), path)
    assert read(str(path)).ids.tolist() == IDS
    message = refusal(str(path), group_by="words")
    assert f"{path}: column 'words' is there 2 times" in message
    assert "--group-by" in message


@pytest.mark.parametrize(
    ("dogs", "advice"), [(3, "lower --min-class-size to 3 or less"), (2, "a class needs 3")]
)
def test_a_class_size_that_is_advised_works(tmp_path, dogs, advice):
    table = pa.table(columns())
    labels = ["cat"] * 6 + ["dog"] * dogs
    twice = pa.concat_tables([table, table]).slice(0, len(labels)).drop_columns(["id"])
    path = tmp_path / "pool.parquet"
    write_table(twice.set_column(0, "label", [labels]), path)
    (line,) = refusal(str(path), min_class_size=9).splitlines()
    assert f"the two largest have 6 and {dogs} objects; " in line
    assert advice in line
    assert read(str(path), min_class_size=dogs).classes == ("cat", "dog")


def test_refuses_a_name_that_is_not_utf8(tmp_path):
    path = tmp_path / "pool.parquet"
    write_table(pa.table(columns(XXXX=IDS)), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"XXXX", b"caf\xe9"))
    assert r"pool.parquet: the name b'caf\xe9' of a column is not UTF-8" in refusal(str(path))


def test_refuses_no_rows(tmp_path):
    empty = pa.table(columns()).slice(0, 0)
    source = parquet(tmp_path, **{name: empty[name] for name in empty.column_names})
    assert "pool.parquet: the file has no rows" in refusal(source)


MISSING = (
    "pool.parquet: no column {}; columns are id, label, image, text; name another one with {}"
)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"id": "number"}, MISSING.format("'number'", "--id")),
        ({"label": "topic"}, MISSING.format("'topic'", "--label")),
        ({"group_by": "words"}, MISSING.format("'words'", "--group-by")),
        ({"modalities": {"image": "pixels"}}, MISSING.format("'pixels'", "--modality")),
        ({"label": "lable"}, "no column 'lable'; did you mean 'label'?"),
        (
            {"modalities": {"image": "label"}},
            "pool.parquet: column 'label' is string, and a modality is a list of numbers, which an encoder makes",
        ),
        ({"id": "image"}, "pool.parquet: column 'image' is fixed_size_list"),
        ({"min_class_size": 99}, "pool.parquet: no class is left"),
        ({"min_class_size": 99}, "lower --min-class-size to 3 or less"),
    ],
    ids=str,
)
def test_refuses_settings_that_do_not_fit_the_file(tmp_path, settings, words):
    assert words in refusal(parquet(tmp_path), **settings)


NOT_UTF8 = r"the bytes b'caf\xe9' in row 1 (counted from 0) of column '{}' are not UTF-8"
LATIN = pa.Array.from_buffers(
    pa.string(), 6, pa.array([b"a", b"caf\xe9", b"c", b"d", b"e", b"f"]).buffers()
)
"""Text that is marked as such and is not: some writers do not look at the encoding."""
UNUSABLE = "column 'image' has NaN, null or infinite values in"
INFINITE = [[1, 2], [INFINITY, 1], None, [1, 2], [2, -INFINITY], [1, 1]]
NULL_INSIDE = [[1, 2], [1, 1], None, [1, 2], [2, None], [1, 1]]
RAGGED = [[1.0, 2.0], [1.0], None, [1.0, 2.0], [2.0, 3.0, 4.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("label", [1.0, 2.5] * 3, "column 'label' is double and holds 2.5 (object b)"),
        (
            "label",
            [1.0, 2.0**64] * 3,
            "holds 1.8446744073709552e+19 (object b), and this type is exact",
        ),
        (
            "label",
            pa.array([1.0, 2.0**25] * 3, pa.float32()),
            "for whole numbers to 16,777,216 only",
        ),
        ("label", [1.0, INFINITY] * 3, "column 'label' is double and holds inf (object b)"),
        ("label", [Decimal("1.5"), Decimal("1.0")] * 3, "holds 1.5 (object a)"),
        ("label", [b"cat", b"caf\xe9"] * 3, NOT_UTF8.format("label")),
        *((name, LATIN, NOT_UTF8.format(name)) for name in ("id", "label")),
        ("label", [["cat"], ["dog"]] * 3, "column 'label' is list<"),
        ("label", [None, ""] * 3, "column 'label' is null or empty in all 6 rows"),
        ("label", [None] * 6, "column 'label' is null or empty in all 6 rows"),
        ("id", [1.0, 2.0, 3.0, 4.0, 5.0, 2.0**60], "and holds 1.152921504606847e+18 in row 5"),
        ("id", [timedelta(hours=hour) for hour in range(6)], "which cannot be read as text"),
        ("label", ["cat"] * 6, "the only class is 'cat'"),
        ("id", ["a", None, "c", "", "e", "f"], "is null or empty in 2 rows (rows 1, 3"),
        ("id", list("abadbf"), "column 'id' holds 2 ids more than once: a, b"),
        ("id", [*IDS[:5], "x" * 1025], "more than 1,024 characters"),
        ("image", vectors([[NAN, 1.0]] * 6), f"{UNUSABLE} 6 objects: a, b, c, d, e and 1 more"),
        ("image", vectors(INFINITE), f"{UNUSABLE} 2 objects: b, e"),
        ("image", vectors(NULL_INSIDE), f"{UNUSABLE} 1 objects: e"),
        ("image", vectors(NULL_INSIDE, pa.uint8()), f"{UNUSABLE} 1 objects: e"),
        ("image", vectors(NULL_INSIDE, pa.float16()), f"{UNUSABLE} 1 objects: e"),
        (
            "image",
            vectors([[1.0, 1e300], *[[1.0, 1.0]] * 5], pa.float64()),
            f"{UNUSABLE} 1 objects: a; numbers beyond 3.4e38 are infinite in float32: scale the column down",
        ),
        (
            "image",
            vectors([[float(number), number * 1e-50] for number in range(6)], pa.float64()),
            "column 'image' has 1 features of at most 5.0e-50, which is too small for float32; multiply",
        ),
        (
            "text",
            vectors([[0.5, 0.25], None, None, *[[3.5, 4.5]] * 3]),
            "1 objects have no modality (all null in image, text): c",
        ),
        ("image", vectors([None] * 6), "column 'image' is absent from every object"),
        ("image", vectors([None] * 6, size=None), "column 'image' is absent from every object"),
        ("image", vectors([[]] * 6, size=None), "column 'image' holds empty lists only"),
        (
            "image",
            vectors(RAGGED, size=None),
            "column 'image' is ragged: most lists have 2 values, 2 objects have between 1 and 3: b, e",
        ),
    ],
)
def test_refuses_a_column(tmp_path, column, values, words):
    source = parquet(tmp_path, **{column: values})
    message = refusal(source)
    assert message.startswith(f"{source}: ")
    assert words in message


@pytest.mark.parametrize("name", ["img.emb", "fused", "2nd", "a b", "größe", ""])
def test_refuses_a_chosen_name_that_no_part_of_a_network_can_have(tmp_path, name):
    message = refusal(parquet(tmp_path), modalities={name: "image"})
    assert message.endswith("give one with --modality NAME=image")
    assert f"'{name}' cannot name a modality" in message


def test_refuses_a_file_without_any_list_column(tmp_path):
    message = refusal(parquet(tmp_path, image=None, text=None))
    assert "no modality" in message
    assert "columns are id, label" in message


def test_reports_all_problems_at_once(tmp_path):
    source = parquet(tmp_path, label=["cat"] * 6, image=vectors([[NAN, 1.0]] * 6))
    assert len(refusal(source).splitlines()) == 2
