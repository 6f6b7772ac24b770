"""Labels and ids of any type: kept exactly, or refused with the value and its row."""

import re

import numpy as np
import pyarrow.parquet as pq
import pytest

from alray.errors import PoolError
from alray.pools.imports.scalars import as_ids, as_labels
from tests.helpers.imports import draw, imported, refusal, run


def labels(values):
    return as_labels("f", np.asarray(values))


def ids(values):
    return as_ids("f", np.asarray(values))


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([3, -1], [3, -1]),
        ([[3], [1]], [3, 1]),
        (np.asarray([2**64 - 1, 2**63, 7], np.uint64), [2**64 - 1, 2**63, 7]),
        (np.asarray([2**63 - 1, 7], np.uint64), [2**63 - 1, 7]),
        (np.asarray([2.0**53, -3.0]), [2**53, -3]),
        (np.asarray([2**11, 5], np.float16), [2**11, 5]),
        ([True, False], [1, 0]),
        (["10", "9"], [10, 9]),
        (["18446744073709551615", "9"], ["18446744073709551615", "9"]),
        ([b"caf\xc3\xa9", b"x"], ["café", "x"]),
        (np.asarray(["2024-01-31", "2023-12-01"], "M8[D]"), ["2024-01-31", "2023-12-01"]),
        (["a", " b"], ["a", " b"]),
    ],
    ids=str,
)
def test_labels_are_kept(values, kept):
    assert labels(values).tolist() == kept


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            np.asarray([1.0, 2.0**63]),
            r"1 labels are too large: float64 is exact up to .*9\.22.*\(rows 1, ",
        ),
        (
            np.asarray([2.0**53 + 2]),
            "too large: float64 is exact up to 9,007,199,254,740,992 only",
        ),
        (np.asarray([2**24 + 2], np.float32), "too large: float32 is exact up to 16,777,216 only"),
        ([1.0, np.nan, np.inf], r"1 labels are no whole numbers: inf \(rows 2,"),
        ([1 + 2j, 1], r"labels are complex128; save them as whole numbers or text"),
        (
            np.asarray([(1, 2.0)], [("topic", "i4"), ("score", "f4")]),
            r"records .* topic, score; .*\['topic'\]",
        ),
        ([b"x", b"caf\xe9"], r"1 labels are not UTF-8; .*latin-1.*: b'caf\\xe9' \(rows 1,"),
        (["x", "\ud800"], r"1 labels are not UTF-8"),
        (np.asarray([b"x", b"y"], "V1"), r"labels are \|V1"),
        (np.asarray([3, 4], "m8[s]"), r"labels are timedelta64\[s\]"),
        (["cat", "dog", "cat "], "the labels 'cat', 'cat ' differ in spaces only"),
        (np.eye(3), "labels of shape .* argmax"),
    ],
    ids=str,
)
def test_labels_are_refused(values, words):
    with pytest.raises(PoolError, match=words):
        labels(values)


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([[b"a"], [b"\xc3\xa4"]], ["a", "ä"]),
        ([7, 2**63 - 1], ["7", str(2**63 - 1)]),
        (np.asarray([2**64 - 1], np.uint64), [str(2**64 - 1)]),
        ([0.0, 1.0], ["0.0", "1.0"]),
        (np.asarray(["2024-01-31"], "M8[D]"), ["2024-01-31"]),
    ],
    ids=str,
)
def test_ids_are_kept(values, kept):
    assert ids(values).tolist() == kept


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.ones((2, 2)), r"ids of shape \(2, 2\)"),
        ([b"\xe9", b"a"], r"1 ids are not UTF-8; .* \(rows 0,"),
        (["a", ""], r"1 ids are empty; .*\(rows 1,"),
        (["a", "b" * 1025], r"ids of more than 1,024 characters \(rows 1,"),
        ([2.0**53 + 2, 1.0], "1 ids are not exact; save them as integers or text"),
        ([np.nan, 1.0], "1 ids are not exact"),
        (np.asarray([(1,)], [("key", "i4")]), "ids are records with the fields key"),
        ([1j], "ids are complex128"),
    ],
    ids=str,
)
def test_ids_are_refused(values, words):
    with pytest.raises(PoolError, match=words):
        ids(values)


def test_label_hashes_are_classes_in_the_written_file(tmp_path):
    hashes = np.asarray([2**64 - 1, 2**63 + 1, 2**63, 5], np.uint64)
    np.savez(tmp_path / "a.npz", label=hashes, image=draw(4, 2))
    pool = imported(tmp_path / "a.npz")
    assert pool.classes == tuple(str(value) for value in sorted(hashes.tolist()))
    assert [pool.classes[code] for code in pool.labels] == [str(value) for value in hashes]


def test_parts_in_types_without_a_common_exact_one_are_refused(tmp_path):
    train, test = np.asarray([2**63 + 1] * 2, np.uint64), np.asarray([-1, 5])
    np.savez(tmp_path / "a.npz", x_train=draw(2, 2), x_test=draw(2, 2), y_train=train, y_test=test)
    assert re.search(
        r"y_test: of type int64, and .*y_train is uint64", refusal(tmp_path / "a.npz")
    )


def test_parts_of_several_float_types_are_written_in_one(tmp_path):
    np.savez(
        tmp_path / "a.npz",
        x_train=draw(2, 2).astype(np.float16),
        x_test=draw(2, 2),
        y=np.arange(4) % 2,
    )
    path = run(tmp_path / "a.npz", chunk_bytes=8).path
    assert pq.read_table(path)["image"].to_pylist()[2:] == draw(2, 2).tolist()
