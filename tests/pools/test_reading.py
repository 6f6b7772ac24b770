import logging

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alray.errors import PoolError
from alray.pools.builtin import BUILTIN_POOLS
from alray.pools.reading import read_pool
from alray.settings.common import PoolSpec
from tests.helpers.pools_fixtures import IDS, features, parquet, read, vectors


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
    source = parquet(tmp_path, extra=vectors([[1.0, 1.0]] * 6))
    pool = read(source, modalities={"words": "text", "picture": "image"})
    assert [part.name for part in pool.modalities] == ["words", "picture"]
    assert features(pool, "picture")[0].tolist() == [1, 2]


def test_lists_of_variable_length_type_with_one_length(tmp_path):
    rows = [
        [1.0, 2.0, 3.0],
        [0.0, 0.0, 0.0],
        [4.0, 5.0, 6.0],
        [7.0, 8.0, 9.0],
        [1.0, 1.0, 1.0],
        None,
    ]
    pool = read(parquet(tmp_path, image=vectors(rows, size=None)))
    assert features(pool, "image")[2].tolist() == [4, 5, 6]
    assert pool.modalities[0].rows.tolist() == [0, 1, 2, 3, 4, -1]


@pytest.mark.parametrize("batch_bytes", [8, 80, 1 << 25])
def test_rows_spread_over_row_groups_and_batches(tmp_path, batch_bytes, monkeypatch):
    monkeypatch.setattr("alray.pools.features.BATCH_BYTES", batch_bytes)
    table = pa.table(
        {
            "id": range(100),
            "label": [i % 2 for i in range(100)],
            "image": vectors([None if i % 3 else [i, i + 0.5] for i in range(100)]),
            "text": vectors([[i, -i] for i in range(100)]),
        }
    )
    pq.write_table(table, tmp_path / "many.parquet", row_group_size=7)
    pool = read(str(tmp_path / "many.parquet"))
    assert features(pool, "image")[99].tolist() == [99, 99.5]
    assert np.isnan(features(pool, "image")[98]).all()
    assert features(pool, "text")[:, 0].tolist() == list(range(100))


def test_dropped_and_unusable_objects_are_found_in_every_batch(tmp_path, monkeypatch):
    monkeypatch.setattr("alray.pools.features.BATCH_BYTES", 8 * 7)
    rows = [[float(i), 0.0] for i in range(30)]
    rows[20] = [float("nan"), 0.0]
    labels = ["x", "y"] * 15
    labels[3] = labels[25] = "rare"
    table = pa.table({"id": range(30), "label": labels, "image": vectors(rows)})
    pq.write_table(table, tmp_path / "p.parquet", row_group_size=11)
    source = str(tmp_path / "p.parquet")
    assert "in 1 objects: 20;" in refusal(source, min_class_size=3)
    rows[20] = [20.0, 0.0]
    pq.write_table(table.set_column(2, "image", vectors(rows)), source, row_group_size=11)
    pool = read(source, min_class_size=3)
    assert features(pool, "image")[:, 0].tolist() == [i for i in range(30) if i not in {3, 25}]


def test_image_arrays_have_the_shape_that_the_metadata_says(tmp_path):
    kind = pa.list_(pa.uint8(), 6)
    field = pa.field("image", kind, metadata={"alray.shape": "[2, 3]"})
    schema = pa.schema([("id", pa.string()), ("label", pa.string()), field])
    rows = [[i, 1, 2, 3, 4, 255] for i in range(6)]
    table = pa.table([IDS, list("xyxyxy"), pa.array(rows, kind)], schema=schema)
    pq.write_table(table, tmp_path / "pool.parquet")
    part = read(str(tmp_path / "pool.parquet")).modalities[0]
    assert part.features.dtype == np.uint8
    assert part.shape == (2, 3)
    assert part.features[5].tolist() == [5, 1, 2, 3, 4, 255]


@pytest.mark.parametrize("text", ["[2, 2]", "[-1, -2]", "two", "3", "[]"])
def test_refuses_a_shape_that_does_not_fit(tmp_path, text):
    field = pa.field("image", pa.list_(pa.float32(), 2), metadata={"alray.shape": text})
    schema = pa.schema([("id", pa.string()), ("label", pa.string()), field])
    table = pa.table([IDS, list("xyxyxy"), vectors([[1.0, 2.0]] * 6)], schema=schema)
    pq.write_table(table, tmp_path / "pool.parquet")
    message = refusal(str(tmp_path / "pool.parquet"))
    assert "pool.parquet" in message
    assert "'image'" in message
    assert f"alray.shape = {text}" in message


def test_integer_labels_are_sorted_by_value(tmp_path):
    pool = read(parquet(tmp_path, label=[10, 9, 10, 100, 9, 9]))
    assert pool.classes == ("9", "10", "100")
    assert pool.labels.tolist() == [1, 0, 1, 2, 0, 0]


def test_dictionary_and_large_text_labels(tmp_path):
    encoded = pa.array(["b", "a", "b", "a", "b", "a"]).dictionary_encode()
    ids = pa.array(IDS, pa.large_string())
    assert read(parquet(tmp_path, label=encoded, id=ids)).classes == ("a", "b")


def test_dictionaries_that_differ_between_row_groups(tmp_path):
    first = pa.array(["b", "a", "b"]).dictionary_encode()
    second = pa.array(["c", "a", "c"]).dictionary_encode()
    label = pa.chunked_array([first, second])
    source = tmp_path / "p.parquet"
    table = pa.table({"id": IDS, "label": label, "image": vectors([[1.0, 2.0]] * 6)})
    with pq.ParquetWriter(source, table.schema) as writer:
        for batch in table.to_batches():
            writer.write_batch(batch)
    pool = read(str(source))
    assert [pool.classes[code] for code in pool.labels] == ["b", "a", "b", "c", "a", "c"]


def test_ids_of_other_types_become_text(tmp_path):
    assert read(parquet(tmp_path, id=[3, 1, 4, 15, 9, 2])).ids.tolist() == [
        "3",
        "1",
        "4",
        "15",
        "9",
        "2",
    ]


def test_an_object_without_a_group_is_its_own_group(tmp_path):
    pool = read(parquet(tmp_path, words=["x", None, "y", "x", "", None]), group_by="words")
    codes = pool.groups.tolist()
    assert codes[0] == codes[3]
    assert len(set(codes)) == 5


def test_equal_partitions_have_equal_codes(tmp_path):
    first = read(parquet(tmp_path, words=["x", "", "y", "x", "z", ""]), group_by="words")
    second = read(parquet(tmp_path, words=["q", "r", "", "q", None, "s"]), group_by="words")
    assert first.groups.tolist() == second.groups.tolist() == [0, 1, 2, 0, 3, 4]


def test_small_classes_are_dropped_and_reported(tmp_path, caplog):
    source = parquet(
        tmp_path, label=["cat", "dog", "cat", "dog", "emu", "dog"], words=list("ppqqrr")
    )
    caplog.set_level(logging.INFO, "alray")
    spec = PoolSpec(source=source, min_class_size=2, group_by="words")
    pool = read_pool(spec)
    assert pool.classes == ("cat", "dog")
    assert pool.ids.tolist() == ["a", "b", "c", "d", "f"]
    assert pool.groups is not None
    assert pool.groups.tolist() == [0, 0, 1, 1, 2]
    assert features(pool, "image")[4].tolist() == [9, 10]
    assert features(pool, "text")[3].tolist() == [3.5, 4.5]
    (line,) = caplog.messages
    assert "emu" in line
    assert "cat" not in line
    assert "1 of 6 objects" in line


def test_nothing_is_reported_where_nothing_is_dropped(tmp_path, caplog):
    caplog.set_level(logging.INFO, "alray")
    read_pool(PoolSpec(source=parquet(tmp_path), min_class_size=3))
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


def test_refuses_a_file_that_is_not_parquet(tmp_path):
    path = tmp_path / "pool.csv"
    path.write_text("id,label\n1,2\n")
    message = refusal(str(path))
    assert "pool.csv: not a readable Parquet file" in message
    assert "alray pool import" in message


def test_refuses_a_truncated_file(tmp_path):
    source = parquet(tmp_path)
    content = (tmp_path / "pool.parquet").read_bytes()
    (tmp_path / "pool.parquet").write_bytes(content[: len(content) // 2])
    assert "pool.parquet: not a readable Parquet file" in refusal(source)


def test_refuses_damaged_values(tmp_path):
    source = parquet(tmp_path)
    content = bytearray((tmp_path / "pool.parquet").read_bytes())
    content[4:200] = b"\xff" * 196
    (tmp_path / "pool.parquet").write_bytes(content)
    assert "pool.parquet: damaged" in refusal(source)


def test_refuses_no_rows(tmp_path):
    table = pa.table(
        {"id": pa.array([], pa.string()), "label": pa.array([], pa.string()), "image": vectors([])}
    )
    pq.write_table(table, tmp_path / "empty.parquet")
    assert "empty.parquet: the file has no rows" in refusal(str(tmp_path / "empty.parquet"))


@pytest.mark.parametrize(
    ("settings", "option"),
    [
        ({"id": "idd"}, "--id"),
        ({"label": "lable"}, "--label"),
        ({"group_by": "words"}, "--group-by"),
        ({"modalities": {"image": "imag"}}, "--modality"),
    ],
)
def test_refuses_a_missing_column(tmp_path, settings, option):
    message = refusal(parquet(tmp_path), **settings)
    assert "pool.parquet: no column" in message
    assert "columns are id, label, image, text" in message
    assert option in message


def test_a_missing_column_names_the_nearest(tmp_path):
    assert "did you mean 'label'?" in refusal(parquet(tmp_path), label="lable")


def test_refuses_a_modality_that_is_no_list_of_numbers(tmp_path):
    message = refusal(parquet(tmp_path), modalities={"image": "label"})
    assert "pool.parquet: column 'label' is string" in message


def test_refuses_a_file_without_any_list_column(tmp_path):
    message = refusal(parquet(tmp_path, image=None, text=None))
    assert "no modality" in message
    assert "columns are id, label" in message


@pytest.mark.parametrize("name", ["img.emb", "fused", "2nd", "a b"])
def test_refuses_a_column_whose_name_cannot_name_a_modality(tmp_path, name):
    source = parquet(tmp_path, **{name: vectors([[1.0, 2.0]] * 6)})
    assert f"'{name}' cannot name a modality" in refusal(source)


def test_a_column_with_any_name_can_be_read_under_another(tmp_path):
    source = parquet(tmp_path, **{"img.emb": vectors([[1.0, 2.0]] * 6)})
    assert read(source, modalities={"image": "img.emb"}).modalities[0].dimension == 2


def test_refuses_labels_of_another_type(tmp_path):
    message = refusal(parquet(tmp_path, label=[1.0, 2.0, 1.0, 2.0, 1.0, 2.0]))
    assert "pool.parquet: column 'label' is double" in message


def test_refuses_ids_that_are_lists(tmp_path):
    assert "column 'image' is fixed_size_list" in refusal(parquet(tmp_path), id="image")


def test_refuses_null_labels(tmp_path):
    message = refusal(parquet(tmp_path, label=["cat", None, "dog", "", "cat", "dog"]))
    assert "pool.parquet: column 'label' is null or empty for 2 objects: b, d" in message


def test_refuses_null_integer_labels(tmp_path):
    message = refusal(parquet(tmp_path, label=pa.array([1, 2, None, 1, 2, 1])))
    assert "column 'label' is null or empty for 1 objects: c" in message


def test_refuses_null_and_empty_ids(tmp_path):
    message = refusal(parquet(tmp_path, id=["a", None, "c", "", "e", "f"]))
    assert "pool.parquet: column 'id' is null or empty in 2 rows (rows 1, 3" in message


def test_refuses_repeated_ids(tmp_path):
    message = refusal(parquet(tmp_path, id=["a", "b", "a", "d", "b", "f"]))
    assert "pool.parquet: column 'id' holds 2 ids more than once: a, b" in message


def test_refuses_documents_as_ids(tmp_path):
    assert "more than 1,024 characters" in refusal(parquet(tmp_path, id=[*IDS[:5], "x" * 1025]))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_refuses_values_that_are_no_numbers(tmp_path, bad):
    rows = [[1.0, 2.0], [bad, 1.0], None, [1.0, 2.0], [2.0, bad], [1.0, 1.0]]
    message = refusal(parquet(tmp_path, image=vectors(rows)))
    assert (
        "pool.parquet: column 'image' has NaN, null or infinite values in 2 objects: b, e"
        in message
    )


def test_refuses_nulls_inside_lists(tmp_path):
    rows = [[1.0, 2.0], [1.0, 1.0], None, [1.0, 2.0], [2.0, None], [1.0, 1.0]]
    message = refusal(parquet(tmp_path, image=vectors(rows)))
    assert "column 'image' has NaN, null or infinite values in 1 objects: e" in message


@pytest.mark.parametrize("kind", [pa.uint8(), pa.float16()])
def test_refuses_nulls_inside_lists_of_other_types(tmp_path, kind):
    rows = [[1, 2], [1, 1], None, [1, 2], [2, None], [1, 1]]
    message = refusal(parquet(tmp_path, image=vectors(rows, kind)))
    assert "column 'image' has NaN, null or infinite values in 1 objects: e" in message


def test_refuses_float64_that_does_not_fit_float32(tmp_path):
    rows = vectors([[1.0, 1e300], *[[1.0, 1.0]] * 5], pa.float64())
    assert "values in 1 objects: a" in refusal(parquet(tmp_path, image=rows))


def test_names_five_objects_and_counts_the_rest(tmp_path):
    rows = vectors([[float("nan"), 1.0]] * 6)
    assert "in 6 objects: a, b, c, d, e and 1 more" in refusal(parquet(tmp_path, image=rows))


def test_refuses_an_object_without_modality(tmp_path):
    text = vectors([[0.5, 0.25], None, None, [3.5, 4.5], [5.5, 6.5], [7.5, 8.5]])
    message = refusal(parquet(tmp_path, text=text))
    assert "pool.parquet: 1 objects have no modality (all null in image, text): c" in message


def test_refuses_a_modality_without_objects(tmp_path):
    message = refusal(parquet(tmp_path, image=vectors([None] * 6)))
    assert "pool.parquet: column 'image' is absent from every object" in message


def test_refuses_a_variable_list_column_without_objects(tmp_path):
    message = refusal(parquet(tmp_path, image=vectors([None] * 6, size=None)))
    assert "pool.parquet: column 'image' is absent from every object" in message


def test_refuses_ragged_lists(tmp_path):
    rows = [[1.0, 2.0], [1.0], None, [1.0, 2.0], [2.0, 3.0, 4.0], [1.0, 1.0]]
    message = refusal(parquet(tmp_path, image=vectors(rows, size=None)))
    assert "pool.parquet: column 'image' is ragged: most lists have 2 values" in message
    assert "2 objects have between 1 and 3: b, e" in message


def test_refuses_empty_lists(tmp_path):
    message = refusal(parquet(tmp_path, image=vectors([[]] * 6, size=None)))
    assert "column 'image' holds empty lists only" in message


def test_refuses_one_class(tmp_path):
    message = refusal(parquet(tmp_path, label=["cat"] * 6))
    assert "pool.parquet: the only class is 'cat'" in message


def test_refuses_when_no_class_is_left(tmp_path):
    assert "no class is left" in refusal(parquet(tmp_path), min_class_size=99)


def test_reports_all_problems_at_once(tmp_path):
    source = parquet(tmp_path, label=["cat"] * 6, image=vectors([[float("nan"), 1.0]] * 6))
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
    words = list("xxyyzz")
    prints = [
        fingerprint(tmp_path),
        fingerprint(tmp_path, id=["a", "b", "c", "d", "e", "g"]),
        fingerprint(tmp_path, label=["cat", "dog", "cat", "dog", "dog", "cat"]),
        fingerprint(tmp_path, label=["cat", "eel", "cat", "eel", "cat", "eel"]),
        fingerprint(tmp_path, image=image),
        fingerprint(tmp_path, image=moved),
        fingerprint(tmp_path, {"modalities": {"picture": "image", "text": "text"}}),
        fingerprint(tmp_path, {"modalities": {"text": "text", "image": "image"}}),
        fingerprint(tmp_path, {"group_by": "words"}, words=words),
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
