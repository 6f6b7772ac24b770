import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from alray.api import plan_sweep
from alray.errors import PoolError
from alray.pools.describe import describe
from alray.pools.duplicates import Duplicates, hash_rows
from alray.settings.common import PoolSpec
from tests.helpers.command import alray
from tests.helpers.pools_fixtures import parquet, vectors


def described(source, **settings):
    return describe(PoolSpec(source=source, **settings))


def test_counts_objects_classes_and_modalities(tmp_path):
    found = described(parquet(tmp_path, label=["cat", "dog", "cat", "dog", "cat", "dog"]))
    assert found.classes == {"cat": 3, "dog": 3}
    assert found.problems == ()
    assert found.train == 2
    found = described(parquet(tmp_path, label=["cat", "dog", "cat", "dog", "cat", "cat"]))
    assert (found.name, found.objects) == ("pool", 6)
    assert found.classes == {"cat": 4, "dog": 2}
    image, text = found.modalities
    assert (image.name, image.shape, image.dtype, image.absent) == ("image", (2,), "float32", 1)
    assert (text.absent, text.unusable) == (1, 0)
    assert found.notes == ()
    assert found.groups is None


@pytest.mark.parametrize(
    ("changes", "settings", "words"),
    [
        ({"label": list("xxxxyy")}, {}, "class 'y' (2); add objects"),
        ({"label": list("xxxyyy"), "g": list("aaaaaa")}, {"group_by": "g"}, "with --group-by"),
        (
            {"label": list("xxxyyyzzzuu"), "id": range(11)},
            {},
            "class 'u' (2); drop small classes with --min-class-size 3",
        ),
        (
            {"label": list("xxxyyy"), "rare": vectors([[1.0, 2.0], *[None] * 5])},
            {"modalities": {"rare": "rare", "image": "text"}},
            "modality 'rare': no object of the train part has it",
        ),
    ],
    ids=["small", "one group", "one class too small", "a modality outside the train part"],
)
def test_describes_what_the_split_of_a_study_refuses_in_the_same_words(
    tmp_path, changes, settings, words
):
    objects = len(changes["label"])
    full = vectors([[float(number), 1.0] for number in range(objects)])
    source = parquet(tmp_path, **{"text": full, "image": full, "id": list("abcdef"), **changes})
    (problem,) = described(source, **settings).problems
    assert words in problem
    with pytest.raises(PoolError) as refused:
        plan_sweep({"pool": {"source": source, **settings}})
    assert str(refused.value) == problem


NAN_IN_TWO = [[float("nan"), 1.0], [1.0, 2.0], [float("inf"), 0.0], None, [1.0, 1.0], [1.0, 0.0]]


@pytest.mark.parametrize(
    ("columns", "absent", "unusable", "problems"),
    [
        ({"image": vectors(NAN_IN_TWO)}, 1, 2, ["2 objects: a, c;"]),
        ({"label": ["cat"] * 6}, 1, 0, ["the only class is 'cat'"]),
        ({"image": vectors([None] * 6)}, 6, 0, ["absent from every object", "no modality"]),
    ],
    ids=["NaN", "one class", "no image"],
)
def test_describes_what_an_experiment_refuses(tmp_path, columns, absent, unusable, problems):
    found = described(parquet(tmp_path, **columns))
    image = found.modalities[0]
    assert (found.objects, image.absent, image.unusable) == (6, absent, unusable)
    for problem, words in zip(found.problems, problems, strict=True):
        assert words in problem


def test_describes_when_every_class_is_dropped(tmp_path):
    found = described(parquet(tmp_path), min_class_size=99)
    assert (found.objects, found.classes) == (0, {})
    assert found.duplicates == Duplicates(0, 0, 0)
    assert "99" in found.notes[0]


@pytest.mark.parametrize(
    ("image", "text", "expected"),
    [
        (
            [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [5.0, 6.0], None, None],
            [[0.5, 0.25], [0.5, 0.25], [0.5, 0.5], None, [1.0, 1.0], [1.0, 1.0]],
            Duplicates(objects=4, sets=2, conflicting_sets=1),
        ),
        (
            [[1.0, 2.0], [3.0, 4.0], *[[5.0, i] for i in range(4)]],
            [[3.0, 4.0], [1.0, 2.0], *[[5.0, i] for i in range(4)]],
            Duplicates(0, 0, 0),
        ),
        (
            [None, None, None, [5.0, 6.0], [1.0, 0.0], [0.0, 1.0]],
            [None] * 6,
            Duplicates(0, 0, 0),
        ),
    ],
    ids=["all modalities agree", "swapped modalities", "no modality"],
)
def test_duplicates_have_the_same_features_in_all_modalities(tmp_path, image, text, expected):
    labels = ["cat", "dog", "cat", "dog", "cat", "cat"]
    source = parquet(tmp_path, image=vectors(image), text=vectors(text), label=labels)
    assert described(source).duplicates == expected


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.uint8])
def test_hashes_tell_rows_apart_by_any_single_value(dtype):
    rows = np.zeros((300, 299), dtype)
    rows[np.arange(299), np.arange(299)] = 1
    assert len(np.unique(hash_rows(rows), axis=0)) == 300


@given(
    rows=hnp.arrays(
        np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 3)), elements=st.integers(0, 3)
    )
)
@settings(max_examples=50)
def test_hashes_agree_exactly_where_rows_do(rows):
    hashes = hash_rows(rows)
    same_rows = (rows[:, None] == rows[None]).all(axis=2)
    same_hashes = (hashes[:, None] == hashes[None]).all(axis=2)
    assert (same_rows == same_hashes).all()
    assert (hash_rows(rows, chunk_values=10) == hashes).all()


def test_equality_is_that_of_the_bits():
    """Zeros of either sign differ, a NaN equals itself."""
    hashes = hash_rows(np.asarray([[0.0], [-0.0], [np.nan], [np.nan]], np.float32))
    assert (hashes[0] != hashes[1]).all()
    assert (hashes[2] == hashes[3]).all()


def wide(constant, objects=60):
    """Return rows of three features, of which those in `constant` are equal in all objects."""
    rows = np.random.default_rng(0).normal(size=(objects, 3)).astype(np.float32)
    rows[:, constant] = 0.1
    return vectors(rows.tolist(), size=3)


@pytest.mark.parametrize("constant", [[], [2], [0, 2]])
def test_constant_features_are_named(tmp_path, constant):
    objects = {"id": range(60), "label": list("ab") * 30, "text": None}
    source = parquet(tmp_path, image=wide(constant), **objects)
    found = described(source)
    assert found.modalities[0].constant == tuple(constant)
    assert found.problems == ()
    named = f"image: {len(constant)} of 3 features are equal in all objects: number "
    shown = " ".join(alray("pool", "describe", source).output.split())
    assert (f"{named}{', '.join(map(str, constant))} (" in shown) is bool(constant)


def test_a_modality_of_constant_features_is_a_problem(tmp_path):
    objects = {"id": range(60), "label": list("ab") * 30, "text": wide([])}
    (problem,) = described(parquet(tmp_path, image=wide([0, 1, 2]), **objects)).problems
    assert "column 'image' has the same features in all 60 objects that have any" in problem


@pytest.mark.parametrize(
    ("change", "warned"),
    [
        (
            {7: 1e30, 9: -1e12},
            "in 2 objects that features of all others look alike once they are standardised: 7, 9;",
        ),
        ({7: 100.0}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("unit", [1e-9, 1.0])
@pytest.mark.parametrize("middle", [0.0, 500.0])
def test_values_that_crush_all_others_are_warned_of(tmp_path, change, warned, unit, middle):
    rows = middle + np.random.default_rng(0).normal(size=(60, 3))
    rows[:, 2] = 0
    rows[5, 2] = 1  # a sparse feature
    for row, size in change.items():
        rows[row, 1] += size
    image = vectors((rows * unit).astype(np.float32).tolist(), size=3)
    source = parquet(tmp_path, id=range(60), label=list("ab") * 30, image=image, text=None)
    found = described(source).warnings
    assert [bool(warned) and warned in line for line in found] == [True] * bool(warned)
