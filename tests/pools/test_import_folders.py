"""Folders of arrays and MNIST's idx files, imported as pools."""

import re

import numpy as np
import pytest

from tests.helpers.import_files import write_idx
from tests.helpers.imports import draw, imported, refusal, run
from tests.helpers.pools_fixtures import features


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "arrays"
    path.mkdir()
    np.save(path / "image.npy", draw(4, 3))
    np.save(path / "text.npy", draw(4, 2))
    return path


@pytest.mark.parametrize(
    ("name", "content", "classes"),
    [
        ("labels.txt", "b\na, c\nb\nb\n", ("a, c", "b")),
        ("labels.txt", "10\n9\n10\n9\n", ("9", "10")),
        ("labels.txt", "10\n9\n10\n09\n", ("09", "10", "9")),
        ("label.csv", 'label\n"a, c"\nb\nb\nb\n', ("a, c", "b")),
        ("labels.csv", "a\nb\nb\nb", ("a", "b")),
    ],
)
def test_folder_with_labels_as_text(folder, name, content, classes):
    (folder / name).write_text(content)
    (folder / "readme.txt").write_text("not labels")
    pool = imported(folder)
    assert pool.classes == classes
    assert [part.name for part in pool.modalities] == ["image", "text"]


def test_folder_with_labels_as_an_array_and_ids_as_text(folder):
    np.save(folder / "labels.npy", np.asarray([1, 2, 1, 2]))
    (folder / "ids.txt").write_text("p\nq\nr\ns\n")
    pool = imported(folder)
    assert pool.ids.tolist() == ["p", "q", "r", "s"]
    assert np.array_equal(features(pool, "image"), draw(4, 3))


def test_folder_without_arrays_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "empty: no .npy and no idx files" in refusal(tmp_path / "empty")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("labels.csv", b"a,b\nc,d\n", r"labels\.csv: write one value per line"),
        ("labels.txt", b"a\nb\n\n", r"image\.npy: 4 rows, and \S+labels\.txt has 2"),
        ("labels.txt", b"a\nb\n", r"image\.npy: 4 rows, and \S+labels\.txt has 2"),
        ("labels.txt", b"\xff\xfe\n", r"labels\.txt: not UTF-8"),
    ],
)
def test_folder_with_labels_that_do_not_fit_is_refused(folder, name, content, words):
    (folder / name).write_bytes(content)
    assert re.search(words, refusal(folder))


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return images of noise, and labels of ten classes."""
    images = np.random.default_rng(0).integers(0, 256, (90, 8, 8), np.uint8)
    return images, np.arange(90) % 10


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx_folder_with_both_parts(tmp_path, ending):
    images, labels = digits()
    source = tmp_path / "mnist"
    source.mkdir()
    for part, here in (("t10k", slice(60, None)), ("train", slice(60))):
        write_idx(source / f"{part}-images-idx3-ubyte{ending}", images[here])
        write_idx(source / f"{part}-labels-idx1-ubyte{ending}", labels[here])
    pool = imported(source, chunk_bytes=64 * 7)
    assert pool.classes == tuple("0123456789")
    assert np.array_equal(pool.labels, labels)
    assert (pool.ids[0], pool.ids[59], pool.ids[60]) == ("train/0", "train/59", "t10k/0")
    part = pool.modalities[0]
    assert (part.name, part.shape) == ("image", (8, 8))
    assert np.array_equal(part.features.reshape(-1, 8, 8), images)


LABELS = "train-labels.idx1-ubyte"


@pytest.fixture
def images(tmp_path):
    """The file of 50 images, with their labels beside it."""
    images, labels = digits()
    write_idx(tmp_path / LABELS, labels[:50])
    return write_idx(tmp_path / "train-images.idx3-ubyte", images[:50])


def test_idx_file_alone(images):
    assert run(images).objects == 50


def test_idx_without_a_label_for_each_image_is_refused(images):
    labels = write_idx(images.with_name(LABELS), digits()[1][:49])
    assert f"{LABELS}: 49 labels" in refusal(images)
    labels.unlink()
    assert f"{images.name}: its labels are missing; put {LABELS}" in refusal(images)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ""),
        (b"\x00\x00\x0d\x01\x00\x00\x00\x00", ""),
        (b"\x00\x00\x08\x03\x00\x00", ""),
        (
            bytes([0, 0, 8, 3, *(0, 0, 0, 50), *(0, 0, 0, 1) * 2, *range(49)]),
            "it ends after 0 of 50 rows",
        ),
    ],
    ids=["empty", "another type", "half a head", "a byte too few"],
)
def test_idx_that_is_none_or_cut_off_is_refused(images, content, words):
    images.write_bytes(content)
    assert f"{images.name}: cannot be read: {words}" in refusal(images)
