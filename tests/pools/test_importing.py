import gzip
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.datasets import load_digits

from alray.errors import PoolError
from alray.pools.import_sources import ImportOptions
from alray.pools.importing import Target, WriteSummary, import_pool
from tests.helpers.pools_fixtures import features, read


def run(source: Path, options: ImportOptions | None = None, **target: object) -> WriteSummary:
    out = source.with_name("out.parquet")
    settings = Target(out, **target)  # type: ignore[arg-type]
    return import_pool(source, settings, options or ImportOptions(), lambda _done, _total: None)


def refusal(source: Path, options: ImportOptions | None = None, **target: object) -> str:
    with pytest.raises(PoolError) as caught:
        run(source, options, **target)
    assert not source.with_name("out.parquet").exists()
    return str(caught.value)


def imported(source: Path, options: ImportOptions | None = None, **target: object) -> Any:
    return read(str(run(source, options, **target).path))


def draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


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


# The original study's layout.


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


def test_study_array_in_small_chunks(tmp_path):
    source = save(tmp_path / "posts.npy", study_array())
    whole = imported(source).fingerprint
    written = run(source, overwrite=True, chunk_bytes=1325 * 8 * 7)
    assert pq.ParquetFile(written.path).num_row_groups > 3
    assert read(str(written.path)).fingerprint == whole


def test_study_array_with_other_columns(tmp_path):
    array = draw(10, 8)
    array[:, 7] = np.arange(10) % 2
    options = ImportOptions(columns={"a": (0, 3), "b": (5, 7)}, label_column=7)
    pool = imported(save(tmp_path / "x.npy", array), options)
    assert np.array_equal(features(pool, "b"), array[:, 5:7])
    assert pool.labels.tolist() == [0, 1] * 5


def test_study_array_to_float16(tmp_path):
    pool = imported(save(tmp_path / "posts.npy", study_array()), dtype="float16")
    assert all(part.features.dtype == np.float16 for part in pool.modalities)


def test_progress_is_reported(tmp_path):
    reported: list[tuple[int, int]] = []
    source = save(tmp_path / "posts.npy", study_array())
    target = Target(tmp_path / "o.parquet", chunk_bytes=1325 * 8 * 25)
    import_pool(source, target, ImportOptions(), lambda *counts: reported.append(counts))
    assert reported == [(25, 40), (40, 40)]


TOO_LARGE = "NaN, infinite or too large values for"


@pytest.mark.parametrize(
    ("array", "target", "words"),
    [
        (draw(10), {}, "posts.npy: an array of shape (10,)"),
        (np.asarray(1.0), {}, "posts.npy: cannot be read: it holds a single value"),
        (np.empty((0, 1325)), {}, "posts.npy: there are no objects"),
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
            "posts.npy: column 0: 2 labels are no whole numbers: 1.5, nan (rows 2, 7",
        ),
        (
            study_array((slice(None), slice(1, None), 0)),
            {"drop_empty": True},
            "no object has any modality",
        ),
    ],
)
def test_refuses_an_array(tmp_path, array, target, words):
    assert words in refusal(save(tmp_path / "posts.npy", array), **target)


@pytest.mark.parametrize(
    ("array", "words", "remedy"),
    [
        (draw(10, 513), "posts.npy: 513 columns", "--columns"),
        (
            np.asarray([{"a": 1}], object),
            "posts.npy: cannot be read: it is a pickled object array",
            "numpy.save",
        ),
        (
            study_array(EMPTY),
            "2 of 40 objects have no modality (all zeros or NaN): 4, 6",
            "--drop-empty",
        ),
    ],
)
def test_refuses_an_array_with_a_remedy(tmp_path, array, words, remedy):
    message = refusal(save(tmp_path / "posts.npy", array))
    assert words in message
    assert remedy in message


@pytest.mark.parametrize(("first", "end"), [(0, 3), (4, 4), (5, 9), (6, 5)])
def test_refuses_column_ranges_that_do_not_fit(tmp_path, first, end):
    options = ImportOptions(columns={"a": (first, end)})
    message = refusal(save(tmp_path / "x.npy", draw(10, 8)), options)
    assert f"x.npy: --columns a={first}:{end} must lie within the 8 columns" in message


def test_refuses_a_label_column_that_is_not_there(tmp_path):
    options = ImportOptions(columns={"a": (0, 8)}, label_column=8)
    message = refusal(save(tmp_path / "x.npy", draw(9, 8)), options)
    assert "x.npy: there is no column 8 among 8" in message


def test_drops_objects_without_modality_when_asked(tmp_path):
    written = run(save(tmp_path / "posts.npy", study_array(EMPTY)), drop_empty=True)
    assert (written.objects, written.dropped) == (38, 2)
    assert read(str(written.path)).ids[3:6].tolist() == ["3", "5", "7"]


def test_refuses_to_replace_a_file(tmp_path):
    source = save(tmp_path / "posts.npy", study_array())
    run(source)
    with pytest.raises(PoolError, match=r"out\.parquet: exists already"):
        run(source)


def test_refuses_a_source_that_is_not_there(tmp_path):
    assert "none.npy: no such file or folder" in refusal(tmp_path / "none.npy")


@pytest.mark.parametrize(
    ("name", "words"),
    [("posts.npy", "cannot be read"), ("posts.txt", "not a supported file")],
)
def test_refuses_a_file_that_is_none(tmp_path, name, words):
    (tmp_path / name).write_bytes(b"no array")
    assert f"{name}: {words}" in refusal(tmp_path / name)


# .npz


def npz(tmp_path: Path, **arrays: Any) -> Path:
    path = tmp_path / "pool.npz"
    labels = np.asarray(["x", "y", "x", "y"])
    given: dict[str, Any] = {"label": labels, "image": draw(4, 3), "text": draw(4, 2), **arrays}
    np.savez_compressed(
        path, **{name: value for name, value in given.items() if value is not None}
    )
    return path


def test_npz(tmp_path):
    image = draw(4, 3)
    image[1] = np.nan
    image[2] = 0
    pool = imported(npz(tmp_path, image=image, ids=np.asarray(list("pqrs"))))
    assert pool.ids.tolist() == ["p", "q", "r", "s"]
    assert pool.classes == ("x", "y")
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


def test_npz_with_named_arrays(tmp_path):
    source = npz(tmp_path, topic=np.asarray([1, 2, 1, 2]), key=np.asarray([5, 6, 7, 8]))
    options = ImportOptions(label="topic", id="key", modalities={"picture": "image"})
    pool = imported(source, options)
    assert pool.classes == ("1", "2")
    assert pool.ids.tolist() == ["5", "6", "7", "8"]
    assert [part.name for part in pool.modalities] == ["picture"]


def test_npz_with_columns_first(tmp_path):
    pool = imported(npz(tmp_path, image=np.asfortranarray(draw(4, 3))))
    assert np.array_equal(features(pool, "image"), draw(4, 3))


def test_npz_ignores_single_values(tmp_path):
    assert set(run(npz(tmp_path, version=np.asarray(3))).absent) == {"image", "text"}


def test_npz_of_images(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (4, 5, 6), np.uint8)
    images[2] = 0
    part = imported(npz(tmp_path, image=images, text=None)).modalities[0]
    assert (part.shape, part.features.dtype) == ((5, 6), np.uint8)
    assert part.present.all()
    assert np.array_equal(part.features.reshape(4, 5, 6), images)


def test_npz_with_training_and_test_parts(tmp_path):
    images = np.random.default_rng(0).integers(1, 256, (20, 2, 2), np.uint8)
    labels = np.arange(20) % 3
    arrays: dict[str, Any] = {}
    for part, rows in (("train", slice(13)), ("test", slice(13, None))):
        arrays |= {f"x_{part}": images[rows], f"y_{part}": labels[rows]}
    np.savez(tmp_path / "d.npz", **arrays)
    pool = imported(tmp_path / "d.npz", chunk_bytes=4 * 7)
    assert np.array_equal(pool.modalities[0].features.reshape(20, 2, 2), images)
    assert pool.labels.tolist() == labels.tolist()


def test_npz_with_parts_of_different_shape_is_refused(tmp_path):
    np.savez(tmp_path / "d.npz", x_train=draw(3, 4), x_test=draw(3, 5), y=np.arange(6))
    assert "x_test: rows of shape (5,)" in refusal(tmp_path / "d.npz")


def test_npz_without_labels_is_refused(tmp_path):
    message = refusal(npz(tmp_path, label=None))
    assert "pool.npz: no array of labels" in message
    assert "arrays are image, text" in message
    assert "--label" in message


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
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
            {"label": np.asarray(["x", "", "x", "y"])},
            r"pool\.npz: objects without a label: 1;",
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


# A folder.


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
        ("labels.csv", b"a\n\nb\nc\n", r"labels\.csv: write one value per line"),
        ("labels.txt", b"a\nb\n", r"image\.npy: 4 rows, and \S+labels\.txt has 2"),
        ("labels.txt", b"\xff\xfe\n", r"labels\.txt: not UTF-8"),
    ],
)
def test_folder_with_labels_that_do_not_fit_is_refused(folder, name, content, words):
    (folder / name).write_bytes(content)
    assert re.search(words, refusal(folder))


# MNIST's idx files.


def idx(path: Path, array: np.ndarray) -> Path:
    head = bytes([0, 0, 8, array.ndim]) + np.asarray(array.shape, ">u4").tobytes()
    content = head + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def digits() -> tuple[np.ndarray, np.ndarray]:
    images, labels = load_digits(return_X_y=True)
    return (images.reshape(-1, 8, 8) * 15).astype(np.uint8), labels


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx_folder_with_both_parts(tmp_path, ending):
    images, labels = digits()
    source = tmp_path / "mnist"
    source.mkdir()
    for part, here in (("t10k", slice(1500, None)), ("train", slice(1500))):
        idx(source / f"{part}-images-idx3-ubyte{ending}", images[here])
        idx(source / f"{part}-labels-idx1-ubyte{ending}", labels[here])
    pool = imported(source, chunk_bytes=64 * 100)
    assert len(pool) == 1797
    assert pool.classes == tuple("0123456789")
    assert np.array_equal(pool.labels, labels)
    assert (pool.ids[0], pool.ids[1499], pool.ids[1500]) == ("train/0", "train/1499", "t10k/0")
    part = pool.modalities[0]
    assert (part.name, part.shape) == ("image", (8, 8))
    assert np.array_equal(part.features.reshape(-1, 8, 8), images)


def test_idx_file_alone(tmp_path):
    images, labels = digits()
    source = idx(tmp_path / "train-images.idx3-ubyte", images[:50])
    idx(tmp_path / "train-labels.idx1-ubyte", labels[:50])
    assert run(source).objects == 50


@pytest.fixture
def images(tmp_path):
    return idx(tmp_path / "train-images-idx3-ubyte", digits()[0][:50])


def test_idx_without_labels_is_refused(images):
    message = refusal(images)
    assert "train-images-idx3-ubyte: its labels are missing" in message
    assert "train-labels-idx1-ubyte" in message


def test_idx_with_another_number_of_labels_is_refused(images):
    idx(images.with_name("train-labels-idx1-ubyte"), digits()[1][:49])
    assert "train-labels-idx1-ubyte: 49 labels" in refusal(images)


def test_idx_that_is_cut_off_is_refused(images):
    idx(images.with_name("train-labels-idx1-ubyte"), digits()[1][:50])
    images.write_bytes(images.read_bytes()[:-1])
    assert "train-images-idx3-ubyte: cannot be read: it ends after 0 of 50 rows" in refusal(images)


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x00\x0d\x01\x00\x00\x00\x00", b"\x00\x00\x08\x03\x00\x00"]
)
def test_idx_that_is_none_is_refused(images, content):
    idx(images.with_name("train-labels-idx1-ubyte"), digits()[1][:50])
    images.write_bytes(content)
    assert "train-images-idx3-ubyte: cannot be read" in refusal(images)
