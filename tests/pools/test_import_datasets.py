"""Folders of Hugging Face's data sets and of clip-retrieval, imported as pools."""

import re

import numpy as np
import pyarrow.parquet as pq
import pytest

from alray.pools.imports.source import ImportOptions
from tests.helpers.import_files import dataset_shard, write_clip, write_dataset
from tests.helpers.imports import imported, refusal, run


def test_dataset_in_shards_with_named_classes(tmp_path):
    texts = {"text": ["t"], "picture": [{"bytes": b"", "path": "p"}]}
    source = write_dataset(
        tmp_path / "set", [dataset_shard(1, **texts), dataset_shard(0, **texts)]
    )
    written = run(source)
    assert written.notes == ("left out: picture",)
    table = pq.read_table(written.path)
    assert table.column_names == ["id", "label", "text", "emb"]
    assert table["label"].to_pylist() == ["dog", "cat"]
    assert table["id"].to_pylist() == ["0", "1"]


@pytest.mark.parametrize(("columns", "name"), [({}, "split"), ({"split": ["a", "b"]}, "split_2")])
def test_dataset_dict_is_joined_with_a_column_of_the_part(tmp_path, columns, name):
    source = tmp_path / "sets"
    for part in ("test", "train", "val"):
        write_dataset(source / part, [dataset_shard(1, 0, **columns)])
    (source / "dataset_dict.json").write_text('{"splits": ["test", "train", "val"]}')
    written = run(source)
    assert written.notes[-1] == (
        f"joined train (2), val (2), test (2); column {name!r} says which part an object is of"
    )
    table = pq.read_table(written.path)
    assert table[name].to_pylist() == ["train"] * 2 + ["validation"] * 2 + ["test"] * 2
    assert table["id"].to_pylist() == [
        f"{part}/{row}" for part in ("train", "val", "test") for row in (0, 1)
    ]


def test_ids_that_begin_anew_in_each_part_are_told_apart(tmp_path):
    source = tmp_path / "sets"
    for part in ("train", "test"):
        write_dataset(source / part, [dataset_shard(1, 0, id=["a", "b"])])
    (source / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    assert imported(source).ids.tolist() == ["train/a", "train/b", "test/a", "test/b"]


def test_datasets_that_are_incomplete_are_refused(tmp_path):
    source = write_dataset(tmp_path / "set", [dataset_shard(1, 2)])
    assert "set:label: the number 2 has no name among 2 classes" in refusal(source)
    write_dataset(source, [dataset_shard(-1, -1)])
    assert "set: none of its 2 objects has a label" in refusal(source)
    write_dataset(source, [dataset_shard(1, 0)], _indices_files=[{"filename": "indices.arrow"}])
    assert "dataset.flatten_indices()" in refusal(source)
    (source / "state.json").write_text('{"_data_files": [{"filename": "gone.arrow"}]}')
    assert re.search(r"set: no file \S+gone\.arrow", refusal(source))


def test_clip_retrieval_shards_are_matched_by_number(tmp_path):
    source = write_clip(tmp_path / "clip", {10: 2, 9: 4})
    assert "name yours with --label" in refusal(source)
    table = pq.read_table(run(source, ImportOptions(label="topic")).path)
    assert table.column_names == ["id", "label", "caption", "image", "text"]
    assert table["caption"].to_pylist() == ["c9"] * 4 + ["c10"] * 2
    assert (
        table["image"].to_pylist() == table["text"].to_pylist() == [[10, 10]] * 4 + [[11, 11]] * 2
    )
    options = ImportOptions(label="topic", modalities={"picture": "img_emb"})
    assert pq.read_schema(run(source, options, overwrite=True).path).names[-1] == "picture"


@pytest.mark.parametrize(
    ("file", "rows", "words"),
    [
        ("img_emb/img_emb_0.npy", 5, r"img_emb_0\.npy: 5 rows, and \S+metadata_0\.parquet has 4"),
        ("img_emb/img_emb_0.npy", None, r"img_emb: no shard with the number 0"),
        ("metadata/metadata_1.parquet", None, r"metadata: no shard with the number 1"),
    ],
)
def test_clip_retrieval_shards_that_do_not_fit_are_refused(tmp_path, file, rows, words):
    source = write_clip(tmp_path / "clip", {0: 4, 1: 2})
    (source / file).unlink()
    if rows:
        np.save(source / file, np.ones((rows, 2)))
    assert re.search(words, refusal(source, ImportOptions(label="topic")))
