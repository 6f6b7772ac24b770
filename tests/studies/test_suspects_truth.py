"""Suspects beside a column of right labels: what it says, what it leaves as it is, and what is refused."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import alray
from alray.errors import PoolError, SpecError
from alray.pools.pool import Pool
from alray.pools.reading import read_pool
from alray.pools.reading_truths import read_truths
from alray.settings.common import PoolSpec
from alray.statistics.proportion import wilson
from alray.studies.suspects import confident, finding
from alray.studies.suspects.finding import SUSPECT_COLUMNS
from alray.studies.suspects.truth import TRUTH_COLUMNS, checked, truths_of
from tests.helpers.pools_fixtures import IDS, parquet, vectors
from tests.helpers.studies import write_pool

OBJECTS, WRONG, KNOWN = 150, 30, 100
SETTINGS: dict[str, Any] = {
    "model": {"width": 8},
    "training": {"passive_epochs": 6, "lr": 0.02},
    "folds": 2,
}


def _judge(labels, probabilities):
    """Stand in for cleanlab, which need not be installed: suspect is what the network says otherwise."""
    own = probabilities[np.arange(len(labels)), labels]
    return confident.Judgement(probabilities.argmax(1) != labels, own, own)


@pytest.fixture(scope="module", autouse=True)
def _stand_in():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(confident, "find_spec", lambda _: True)
        patch.setattr(finding, "judge", _judge)
        yield


@pytest.fixture(scope="module")
def truths():
    """Return the right labels: the first 30 are not those of the pool, of two of these no label is, 50 are unknown."""
    right = [f"class-{number % 3}" for number in range(OBJECTS)]
    right[:WRONG] = [f"class-{(number + 1) % 3}" for number in range(WRONG)]
    right[0], right[1] = "class-9", "class-8"
    return [*right[:KNOWN], *[None] * (OBJECTS - KNOWN)]


@pytest.fixture(scope="module")
def source(tmp_path_factory, truths):
    folder = tmp_path_factory.mktemp("pool")
    return write_pool(folder / "posts.parquet", objects=OBJECTS, checked=truths)


@pytest.fixture(scope="module")
def plain(source):
    return alray.suspects(pool=source, **SETTINGS)


@pytest.fixture(scope="module")
def found(source):
    return alray.suspects(pool=source, truth="checked", **SETTINGS)


def test_without_a_truth_there_is_none(plain):
    assert list(plain.table) == list(SUSPECT_COLUMNS)
    assert plain.checked is None


def test_the_estimate_does_not_see_the_truth(plain, found):
    assert list(found.table) == [*SUSPECT_COLUMNS, *TRUTH_COLUMNS]
    of_both = found.table[list(SUSPECT_COLUMNS)]
    pd.testing.assert_frame_equal(of_both, plain.table, check_exact=True)


def test_each_row_has_its_own_truth(found, truths):
    table = found.table.set_index("id")
    for number, truth in enumerate(truths):
        row = table.loc[f"object-{number}"]
        if truth is None:
            assert pd.isna(row["truth"])
            assert pd.isna(row["wrong"])
        else:
            assert row["truth"] == truth
            assert row["wrong"] == (number < WRONG)


def test_the_counts_are_those_of_the_table(found):
    table, counts = found.table, found.checked
    wrong, right = table["wrong"].eq(other=True), table["wrong"].eq(other=False)
    assert counts.column == "checked"
    assert (counts.wrong, counts.right, counts.unknown) == (WRONG, KNOWN - WRONG, 50)
    assert counts.found == (wrong & table["suspect"]).sum() > 0
    assert counts.alarms == (right & table["suspect"]).sum() > 0
    assert counts.suspects == found.count
    assert (counts.outside, counts.outside_classes) == (2, ("class-8", "class-9"))
    assert counts.found_share == wilson(float(counts.found), float(WRONG))
    assert counts.alarm_share == wilson(float(counts.alarms), float(KNOWN - WRONG))
    suspects = float(counts.found + counts.alarms)
    assert counts.wrong_share == wilson(float(counts.found), suspects)


def test_planting_stays_as_it_is(source):
    once = SETTINGS | {"training": {"passive_epochs": 1}, "plant": 15}
    without = alray.suspects(pool=source, **once)
    with_truth = alray.suspects(pool=source, truth="checked", **once)
    assert with_truth.planted == without.planted
    assert with_truth.planted is not None
    assert with_truth.planted.labels == 15
    assert with_truth.checked is not None
    assert with_truth.checked.wrong == WRONG


def test_a_truth_of_all_labels_leaves_none_unknown(tmp_path):
    names = [f"class-{number % 3}" for number in range(60)]
    pool = write_pool(tmp_path / "all.parquet", objects=60, truth=names)
    found = alray.suspects(
        pool=pool, truth="truth", **SETTINGS | {"training": {"passive_epochs": 1}}
    )
    counts = found.checked
    assert counts is not None
    assert (counts.wrong, counts.right, counts.unknown, counts.outside) == (0, 60, 0, 0)
    assert np.isnan(counts.found_share).all()
    assert found.table["wrong"].tolist() == [False] * 60


def _pool(labels: list[int], groups: list[int] | None = None) -> Pool:
    ids = np.array([str(number) for number in range(len(labels))], dtype=object)
    of_groups = None if groups is None else np.array(groups)
    return Pool("made", ids, np.array(labels), ("a", "b"), (), of_groups, "")


def test_by_hand():
    pool = _pool([0, 0, 0, 1, 1, 1])
    known = {"0": "b", "1": "a", "3": "c", "4": "b"}
    judged = np.array([True, True, True, True, True, False])
    truths = truths_of(pool, known, "t", judged)
    assert truths.tolist() == ["b", "a", None, "c", "b", None]
    at = np.flatnonzero(judged)
    suspect = np.array([True, True, True, False, False])
    counts = checked(pool, "t", at, truths[at], suspect)
    assert (counts.wrong, counts.found, counts.right, counts.alarms) == (2, 1, 2, 1)
    assert (counts.unknown, counts.suspects, counts.outside_classes) == (1, 3, ("c",))


def test_objects_of_a_group_say_less_than_as_many_single_ones():
    """Forty labels in ten groups of four that are suspect together: the interval is that of ten."""
    alone = _pool([0] * 40 + [1] * 2)
    groups = [*np.repeat(np.arange(10), 4), 10, 11]
    truths = np.array(["b"] * 40 + [None] * 2, dtype=object)
    suspect = np.repeat(np.arange(12) < 5, [4] * 10 + [1] * 2)
    at = np.arange(42)
    single, together = (
        checked(pool, "t", at, truths, suspect).found_share
        for pool in (alone, replace(alone, groups=np.array(groups)))
    )
    assert single.share == together.share == 0.5
    assert together.high - together.low > 1.7 * (single.high - single.low)


CODES = [1, 2, 1, 2, 1, 2]


@pytest.mark.parametrize(
    "truth",
    [
        pa.array(["1", "1", None, "", "2", "2"]),
        pa.array([1, 1, None, None, 2, 2], pa.int8()),
        pa.array([1.0, 1.0, None, np.nan, 2.0, 2.0]),
        pa.array([b"1", b"1", None, b"", b"2", b"2"]),
        pa.array(["1", "1", None, None, "2", "2"]).dictionary_encode(),
    ],
)
@pytest.mark.parametrize("label", [CODES, [str(code) for code in CODES]])
def test_numbers_and_texts_are_read_as_labels_are(tmp_path, label, truth):
    spec = PoolSpec(source=parquet(tmp_path, label=label, truth=truth))
    known = read_truths(spec, "truth")
    assert known == {"a": "1", "b": "1", "e": "2", "f": "2"}
    assert set(known.values()) <= set(read_pool(spec).classes)


def test_truths_are_found_by_row_numbers_where_there_is_no_id(tmp_path):
    """The second object has no label, so the pool leaves it out."""
    spec = PoolSpec(
        source=parquet(
            tmp_path, id=None, label=["x", None, "y", "x", "y", "x"], truth=list("xyxyxy")
        )
    )
    known, pool = read_truths(spec, "truth"), read_pool(spec)
    found = truths_of(pool, known, "truth", np.ones(5, bool))
    assert found.tolist() == ["x", "x", "y", "x", "y"]


def test_a_byte_order_mark_before_the_name_is_no_part_of_it(tmp_path):
    path = tmp_path / "marked.parquet"
    x = vectors([[float(number), 1.0] for number in range(6)])
    pq.write_table(
        pa.table({"\ufefftruth": list("aabbab"), "id": IDS, "label": CODES, "x": x}), path
    )
    assert Counter(read_truths(PoolSpec(source=str(path)), "truth").values()) == {"a": 3, "b": 3}


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"truth": "chekced"}, PoolError, "did you mean 'checked'.*--truth COLUMN"),
        ({"truth": "empty"}, PoolError, "'empty' is null or empty in all 6 rows"),
        ({"truth": "codes"}, PoolError, "'codes' names no class of the pool: it holds 0, 1, and"),
        ({"truth": "unlabelled"}, PoolError, "'unlabelled' is null for all 5 labels that are"),
        ({"truth": "text"}, PoolError, "labels are text or whole numbers; .*--truth COLUMN"),
        ({"truth": "f_1"}, PoolError, r"'f_1' is double and holds 0.5 .*--truth COLUMN"),
        ({"truth": "label"}, SpecError, "is the column of the labels that are judged"),
        ({"truth": "id"}, SpecError, "is the column of the ids"),
        ({"pool.group_by": "checked"}, SpecError, "is the column of the groups"),
        ({"pool.modalities": {"f": "checked"}}, SpecError, "also a feature of the modality 'f'"),
        ({"truth": "f_2", "pool.modalities": {"f": "f_*"}}, SpecError, r"modality 'f' \(f_\*\)"),
        ({"truth": "f_2", "pool.modalities": {"f": "f_1:f_3"}}, SpecError, "modality 'f'"),
    ],
)
def test_what_is_no_column_of_right_labels_is_refused_before_any_fit(
    tmp_path, monkeypatch, settings, error, text
):
    monkeypatch.setattr(finding, "out_of_sample", None)
    columns = {
        "label": ["cat", "dog", "cat", "dog", "cat", None],
        "checked": ["cat", None, "dog", None, None, None],
        "empty": pa.nulls(6, pa.string()),
        "codes": [0, 1, 0, 1, 0, 1],
        "unlabelled": [None, None, None, None, None, "cat"],
        **{f"f_{number}": [0.5] * 6 for number in (1, 3)},
        "f_2": [0, 1, 0, 1, 0, 1],
    }
    pool: dict[str, Any] = {"source": parquet(tmp_path, **columns)}
    pool |= {key[5:]: value for key, value in settings.items() if key.startswith("pool.")}
    with pytest.raises(error, match=text):
        alray.suspects(pool=pool, folds=2, truth=settings.get("truth", "checked"))
