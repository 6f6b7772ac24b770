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


def draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def study_array(count: int = 40) -> np.ndarray:
    array = draw(count, 1325).astype(np.float64)
    array[:, 0] = np.arange(count) % 4 + 7
    array[3, 1:301] = 0
    array[5, 301:] = 0
    return array


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
    whole = read(str(run(source).path)).fingerprint
    written = run(source, overwrite=True, chunk_bytes=1325 * 8 * 7)
    assert pq.ParquetFile(written.path).num_row_groups > 3
    assert read(str(written.path)).fingerprint == whole


def test_study_array_with_other_columns(tmp_path):
    array = draw(10, 8)
    array[:, 7] = np.arange(10) % 2
    options = ImportOptions(columns={"a": (0, 3), "b": (5, 7)}, label_column=7)
    pool = read(str(run(save(tmp_path / "x.npy", array), options).path))
    assert np.array_equal(features(pool, "b"), array[:, 5:7])
    assert pool.labels.tolist() == [0, 1] * 5


def test_study_array_to_float16(tmp_path):
    written = run(save(tmp_path / "posts.npy", study_array()), dtype="float16")
    assert all(part.features.dtype == np.float16 for part in read(str(written.path)).modalities)


def test_progress_is_reported(tmp_path):
    reported: list[tuple[int, int]] = []
    source = save(tmp_path / "posts.npy", study_array())
    target = Target(tmp_path / "o.parquet", chunk_bytes=1325 * 8 * 25)
    import_pool(source, target, ImportOptions(), lambda *counts: reported.append(counts))
    assert reported == [(25, 40), (40, 40)]


def test_refuses_another_number_of_columns(tmp_path):
    message = refusal(save(tmp_path / "posts.npy", draw(10, 513)))
    assert "posts.npy: 513 columns" in message
    assert "--columns" in message


def test_refuses_one_dimension(tmp_path):
    assert "posts.npy: an array of shape (10,)" in refusal(save(tmp_path / "posts.npy", draw(10)))


def test_refuses_a_single_value(tmp_path):
    assert "posts.npy: cannot be read: it holds a single value" in refusal(
        save(tmp_path / "posts.npy", np.asarray(1.0))
    )


@pytest.mark.parametrize("range_", [(0, 3), (4, 4), (5, 9), (6, 5)])
def test_refuses_column_ranges_that_do_not_fit(tmp_path, range_):
    message = refusal(save(tmp_path / "x.npy", draw(10, 8)), ImportOptions(columns={"a": range_}))
    assert f"x.npy: --columns a={range_[0]}:{range_[1]} must lie within the 8 columns" in message


def test_refuses_a_label_column_that_is_not_there(tmp_path):
    message = refusal(
        save(tmp_path / "x.npy", draw(9, 8)), ImportOptions(columns={"a": (0, 8)}, label_column=8)
    )
    assert "x.npy: there is no column 8 among 8" in message


def test_refuses_topics_that_are_no_whole_numbers(tmp_path):
    array = study_array()
    array[[2, 7], 0] = [1.5, np.nan]
    message = refusal(save(tmp_path / "posts.npy", array))
    assert "posts.npy: column 0: 2 labels are no whole numbers: 1.5, nan (rows 2, 7" in message


def test_refuses_a_pickled_array(tmp_path):
    path = tmp_path / "posts.npy"
    np.save(path, np.asarray([{"a": 1}], object), allow_pickle=True)
    message = refusal(path)
    assert "posts.npy: cannot be read: it is a pickled object array" in message
    assert "numpy.save" in message


def test_refuses_a_broken_array(tmp_path):
    (tmp_path / "posts.npy").write_bytes(b"no array")
    assert "posts.npy: cannot be read" in refusal(tmp_path / "posts.npy")


def test_refuses_partly_nan_rows(tmp_path):
    array = study_array()
    array[8, 400] = np.nan
    array[9, 2] = np.inf
    message = refusal(save(tmp_path / "posts.npy", array))
    assert "posts.npy:text: NaN, infinite or too large values for float32 in objects 9" in message


def test_refuses_values_beyond_float16(tmp_path):
    array = study_array()
    array[8, 400] = 1e5
    message = refusal(save(tmp_path / "posts.npy", array), dtype="float16")
    assert "posts.npy:image: NaN, infinite or too large values for float16 in objects 8" in message


def test_refuses_objects_without_modality(tmp_path):
    array = study_array()
    array[[4, 6], 1:] = 0
    message = refusal(save(tmp_path / "posts.npy", array))
    assert "2 of 40 objects have no modality (all zeros or NaN): 4, 6" in message
    assert "--drop-empty" in message


def test_drops_objects_without_modality_when_asked(tmp_path):
    array = study_array()
    array[[4, 6], 1:] = 0
    written = run(save(tmp_path / "posts.npy", array), drop_empty=True)
    assert (written.objects, written.dropped) == (38, 2)
    assert read(str(written.path)).ids[3:6].tolist() == ["3", "5", "7"]


def test_refuses_when_nothing_is_left(tmp_path):
    array = study_array()
    array[:, 1:] = 0
    message = refusal(save(tmp_path / "posts.npy", array), drop_empty=True)
    assert "no object has any modality" in message


def test_refuses_to_replace_a_file(tmp_path):
    source = save(tmp_path / "posts.npy", study_array())
    run(source)
    with pytest.raises(PoolError, match=r"out\.parquet: exists already"):
        run(source)


def test_refuses_a_source_that_is_not_there(tmp_path):
    assert "none.npy: no such file or folder" in refusal(tmp_path / "none.npy")


def test_refuses_a_kind_that_is_not_supported(tmp_path):
    (tmp_path / "posts.txt").write_text("x")
    assert "posts.txt: not a supported file" in refusal(tmp_path / "posts.txt")


def test_refuses_no_rows(tmp_path):
    assert "there are no objects" in refusal(save(tmp_path / "posts.npy", np.empty((0, 1325))))


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
    pool = read(str(run(npz(tmp_path, image=image, ids=np.asarray(list("pqrs")))).path))
    assert pool.ids.tolist() == ["p", "q", "r", "s"]
    assert pool.classes == ("x", "y")
    assert pool.modalities[0].rows.tolist() == [0, -1, -1, 1]
    assert np.array_equal(features(pool, "text"), draw(4, 2))


def test_npz_keeps_float16_and_turns_float64_into_float32(tmp_path):
    source = npz(tmp_path, image=draw(4, 3).astype(np.float16), text=draw(4, 2).astype(np.float64))
    pool = read(str(run(source).path))
    assert [part.features.dtype for part in pool.modalities] == [np.float16, np.float32]


@pytest.mark.parametrize("name", ["labels", "y"])
def test_npz_with_integer_labels_of_other_names(tmp_path, name):
    labels = np.asarray([10, 9, 10, 9])
    assert read(str(run(npz(tmp_path, label=None, **{name: labels})).path)).classes == ("9", "10")


def test_npz_with_named_arrays(tmp_path):
    source = npz(tmp_path, topic=np.asarray([1, 2, 1, 2]), key=np.asarray([5, 6, 7, 8]))
    options = ImportOptions(label="topic", id="key", modalities={"picture": "image"})
    pool = read(str(run(source, options).path))
    assert pool.classes == ("1", "2")
    assert pool.ids.tolist() == ["5", "6", "7", "8"]
    assert [part.name for part in pool.modalities] == ["picture"]


def test_npz_with_columns_first(tmp_path):
    image = np.asfortranarray(draw(4, 3))
    assert np.array_equal(
        features(read(str(run(npz(tmp_path, image=image)).path)), "image"), draw(4, 3)
    )


def test_npz_ignores_single_values(tmp_path):
    assert set(run(npz(tmp_path, version=np.asarray(3))).absent) == {"image", "text"}


def test_npz_of_images(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (4, 5, 6), np.uint8)
    images[2] = 0
    part = read(str(run(npz(tmp_path, image=images, text=None)).path)).modalities[0]
    assert (part.shape, part.features.dtype) == ((5, 6), np.uint8)
    assert part.present.all()
    assert np.array_equal(part.features.reshape(4, 5, 6), images)


def test_npz_with_training_and_test_parts(tmp_path):
    images = np.random.default_rng(0).integers(1, 256, (20, 2, 2), np.uint8)
    labels = np.arange(20) % 3
    np.savez(
        tmp_path / "d.npz",
        x_train=images[:13],
        y_train=labels[:13],
        x_test=images[13:],
        y_test=labels[13:],
    )
    pool = read(str(run(tmp_path / "d.npz", chunk_bytes=4 * 7).path))
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


def test_npz_without_modality_is_refused(tmp_path):
    assert "no array besides 'label'" in refusal(npz(tmp_path, image=None, text=None))


@pytest.mark.parametrize(
    "options",
    [
        ImportOptions(label="lable"),
        ImportOptions(id="lable"),
        ImportOptions(modalities={"a": "lable"}),
    ],
)
def test_npz_with_a_name_that_is_not_there_is_refused(tmp_path, options):
    assert "pool.npz: there is no array 'lable'; did you mean 'label'?" in refusal(
        npz(tmp_path), options
    )


def test_npz_with_mismatched_lengths_is_refused(tmp_path):
    message = refusal(npz(tmp_path, text=draw(5, 2)))
    assert "pool.npz:text: 5 rows" in message
    assert "pool.npz:label has 4" in message


def test_npz_with_one_hot_labels_is_refused(tmp_path):
    assert "argmax" in refusal(npz(tmp_path, label=np.eye(4)))


def test_npz_with_pickled_labels_is_refused(tmp_path):
    source = npz(tmp_path, label=np.asarray(["x", None, "x", "y"], object))
    assert "pool.npz:label: cannot be read: it is a pickled object array" in refusal(source)


def test_npz_with_integer_features_is_refused(tmp_path):
    message = refusal(npz(tmp_path, image=np.ones((4, 3), np.int64)))
    assert "pool.npz:image: rows of int64 with shape (3,)" in message
    assert "astype('float32')" in message


def test_npz_with_repeated_ids_is_refused(tmp_path):
    message = refusal(npz(tmp_path, id=np.asarray(["p", "q", "p", "s"])))
    assert "pool.npz: ids are not unique: p" in message


def test_npz_with_an_object_without_label_is_refused(tmp_path):
    message = refusal(npz(tmp_path, label=np.asarray(["x", "", "x", "y"])))
    assert "pool.npz: objects without a label: 1" in message


def test_npz_with_a_modality_called_like_a_column_is_refused(tmp_path):
    message = refusal(npz(tmp_path), ImportOptions(modalities={"id": "image"}))
    assert "cannot be called id or label" in message


def test_npz_that_is_cut_off_is_refused(tmp_path):
    source = npz(tmp_path)
    source.write_bytes(source.read_bytes()[:-200])
    assert "pool.npz: cannot be read" in refusal(source)


def test_labels_as_bytes_and_as_a_column(tmp_path):
    labels = np.asarray([[b"x"], [b"y"], [b"x"], [b"y"]])
    assert read(str(run(npz(tmp_path, label=labels)).path)).classes == ("x", "y")


# A folder.


def folder(tmp_path: Path) -> Path:
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
def test_folder_with_labels_as_text(tmp_path, name, content, classes):
    source = folder(tmp_path)
    (source / name).write_text(content)
    (source / "readme.txt").write_text("not labels")
    pool = read(str(run(source).path))
    assert pool.classes == classes
    assert [part.name for part in pool.modalities] == ["image", "text"]


def test_folder_with_labels_as_an_array_and_ids_as_text(tmp_path):
    source = folder(tmp_path)
    np.save(source / "labels.npy", np.asarray([1, 2, 1, 2]))
    (source / "ids.txt").write_text("p\nq\nr\ns\n")
    pool = read(str(run(source).path))
    assert pool.ids.tolist() == ["p", "q", "r", "s"]
    assert np.array_equal(features(pool, "image"), draw(4, 3))


def test_folder_without_arrays_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "empty: no .npy and no idx files" in refusal(tmp_path / "empty")


@pytest.mark.parametrize("content", ["a,b\nc,d\n", "a\n\nb\nc\n"])
def test_folder_with_a_label_table_is_refused(tmp_path, content):
    source = folder(tmp_path)
    (source / "labels.csv").write_text(content)
    assert "labels.csv: write one value per line" in refusal(source)


def test_folder_with_too_few_labels_is_refused(tmp_path):
    source = folder(tmp_path)
    (source / "labels.txt").write_text("a\nb\n")
    message = refusal(source)
    assert re.search(r"image\.npy: 4 rows, and \S+labels\.txt has 2", message)


def test_folder_with_labels_that_are_no_text_is_refused(tmp_path):
    source = folder(tmp_path)
    (source / "labels.txt").write_bytes(b"\xff\xfe\n")
    assert "labels.txt: not UTF-8" in refusal(source)


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
    pool = read(str(run(source, chunk_bytes=64 * 100).path))
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


def test_idx_without_labels_is_refused(tmp_path):
    source = idx(tmp_path / "train-images-idx3-ubyte", digits()[0][:50])
    message = refusal(source)
    assert "train-images-idx3-ubyte: its labels are missing" in message
    assert "train-labels-idx1-ubyte" in message


def test_idx_with_another_number_of_labels_is_refused(tmp_path):
    source = idx(tmp_path / "train-images-idx3-ubyte", digits()[0][:50])
    idx(tmp_path / "train-labels-idx1-ubyte", digits()[1][:49])
    assert "train-labels-idx1-ubyte: 49 labels" in refusal(source)


def test_idx_that_is_cut_off_is_refused(tmp_path):
    source = idx(tmp_path / "train-images-idx3-ubyte", digits()[0][:50])
    idx(tmp_path / "train-labels-idx1-ubyte", digits()[1][:50])
    source.write_bytes(source.read_bytes()[:-1])
    assert "train-images-idx3-ubyte: cannot be read: it ends after 0 of 50 rows" in refusal(source)


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x00\x0d\x01\x00\x00\x00\x00", b"\x00\x00\x08\x03\x00\x00"]
)
def test_idx_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content)
    idx(tmp_path / "train-labels-idx1-ubyte", digits()[1][:50])
    assert "train-images-idx3-ubyte: cannot be read" in refusal(
        tmp_path / "train-images-idx3-ubyte"
    )
