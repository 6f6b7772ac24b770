"""Arrays of the original study's layout, imported as pools, and what holds for every source."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from alray.pools.importing import Target, import_pool
from alray.pools.imports.source import ImportOptions
from tests.helpers.imports import draw, imported, refusal, run
from tests.helpers.pools_fixtures import features, read


def study_array(*changes: tuple[Any, Any, Any]) -> np.ndarray:
    """Return an array of the original study's layout, with changed rows and columns: (rows, columns, new values)."""
    array = draw(40, 1325).astype(np.float64)
    array[:, 0] = np.arange(40) % 4 + 7
    for rows, columns, values in [(3, slice(1, 301), 0), (5, slice(301, None), 0), *changes]:
        array[rows, columns] = values
    return array


EMPTY = ([4, 6], slice(1, None), 0)


def save(path: Path, array: np.ndarray) -> Path:
    np.save(path, array)
    return path


def test_study_array(tmp_path):
    array = study_array()
    written = run(save(tmp_path / "posts.npy", array))
    assert (written.objects, written.classes, written.dropped) == (40, 4, 0)
    assert written.absent == {"text": 1, "image": 1}
    pool = read(str(written.path))
    assert pool.classes == ("7", "8", "9", "10")
    assert pool.labels[:5].tolist() == [0, 1, 2, 3, 0]
    assert pool.ids[:3].tolist() == ["0", "1", "2"]
    assert {part.name: part.dimension for part in pool.modalities} == {"text": 300, "image": 1024}
    text, image = features(pool, "text"), features(pool, "image")
    assert np.isnan(text[3]).all()
    assert np.isnan(image[5]).all()
    assert np.array_equal(text[4], array[4, 1:301].astype(np.float32))
    assert np.array_equal(image[39], array[39, 301:].astype(np.float32))


def test_small_chunks_are_reported_and_change_nothing(tmp_path):
    reported: list[tuple[int, int]] = []
    source = save(tmp_path / "posts.npy", study_array())
    target = Target(tmp_path / "small.parquet", chunk_bytes=1325 * 8 * 25)
    import_pool(source, target, ImportOptions(), lambda *counts: reported.append(counts))
    assert reported == [(25, 40), (40, 40)]
    assert pq.ParquetFile(target.path).num_row_groups == 2
    assert read(str(target.path)).fingerprint == imported(source).fingerprint


def test_study_array_with_other_columns(tmp_path):
    array = draw(10, 8)
    array[:, 7] = np.arange(10) % 2
    options = ImportOptions(columns={"a": (0, 3), "b": (5, 7)}, label_column=7)
    pool = imported(save(tmp_path / "x.npy", array), options)
    assert np.array_equal(features(pool, "b"), array[:, 5:7])
    assert pool.labels.tolist() == [0, 1] * 5


TOO_LARGE = "NaN, infinite or too large values for"


@pytest.mark.parametrize(
    ("array", "settings", "words"),
    [
        (draw(10), {}, r"posts.npy: an array of shape \(10,\)"),
        (np.asarray(1.0), {}, "posts.npy: cannot be read: it holds a single value"),
        (np.empty((0, 1325)), {}, "posts.npy: there are no objects"),
        (draw(10, 513), {}, "posts.npy: 513 columns.*--columns"),
        (
            np.asarray([{"a": 1}], object),
            {},
            r"posts.npy: cannot be read: it is a pickled object array.*numpy\.save",
        ),
        (
            study_array((8, 400, np.nan), (9, 2, np.inf)),
            {},
            f"posts.npy:text: {TOO_LARGE} float32 in objects 9",
        ),
        (
            study_array((8, 400, 1e5)),
            {"dtype": "float16"},
            f"posts.npy:image: {TOO_LARGE} float16 in objects 8",
        ),
        (
            study_array(([2, 7], 0, [1.5, np.nan])),
            {},
            r"posts.npy: column 0: 1 labels are no whole numbers: 1.5 \(rows 2,",
        ),
        (
            study_array(EMPTY),
            {},
            r"2 of 40 objects have no modality \(all zeros or NaN\): 4, 6.*--drop-empty",
        ),
        (
            study_array((slice(None), slice(1, None), 0)),
            {"drop_empty": True},
            "no object has any modality",
        ),
        (
            draw(9, 8),
            {"options": ImportOptions(columns={"a": (0, 8)}, label_column=8)},
            "posts.npy: there is no column 8 among 8",
        ),
        *(
            (
                draw(10, 8),
                {"options": ImportOptions(columns={"a": (first, end)})},
                f"posts.npy: --columns a={first}:{end} must lie within the 8 columns",
            )
            for first, end in [(0, 3), (4, 4), (5, 9), (6, 5)]
        ),
    ],
)
def test_refuses_an_array(tmp_path, array, settings, words):
    assert re.search(words, refusal(save(tmp_path / "posts.npy", array), **settings))


def test_drops_objects_without_modality_when_asked(tmp_path):
    written = run(save(tmp_path / "posts.npy", study_array(EMPTY)), drop_empty=True)
    assert (written.objects, written.dropped) == (38, 2)
    assert read(str(written.path)).ids[3:6].tolist() == ["3", "5", "7"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.npy", "no such file or folder"),
        ("text.npy", "cannot be read"),
        ("text.txt", "not a supported file"),
    ],
)
def test_refuses_a_source_that_is_none(tmp_path, name, words):
    for ending in ("npy", "txt"):
        (tmp_path / f"text.{ending}").write_bytes(b"no array")
    assert f"{name}: {words}" in refusal(tmp_path / name)
