import logging

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alray.errors import PoolError
from alray.pools import features as features_module
from alray.pools.builtin import BUILTIN_POOLS
from tests.helpers.pools_fixtures import IDS, columns, features, parquet, read, vectors

NAN = float("nan")


def refusal(source: str, **settings: object) -> str:
    with pytest.raises(PoolError) as caught:
        read(source, **settings)
    return str(caught.value)


def test_reads_every_float_list_column(tmp_path):
    pool = read(parquet(tmp_path, weight=[1.0] * 6))
    assert pool.name == "pool"
    assert pool.ids.tolist() == IDS
    assert pool.classes == ("cat", "dog")
    assert pool.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert [part.name for part in pool.modalities] == ["image", "text"]
    assert pool.groups is None


def test_keeps_present_rows_only(tmp_path):
    image = read(parquet(tmp_path)).modalities[0]
    assert image.features.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]
    assert image.rows.tolist() == [0, 1, -1, 2, 3, 4]
    assert image.shape == (2,)


@pytest.mark.parametrize(
    ("stored", "read_as"),
    [(pa.float16(), np.float16), (pa.float32(), np.float32), (pa.float64(), np.float32)],
)
def test_types_of_features(tmp_path, stored, read_as):
    rows = vectors([[1.0, 2.0]] * 5 + [[0.5, 4.0]], stored)
    part = read(parquet(tmp_path, image=rows)).modalities[0]
    assert part.features.dtype == read_as
    assert part.features[5].tolist() == [0.5, 4.0]


def test_named_modalities_in_the_settings_order(tmp_path):
    source = parquet(tmp_path, **{"img.emb": vectors([[1.0, 1.0]] * 6)})
    pool = read(source, modalities={"icon": "img.emb", "words": "text"})
    assert [part.name for part in pool.modalities] == ["icon", "words"]
    assert features(pool, "icon")[0].tolist() == [1, 1]


def test_lists_of_variable_length_type_with_one_length(tmp_path):
    rows = [[float(number), 2.0, 3.0] for number in range(5)]
    pool = read(parquet(tmp_path, image=vectors([*rows, None], size=None)))
    assert features(pool, "image")[:5].tolist() == rows
    assert pool.modalities[0].rows.tolist() == [0, 1, 2, 3, 4, -1]


@pytest.mark.parametrize("batch_bytes", [8, 80, 1 << 25])
def test_rows_spread_over_row_groups_and_batches(tmp_path, batch_bytes, monkeypatch):
    monkeypatch.setattr(features_module, "BATCH_BYTES", batch_bytes)
    source = parquet(
        tmp_path,
        row_group_size=7,
        id=range(100),
        label=[i % 2 for i in range(100)],
        image=vectors([None if i % 3 else [i, i + 0.5] for i in range(100)]),
        text=vectors([[i, -i] for i in range(100)]),
    )
    pool = read(source)
    assert features(pool, "image")[99].tolist() == [99, 99.5]
    assert np.isnan(features(pool, "image")[98]).all()
    assert features(pool, "text")[:, 0].tolist() == list(range(100))


def test_dropped_and_unusable_objects_are_found_in_every_batch(tmp_path, monkeypatch):
    monkeypatch.setattr(features_module, "BATCH_BYTES", 8 * 7)
    rows = [[float(i), 0.0] for i in range(30)]
    labels = ["x", "y"] * 15
    labels[3] = labels[25] = "rare"
    fixed = {"row_group_size": 11, "id": range(30), "label": labels, "text": None}
    broken = [[NAN, 0.0] if i == 20 else row for i, row in enumerate(rows)]
    source = parquet(tmp_path, image=vectors(broken), **fixed)
    assert "in 1 objects: 20;" in refusal(source, min_class_size=3)
    pool = read(parquet(tmp_path, image=vectors(rows), **fixed), min_class_size=3)
    assert features(pool, "image")[:, 0].tolist() == [i for i in range(30) if i not in {3, 25}]


def shaped(folder, shape, image):
    """Write a pool whose images have this shape in their metadata."""
    field = pa.field("image", image.type, metadata={"alray.shape": shape})
    schema = pa.schema([("id", pa.string()), ("label", pa.string()), field])
    table = pa.table([IDS, list("xyxyxy"), image], schema=schema)
    pq.write_table(table, folder / "pool.parquet")
    return str(folder / "pool.parquet")


def test_image_arrays_have_the_shape_that_the_metadata_says(tmp_path):
    rows = [[i, 1, 2, 3, 4, 255] for i in range(6)]
    part = read(shaped(tmp_path, "[2, 3]", vectors(rows, pa.uint8(), 6))).modalities[0]
    assert part.features.dtype == np.uint8
    assert part.shape == (2, 3)
    assert part.features[5].tolist() == [5, 1, 2, 3, 4, 255]


@pytest.mark.parametrize("shape", ["[2, 2]", "[-1, -2]", "two", "3", "[]"])
def test_refuses_a_shape_that_does_not_fit(tmp_path, shape):
    source = shaped(tmp_path, shape, vectors([[1.0, 2.0]] * 6))
    message = refusal(source)
    assert message.startswith(f"{source}: column 'image'")
    assert f"alray.shape = {shape}" in message


def test_integer_labels_are_sorted_by_value(tmp_path):
    pool = read(parquet(tmp_path, label=[10, 9, 10, 100, 9, 9]))
    assert pool.classes == ("9", "10", "100")
    assert pool.labels.tolist() == [1, 0, 1, 2, 0, 0]


def test_dictionaries_that_differ_between_row_groups_and_large_text(tmp_path):
    halves = [pa.array(list(text)).dictionary_encode() for text in ("bab", "cac")]
    label, ids = pa.chunked_array(halves), pa.array(IDS, pa.large_string())
    pool = read(parquet(tmp_path, row_group_size=3, label=label, id=ids))
    assert [pool.classes[code] for code in pool.labels] == list("babcac")


def test_ids_of_other_types_become_text(tmp_path):
    ids = [3, 1, 4, 15, 9, 2]
    assert read(parquet(tmp_path, id=ids)).ids.tolist() == [str(number) for number in ids]


@pytest.mark.parametrize(
    "words",
    [
        ["x", "", "y", "x", "z", ""],
        ["q", "r", "", "q", None, "s"],
        ["x", None, "y", "x", "", None],
    ],
)
def test_groups_are_numbered_as_they_appear_and_an_object_without_one_is_alone(tmp_path, words):
    pool = read(parquet(tmp_path, words=words), group_by="words")
    assert pool.groups.tolist() == [0, 1, 2, 0, 3, 4]


def test_small_classes_are_dropped_and_reported(tmp_path, caplog):
    caplog.set_level(logging.INFO, "alray")
    labels = ["cat", "dog", "cat", "dog", "emu", "dog"]
    source = parquet(tmp_path, label=labels, words=list("ppqqrr"))
    pool = read(source, min_class_size=2, group_by="words")
    assert pool.classes == ("cat", "dog")
    assert pool.ids.tolist() == ["a", "b", "c", "d", "f"]
    assert pool.groups.tolist() == [0, 0, 1, 1, 2]
    assert features(pool, "image")[4].tolist() == [9, 10]
    assert features(pool, "text")[3].tolist() == [3.5, 4.5]
    (line,) = caplog.messages
    assert "emu" in line
    assert "cat" not in line
    assert "1 of 6 objects" in line


def test_nothing_is_reported_where_nothing_is_dropped(tmp_path, caplog):
    caplog.set_level(logging.INFO, "alray")
    read(parquet(tmp_path), min_class_size=3)
    assert not caplog.messages


# Refusals: each names the file, the column and the objects.


def test_refuses_an_unknown_built_in_name():
    message = refusal("openclipartt")
    assert "did you mean 'openclipart'?" in message
    assert "path" in message


def test_refuses_a_missing_file(tmp_path):
    message = refusal(str(tmp_path / "none.parquet"))
    assert "none.parquet: no such file" in message
    assert "openclipart, icons" in message


def test_refuses_a_folder(tmp_path):
    message = refusal(str(tmp_path))
    assert "a folder, and a pool is one Parquet file" in message
    assert "alray pool import" in message


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (lambda _: b"id,label\n1,2\n", "not a readable Parquet file .*`alray pool import`"),
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
        ({"modalities": {"image": "label"}}, "pool.parquet: column 'label' is string"),
        ({"id": "image"}, "pool.parquet: column 'image' is fixed_size_list"),
        ({"min_class_size": 99}, "pool.parquet: no class is left"),
    ],
    ids=str,
)
def test_refuses_settings_that_do_not_fit_the_file(tmp_path, settings, words):
    assert words in refusal(parquet(tmp_path), **settings)


UNUSABLE = "column 'image' has NaN, null or infinite values in"
NULL_INSIDE = [[1, 2], [1, 1], None, [1, 2], [2, None], [1, 1]]
RAGGED = [[1.0, 2.0], [1.0], None, [1.0, 2.0], [2.0, 3.0, 4.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("label", [1.0, 2.0] * 3, "column 'label' is double"),
        ("label", ["a", "b", None, "", "a", "b"], "is null or empty for 2 objects: c, d"),
        ("label", [1, 2, None, 1, 2, 1], "column 'label' is null or empty for 1 objects: c"),
        ("label", ["cat"] * 6, "the only class is 'cat'"),
        ("id", ["a", None, "c", "", "e", "f"], "is null or empty in 2 rows (rows 1, 3"),
        ("id", list("abadbf"), "column 'id' holds 2 ids more than once: a, b"),
        ("id", [*IDS[:5], "x" * 1025], "more than 1,024 characters"),
        ("image", vectors([[NAN, 1.0]] * 6), f"{UNUSABLE} 6 objects: a, b, c, d, e and 1 more"),
        ("image", vectors(NULL_INSIDE), f"{UNUSABLE} 1 objects: e"),
        ("image", vectors(NULL_INSIDE, pa.uint8()), f"{UNUSABLE} 1 objects: e"),
        ("image", vectors(NULL_INSIDE, pa.float16()), f"{UNUSABLE} 1 objects: e"),
        (
            "image",
            vectors([[1.0, 1e300], *[[1.0, 1.0]] * 5], pa.float64()),
            f"{UNUSABLE} 1 objects: a",
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
        *(
            (name, vectors([[1.0, 2.0]] * 6), f"'{name}' cannot name a modality")
            for name in ("img.emb", "fused", "2nd", "a b")
        ),
    ],
)
def test_refuses_a_column(tmp_path, column, values, words):
    source = parquet(tmp_path, **{column: values})
    message = refusal(source)
    assert message.startswith(f"{source}: ")
    assert words in message


@pytest.mark.parametrize("bad", [NAN, float("inf"), float("-inf")])
def test_refuses_values_that_are_no_numbers(tmp_path, bad):
    rows = [[1.0, 2.0], [bad, 1.0], None, [1.0, 2.0], [2.0, bad], [1.0, 1.0]]
    assert f"{UNUSABLE} 2 objects: b, e" in refusal(parquet(tmp_path, image=vectors(rows)))


def test_refuses_a_file_without_any_list_column(tmp_path):
    message = refusal(parquet(tmp_path, image=None, text=None))
    assert "no modality" in message
    assert "columns are id, label" in message


def test_reports_all_problems_at_once(tmp_path):
    source = parquet(tmp_path, label=["cat"] * 6, image=vectors([[NAN, 1.0]] * 6))
    assert len(refusal(source).splitlines()) == 2


# The fingerprint.


def fingerprint(tmp_path, settings: dict[str, object] | None = None, **changed: object) -> str:
    return str(read(parquet(tmp_path, **changed), **(settings or {})).fingerprint)


def test_fingerprint_is_that_of_the_data_not_of_the_file(tmp_path):
    (tmp_path / "other").mkdir()
    plain = fingerprint(tmp_path)
    assert plain == fingerprint(tmp_path / "other", words=list("abcdef"))
    assert len(plain) == 64


def test_fingerprint_changes_with_each_part(tmp_path):
    image = vectors([[1.0, 2.0], [3.0, 4.0], None, [5.0, 6.0], [7.0, 8.0], [9.0, 10.5]])
    moved = vectors([None, [1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], [9.0, 10.0]])
    prints = [
        fingerprint(tmp_path),
        fingerprint(tmp_path, id=list("abcdeg")),
        fingerprint(tmp_path, label=["cat", "dog", "cat", "dog", "dog", "cat"]),
        fingerprint(tmp_path, label=["cat", "eel"] * 3),
        fingerprint(tmp_path, image=image),
        fingerprint(tmp_path, image=moved),
        fingerprint(tmp_path, {"modalities": {"picture": "image", "text": "text"}}),
        fingerprint(tmp_path, {"modalities": {"text": "text", "image": "image"}}),
        fingerprint(tmp_path, {"group_by": "words"}, words=list("xxyyzz")),
        fingerprint(tmp_path, {"group_by": "words"}, words=list("xxyyyz")),
    ]
    assert len(set(prints)) == len(prints)


# What is shipped.


@pytest.mark.parametrize(
    ("name", "objects", "classes", "absent", "fingerprint"),
    [
        (
            "openclipart",
            5726,
            45,
            (102, 2630),
            "dd29288092b522f7fdfbf9c4486d9eed08c71cbbce448c32f462d79728c55be2",
        ),
        (
            "icons",
            49775,
            50,
            (15, 99),
            "e0cad9bf210e872fda11cd0724e781d0055bebb40e1de1aa2ed32c1f45769a69",
        ),
    ],
)
def test_built_in_pools(name, objects, classes, absent, fingerprint):
    """Ids of runs hash the fingerprint, which holds the codes of copies: it must never change."""
    pool = read(name)
    assert pool.fingerprint == fingerprint
    assert (pool.name, len(pool), len(pool.classes)) == (name, objects, classes)
    assert tuple(int((~part.present).sum()) for part in pool.modalities) == absent
    assert all(part.dimension == 128 for part in pool.modalities)


def test_the_attributions_are_shipped():
    folder = BUILTIN_POOLS["icons"].path.parent
    lines = (folder / "icons-sources.tsv").read_text().splitlines()
    assert len(lines) == 74
    notice = (folder / "NOTICE.md").read_text()
    assert all(
        word in notice for word in ("openclipart", "CC-BY-4.0", "icons-sources.tsv", "trade mark")
    )
