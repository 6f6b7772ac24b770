import logging

import numpy as np
import pyarrow as pa
import pytest

from alray.errors import PoolError
from alray.pools.builtin import BUILTIN_POOLS
from alray.pools.columns import features as features_module
from alray.pools.split import assign_parts
from alray.settings.common import SplitSpec
from tests.helpers.pools_fixtures import IDS, features, parquet, read, vectors


def test_reads_every_float_list_column_and_keeps_present_rows_only(tmp_path):
    pool = read(parquet(tmp_path, weight=[1.0] * 6))
    assert pool.name == "pool"
    assert pool.ids.tolist() == IDS
    assert pool.classes == ("cat", "dog")
    assert pool.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert [part.name for part in pool.modalities] == ["image", "text"]
    assert pool.groups is None
    image = pool.modalities[0]
    assert image.features.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]
    assert image.rows.tolist() == [0, 1, -1, 2, 3, 4]
    assert image.shape == (2,)


def test_features_of_float64_become_float32(tmp_path):
    rows = vectors([[1.0, 2.0]] * 5 + [[0.5, 4.0]], pa.float64())
    part = read(parquet(tmp_path, image=rows)).modalities[0]
    assert part.features.dtype == np.float32
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
    pool = read(parquet(tmp_path, image=vectors(rows), **fixed), min_class_size=3)
    assert features(pool, "image")[:, 0].tolist() == [i for i in range(30) if i not in {3, 25}]
    rows[20][0] = float("nan")
    with pytest.raises(PoolError, match="in 1 objects: 20;"):
        read(parquet(tmp_path, image=vectors(rows), **fixed), min_class_size=3)


def test_integer_labels_are_sorted_by_value_and_integer_ids_become_text(tmp_path):
    ids = [3, 1, 4, 15, 9, 2]
    pool = read(parquet(tmp_path, id=ids, label=[10, 9, 10, 100, 9, 9]))
    assert pool.classes == ("9", "10", "100")
    assert pool.labels.tolist() == [1, 0, 1, 2, 0, 0]
    assert pool.ids.tolist() == [str(number) for number in ids]


def test_dictionaries_that_differ_between_row_groups_and_large_text(tmp_path):
    halves = [pa.array(list(text)).dictionary_encode() for text in ("bab", "cac")]
    label, ids = pa.chunked_array(halves), pa.array(IDS, pa.large_string())
    pool = read(parquet(tmp_path, row_group_size=3, label=label, id=ids))
    assert [pool.classes[code] for code in pool.labels] == list("babcac")


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


def test_copies_are_one_group_and_do_not_cross_the_split(tmp_path):
    """The second half repeats the objects of the first, with other labels."""
    rng = np.random.default_rng(0)
    image = vectors(rng.normal(size=(200, 2)).tolist() * 2)
    labels = rng.choice(["a", "b"], size=400).tolist()
    source = parquet(tmp_path, id=range(400), label=labels, image=image, text=None)
    pool = read(source)
    assert pool.groups[:200].tolist() == pool.groups[200:].tolist()
    assert len(np.unique(pool.groups)) == 200
    part = assign_parts(pool, SplitSpec(), np.random.default_rng(1))
    assert part[:200].tolist() == part[200:].tolist()
    assert read(source, copies="apart").groups is None


@pytest.mark.parametrize("copies", ["together", "apart"])
def test_groups_that_share_a_copy_become_one(tmp_path, copies):
    """x and y share a copy, z has none: with copies together x and y are one group."""
    image = vectors([[0.0, 1.0], [2.0, 3.0], [0.0, 1.0], [4.0, 5.0]])
    columns = {"id": range(4), "label": list("aabb"), "author": list("xxyz")}
    source = parquet(tmp_path, **columns, image=image, text=None)
    first, second, third, fourth = read(source, group_by="author", copies=copies).groups.tolist()
    assert first == second
    assert (third == first) is (copies == "together")
    assert fourth not in (first, third)


def test_small_classes_are_dropped_and_reported(tmp_path, caplog):
    caplog.set_level(logging.INFO, "alray")
    labels = ["cat", "dog", "cat", "dog", "emu", "dog"]
    source = parquet(tmp_path, label=labels, words=list("ppqqrr"))
    read(source, min_class_size=1)  # Nothing is dropped, and nothing reported.
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
    ("name", "fingerprint"),
    [
        ("openclipart", "dd29288092b522f7fdfbf9c4486d9eed08c71cbbce448c32f462d79728c55be2"),
        ("icons", "e0cad9bf210e872fda11cd0724e781d0055bebb40e1de1aa2ed32c1f45769a69"),
    ],
)
def test_built_in_pools_stay_what_they_are(name, fingerprint):
    """The fingerprint is that of all their data. Ids of runs hash it: it must never change."""
    pool = read(name)
    assert (pool.name, pool.fingerprint) == (name, fingerprint)


def test_the_attributions_are_shipped():
    folder = BUILTIN_POOLS["icons"].path.parent
    lines = (folder / "icons-sources.tsv").read_text().splitlines()
    assert len(lines) == 74
    notice = (folder / "NOTICE.md").read_text()
    assert all(
        word in notice for word in ("openclipart", "CC-BY-4.0", "icons-sources.tsv", "trade mark")
    )
