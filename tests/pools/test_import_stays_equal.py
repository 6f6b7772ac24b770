"""What was imported by earlier versions is imported to the same table."""

import hashlib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from alray.pools.files.fixed_size_lists import null_rows_work
from alray.pools.imports.source import ImportOptions
from tests.helpers.imports import run


def study_array(folder: Path) -> tuple[Path, ImportOptions]:
    values = np.arange(30.0 * 9).reshape(30, 9)
    values[:, 0] = np.arange(30) % 3 + 9
    values[4, 1:5] = 0
    values[7, 5:] = np.nan
    np.save(folder / "a.npy", values)
    return folder / "a.npy", ImportOptions(columns={"text": (1, 5), "image": (5, 9)})


def npz(folder: Path) -> tuple[Path, ImportOptions]:
    features = np.arange(24.0).reshape(6, 4)
    images = np.arange(36, dtype=np.uint8).reshape(6, 2, 3)
    ids = np.asarray([*"pqrst", "ä"])
    half = features.astype(np.float16)
    np.savez(folder / "a.npz", y=list("xyxyxz"), id=ids, text=features, half=half, pixels=images)
    return folder / "a.npz", ImportOptions()


def two_parts(folder: Path) -> tuple[Path, ImportOptions]:
    ones, zeros = np.ones((4, 2, 2), np.uint8), np.zeros((2, 2, 2), np.uint8)
    labels = [10, 9, 10, 9]
    np.savez(folder / "a.npz", x_train=ones, x_test=zeros, y_train=labels, y_test=[9, 10])
    return folder / "a.npz", ImportOptions()


def folder_of_arrays(folder: Path) -> tuple[Path, ImportOptions]:
    source = folder / "arrays"
    source.mkdir()
    np.save(source / "text.npy", np.arange(8.0, dtype=np.float32).reshape(4, 2))
    (source / "labels.csv").write_text('label\n"a, c"\nb\nb\nb\n')
    (source / "ids.txt").write_text("p\nq\nr\ns\n")
    return source, ImportOptions()


def idx(folder: Path) -> tuple[Path, ImportOptions]:
    for part, count in (("train", 3), ("t10k", 2)):
        images = bytes([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 2, *range(4 * count)])
        (folder / f"{part}-images-idx3-ubyte").write_bytes(images)
        labels = bytes([0, 0, 8, 1, 0, 0, 0, count, *range(count)])
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels)
    return folder, ImportOptions()


@pytest.mark.skipif(not null_rows_work(), reason="PyArrow's own reader knows no null rows")
@pytest.mark.parametrize(
    ("make", "digest"),
    [
        (study_array, "b99ad8007c6174d5"),
        (npz, "87057bd23e2de494"),
        (two_parts, "7f543b2781597746"),
        (folder_of_arrays, "9e584995c3f784ad"),
        (idx, "c7806512acf1ed7e"),
    ],
)
def test_table_is_that_of_version_0_1(tmp_path, make, digest):
    """The digest is over types, metadata, order of columns, and values."""
    source, options = make(tmp_path)
    table = pq.read_table(run(source, options).path)
    text = f"{table.schema.to_string()}\n{table.to_pylist()}"
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == digest
