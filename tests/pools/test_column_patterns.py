"""Modalities of a column per feature: patterns and ranges of columns of numbers."""

import numpy as np
import pyarrow as pa
import pytest

from alray.errors import PoolError
from alray.pools.columns import features as features_module
from tests.helpers.pools_fixtures import parquet, read


def numbered(order=(10, 2, 1), kind=None, **others):
    """Return columns img_1, img_2 and img_10 of which the object c has none."""
    found = {
        f"img_{n}": pa.array([n, n + 1, None, n + 2, n + 3, n + 4], kind or pa.float32())
        for n in order
    }
    return {**found, **others}


@pytest.mark.parametrize("batch_bytes", [24, 1 << 25])
@pytest.mark.parametrize("kind", [pa.float32(), pa.int64(), pa.decimal128(9, 1)], ids=str)
@pytest.mark.parametrize("named", ["img_*", "i*g_*"])
def test_a_column_per_feature_in_the_order_of_their_numbers(
    tmp_path, kind, named, batch_bytes, monkeypatch
):
    monkeypatch.setattr(features_module, "BATCH_BYTES", batch_bytes)
    source = parquet(tmp_path, **numbered(kind=kind), image=None, row_group_size=4)
    (image, _) = read(source, modalities={"image": named, "text": "text"}).modalities
    assert image.features[:2].tolist() == [[1, 2, 10], [2, 3, 11]]
    assert image.rows.tolist() == [0, 1, -1, 2, 3, 4]
    assert (image.shape, image.features.dtype) == ((3,), np.float32)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("img_1:img_3", [1, 2, 3]),
        ("img_2:img_3", [2, 3]),
        ("first:last", [7, 8]),
        ("img_0*", None),
    ],
)
def test_a_range_of_columns_holds_both_ends(tmp_path, named, expected):
    """By their numbers, or by their order in the file; ids and labels are never features."""
    words = {name: [value] * 6 for name, value in (("first", 7.0), ("last", 8.0))}
    source = parquet(tmp_path, **numbered((3, 1, 2)), **words, image=None)
    if expected is None:
        with pytest.raises(PoolError, match=r"no column fits the pattern 'img_0\*'; columns are"):
            read(source, modalities={"image": named})
    else:
        (image, _) = read(source, modalities={"image": named, "text": "text"}).modalities
        assert image.features[0].tolist() == expected


@pytest.mark.parametrize(
    ("named", "changed", "words"),
    [
        ("img_*", {"img_name": list("abcdef")}, "some do not hold numbers: img_name (string)"),
        ("img_1:img_10", {}, "has gaps: no column img_3, img_4, img_5, img_6, img_7 and 1 more"),
        ("img_10:img_1", {}, "the range img_10:img_1 is empty; write the first column first"),
        (
            "img_*",
            {"img_2": pa.array([1.0, None, None, 1.0, None, 1.0])},
            "column 'img_*' has NaN, null or infinite values in 2 objects: b, e",
        ),
        ("img_1", {}, "column 'img_1' is float, one number per object; name columns that are"),
        ("*", {"id": range(6), "label": [0, 1] * 3}, "some do not hold numbers: text (fixed"),
    ],
)
def test_refuses_columns_that_do_not_fit_a_pattern(tmp_path, named, changed, words):
    source = parquet(tmp_path, **{**numbered(), **changed}, image=None)
    with pytest.raises(PoolError) as caught:
        read(source, modalities={"image": named, "text": "text"})
    assert words in str(caught.value)
