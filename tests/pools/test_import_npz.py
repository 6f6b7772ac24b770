"""Files of several named arrays, imported as pools."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alray.pools.imports.source import ImportOptions
from tests.helpers.imports import draw, imported, refusal
from tests.helpers.pools_fixtures import features


def npz(tmp_path: Path, **arrays: Any) -> Path:
    path = tmp_path / "pool.npz"
    labels = np.asarray(["x", "y", "x", "y"])
    given: dict[str, Any] = {"label": labels, "image": draw(4, 3), "text": draw(4, 2), **arrays}
    np.savez_compressed(
        path, **{name: value for name, value in given.items() if value is not None}
    )
    return path


def test_objects_labels_and_features_are_those_of_the_arrays(tmp_path):
    """Ids are taken where they are; columns may come first; an array of a single value is ignored."""
    image = draw(4, 3)
    image[1] = np.nan
    image[2] = 0
    text = np.asfortranarray(draw(4, 2))
    ids = np.asarray(list("pqrs"))
    pool = imported(npz(tmp_path, image=image, text=text, ids=ids, version=np.asarray(3)))
    assert pool.ids.tolist() == ["p", "q", "r", "s"]
    assert pool.classes == ("x", "y")
    assert [part.name for part in pool.modalities] == ["image", "text"]
    assert pool.modalities[0].rows.tolist() == [0, -1, -1, 1]
    assert np.array_equal(features(pool, "text"), draw(4, 2))


def test_npz_keeps_float16_and_turns_float64_into_float32(tmp_path):
    source = npz(tmp_path, image=draw(4, 3).astype(np.float16), text=draw(4, 2).astype(np.float64))
    parts = imported(source).modalities
    assert [part.features.dtype for part in parts] == [np.float16, np.float32]


NUMBERS = np.asarray([10, 9, 10, 9])


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ({"label": None, "labels": NUMBERS}, ("9", "10")),
        ({"label": None, "y": NUMBERS}, ("9", "10")),
        ({"label": np.asarray([[b"x"], [b"y"], [b"x"], [b"y"]])}, ("x", "y")),
    ],
    ids=["labels", "y", "a column of bytes"],
)
def test_npz_with_labels_of_other_names_and_types(tmp_path, labels, classes):
    assert imported(npz(tmp_path, **labels)).classes == classes


def test_npz_with_training_and_test_images(tmp_path):
    """An image of zeros is an image."""
    images = np.random.default_rng(0).integers(0, 256, (20, 2, 3), np.uint8)
    images[2] = 0
    labels = np.arange(20) % 3
    arrays: dict[str, Any] = {}
    for part, rows in (("train", slice(13)), ("test", slice(13, None))):
        arrays |= {f"x_{part}": images[rows], f"y_{part}": labels[rows]}
    np.savez(tmp_path / "d.npz", **arrays)
    pool = imported(tmp_path / "d.npz", chunk_bytes=6 * 7)
    (part,) = pool.modalities
    assert (part.shape, part.features.dtype) == ((2, 3), np.uint8)
    assert part.present.all()
    assert np.array_equal(part.features.reshape(images.shape), images)
    assert pool.labels.tolist() == labels.tolist()


def test_npz_with_parts_of_different_shape_is_refused(tmp_path):
    np.savez(tmp_path / "d.npz", x_train=draw(3, 4), x_test=draw(3, 5), y=np.arange(6))
    assert "x_test: rows of shape (5,)" in refusal(tmp_path / "d.npz")


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"label": None}, r"pool\.npz: no array of labels.*arrays are image, text;.*--label"),
        ({"image": None, "text": None}, "no array besides 'label'"),
        ({"text": draw(5, 2)}, r"pool\.npz:text: 5 rows, and .*pool\.npz:label has 4"),
        ({"label": np.eye(4)}, "argmax"),
        (
            {"label": np.asarray(["x", None, "x", "y"], object)},
            r"pool\.npz:label: cannot be read: it is a pickled object array",
        ),
        (
            {"image": np.ones((4, 3), np.int64)},
            r"pool\.npz:image: rows of int64 with shape \(3,\).*astype\('float32'\)",
        ),
        ({"id": np.asarray(list("pqps"))}, r"pool\.npz: ids are not unique: p;"),
        (
            {"label": np.asarray(["", " ", "", ""])},
            r"pool\.npz: none of its 4 objects has a label",
        ),
    ],
    ids=str,
)
def test_npz_is_refused(tmp_path, arrays, words):
    assert re.search(words, refusal(npz(tmp_path, **arrays)))


UNKNOWN = "pool.npz: there is no array 'lable'; did you mean 'label'?"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (ImportOptions(label="lable"), UNKNOWN),
        (ImportOptions(id="lable"), UNKNOWN),
        (ImportOptions(modalities={"a": "lable"}), UNKNOWN),
        (ImportOptions(modalities={"id": "image"}), "cannot be called id or label"),
    ],
)
def test_npz_with_options_that_do_not_fit_is_refused(tmp_path, options, words):
    assert words in refusal(npz(tmp_path), options)


def test_npz_that_is_cut_off_is_refused(tmp_path):
    source = npz(tmp_path)
    source.write_bytes(source.read_bytes()[:-200])
    assert "pool.npz: cannot be read" in refusal(source)


@pytest.mark.parametrize(
    ("dtype", "sizes", "words"),
    [
        ("float16", [1, 1e-9, 1, 1], r"too small for float16 in objects 1; use --dtype float32$"),
        (
            "float16",
            [1e-5] * 4,
            r"too small for float16 in objects 0, 1, 2, 3; use --dtype float32$",
        ),
        (None, [1, 1, 1, 1e-60], r"too small for float32 in objects 3; multiply the array$"),
    ],
    ids=["a row that would be absent", "all rows lose digits", "float64"],
)
def test_values_too_small_for_the_targets_type_are_refused(tmp_path, dtype, sizes, words):
    image = draw(4, 3).astype(np.float64) * np.asarray(sizes)[:, None]
    message = refusal(npz(tmp_path, image=image), dtype=dtype)
    assert re.search(rf"pool\.npz:image: values of at most \d\.\de-\d+ are {words}", message)


def test_some_small_values_are_kept_as_float16(tmp_path):
    image = draw(4, 3)
    image[1] *= np.float32(1e-5)
    assert features(imported(npz(tmp_path, image=image), dtype="float16"), "image")[1].any()
