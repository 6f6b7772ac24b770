import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alray.errors import PoolError
from alray.pools import moments, standardise
from alray.pools.pool import TEST, TRAIN, VALIDATION, Modality
from alray.pools.preparing import prepare
from alray.pools.split import assign_parts
from alray.seeding import generator
from alray.settings.common import PoolSpec, SplitSpec
from tests.helpers.builders import raw_pool

SPLIT = SplitSpec(validation=0.1, test=0.2)


def parts_of(labels, groups=None, split=SPLIT, seed=0):
    return assign_parts(raw_pool(labels, groups), split, generator(seed, 0, "split"))


def counts_of(part, labels):
    """Return (parts, classes) how many objects are where."""
    classes = int(np.max(labels)) + 1
    return np.array(
        [np.bincount(np.asarray(labels)[part == p], minlength=classes) for p in range(3)]
    )


def modality(features, present=None, name="text", shape=None):
    there = np.ones(len(features), dtype=bool) if present is None else np.asarray(present)
    rows = np.where(there, np.cumsum(there) - 1, -1).astype(np.int32)
    return Modality(name, features[there], rows, shape or (features.shape[1],))


def prepared(*modalities, dtype="float32"):
    """Return a pool of these modalities, its objects in two classes by turns."""
    labels = np.arange(len(modalities[0].rows)) % 2
    return prepare(raw_pool(labels, None, modalities), PoolSpec(dtype=dtype), SPLIT, 0)


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@given(
    sizes=st.lists(st.integers(10, 60), min_size=2, max_size=5),
    validation=st.floats(0.05, 0.4),
    test=st.floats(0.05, 0.4),
    seed=st.integers(0, 99),
)
def test_each_class_has_its_shares_to_within_one_object(sizes, validation, test, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    split = SplitSpec(validation=validation, test=test)
    counts = counts_of(parts_of(labels, split=split, seed=seed), labels)
    shares = np.array([1 - validation - test, validation, test])
    wanted = shares[:, None] * np.array(sizes)
    assert counts.sum() == len(labels)
    # Two parts are rounded, each by half an object, and the train part is the rest.
    assert (np.abs(counts - wanted)[1:] <= 0.5 + 1e-9).all()
    assert (np.abs(counts - wanted)[TRAIN] <= 1 + 1e-9).all()


@given(data=st.data())
@settings(max_examples=30)
def test_groups_stay_whole_and_shares_near(data):
    classes = data.draw(st.integers(2, 4))
    sizes = data.draw(st.lists(st.integers(1, 6), min_size=60, max_size=120))
    groups = np.repeat(np.arange(len(sizes)), sizes)
    labels = np.repeat(np.arange(len(sizes)) % classes, sizes)
    order = np.random.default_rng(data.draw(st.integers(0, 99))).permutation(len(groups))
    groups, labels = groups[order], labels[order]
    part = parts_of(labels, groups)
    assert all(len(np.unique(part[groups == group])) == 1 for group in range(len(sizes)))
    counts, totals = counts_of(part, labels), np.bincount(labels)
    wanted = np.array([0.7, 0.1, 0.2])[:, None] * totals
    # A part gets a group while it is below its share, so it ends less than a group above it. The third part lacks the
    # objects that the other two have above their shares. One object more for rounding.
    assert (counts - wanted <= max(sizes) + 1).all()
    assert (wanted - counts <= 2 * max(sizes) + 1).all()


def test_a_group_may_span_classes():
    labels = np.tile([0, 1], 30)
    groups = np.arange(60) // 2
    part = parts_of(labels, groups)
    assert (part[::2] == part[1::2]).all()
    assert np.array_equal(*counts_of(part, labels).T)


def test_groups_of_one_are_split_as_if_there_were_none():
    labels = np.repeat([0, 1], 50)
    assert np.array_equal(parts_of(labels), parts_of(labels, np.arange(100)[::-1]))


def test_the_order_of_the_file_does_not_decide():
    """Every object has the same chance of each part: here the first of 100, over 400 seeds."""
    labels = np.zeros(100, dtype=np.int64)
    labels[50:] = 1
    in_test = sum(parts_of(labels, seed=seed)[0] == TEST for seed in range(400))
    # Binomial(400, 0.2): 80, standard deviation 8; five of them.
    assert 40 < in_test < 120


def test_the_smallest_class_that_can_be_split():
    labels = [0] * 20 + [1] * 3
    part = parts_of(labels)
    assert sorted(part[20:]) == [TRAIN, VALIDATION, TEST]


@pytest.mark.parametrize(("share", "size"), [(0.4, 4), (0.45, 4), (0.3, 3)])
def test_rounding_leaves_a_small_class_an_object_in_the_train_part(share, size):
    labels = [0] * 100 + [1] * size
    counts = counts_of(parts_of(labels, split=SplitSpec(validation=share, test=share)), labels)
    assert counts[:, 1].tolist() == [1, 1, size - 2]
    assert counts[0, 0] == pytest.approx(100 * (1 - 2 * share))


@pytest.mark.parametrize(
    ("labels", "groups", "message"),
    [
        (
            [0] * 20 + [1] * 2 + [2] * 5 + [3],
            None,
            r"part: class 'class 1' \(2\), 'class 3' \(1\); drop .*--min-class-size 3$",
        ),
        ([0] * 20 + list(range(1, 9)), None, r"'class 5' \(1\) and 3 more;"),
        ([0] * 20 + [1] * 8, [*range(20), *[20] * 4, *[21] * 4], "share too few groups"),
    ],
    ids=["two", "many", "groups"],
)
def test_classes_that_are_too_small_are_named(labels, groups, message):
    with pytest.raises(PoolError, match=message):
        parts_of(labels, groups)


def test_parts_are_sorted_disjoint_and_complete():
    pool = prepared(modality(normal(90, 2)))
    together = np.concatenate([pool.train, pool.validation, pool.test])
    assert np.array_equal(np.sort(together), np.arange(90))
    assert all((np.diff(part) > 0).all() for part in (pool.train, pool.validation, pool.test))


@pytest.mark.parametrize("rows_at_a_time", [7, 16_384])
def test_features_are_standardised_by_the_present_objects_of_the_train_part(
    monkeypatch, rows_at_a_time
):
    for module in (moments, standardise):
        monkeypatch.setattr(module, "ROWS_AT_A_TIME", rows_at_a_time)
    features = 5 + normal(200, 3) * np.asarray([1, 20, 300], np.float32)
    present = np.random.default_rng(1).random(200) < 0.6
    pool = prepared(modality(features, present), modality(normal(200, 1), name="other"))
    part = pool.modalities[0]
    used = features[np.intersect1d(pool.train, np.flatnonzero(present))].astype(np.float64)
    wanted = (features[present] - used.mean(axis=0)) / used.std(axis=0)
    assert part.features.dtype == np.float32
    np.testing.assert_allclose(part.features, wanted, rtol=1e-5, atol=1e-6)
    assert (part.offset, part.scale) == (0.0, 1.0)


def test_objects_outside_the_train_part_change_nothing_inside():
    features = normal(60, 2)
    before = prepared(modality(features))
    changed = features.copy()
    changed[np.concatenate([before.test, before.validation])] *= 1000
    after = prepared(modality(changed))
    kept = [pool.modalities[0].features[pool.train] for pool in (before, after)]
    assert np.array_equal(*kept)


def test_features_may_be_kept_as_float16():
    whole, half = (
        prepared(modality(normal(60, 4)), dtype=dtype).modalities[0].features
        for dtype in ("float32", "float16")
    )
    assert half.dtype == np.float16
    # Half of float16's distance between neighbours, relative.
    np.testing.assert_allclose(half.astype(np.float32), whole, rtol=2.0**-11, atol=1e-7)


def test_a_feature_beyond_float16_is_refused():
    features = normal(60, 1)
    features[prepared(modality(features)).test[0]] = 1e7
    with pytest.raises(PoolError, match=r"pool\.dtype=float32"):
        prepared(modality(features), dtype="float16")


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6 + 0.3, -3e-3])
def test_a_constant_feature_becomes_zero(value):
    features = np.full((60, 2), value, dtype=np.float32)
    features[:, 1] = np.arange(60)
    assert (prepared(modality(features)).modalities[0].features[:, 0] == 0).all()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("power", [-110, -60, 30, 90])
def test_the_unit_of_features_changes_nothing(power, dtype):
    """A power of two changes no digit of any feature."""
    features = 5 + normal(200, 3)
    features[:, 1] = 0.1
    whole, scaled = (
        prepared(modality(features * np.float32(factor)), dtype=dtype).modalities[0].features
        for factor in (1.0, 2.0**power)
    )
    assert np.array_equal(whole, scaled)
    assert (scaled[:, 1] == 0).all()
    assert scaled[:, 0].std() > 0.5


@pytest.mark.parametrize("value", [0.1, 1e-30, 1e6 + 0.3, -1e30])
def test_a_constant_feature_of_many_objects_becomes_zero(value):
    features = np.full((50_000, 2), value, dtype=np.float32)
    features[:, 1] = np.arange(50_000)
    assert (prepared(modality(features)).modalities[0].features[:, 0] == 0).all()


def test_a_feature_beyond_float32_is_refused_with_its_object():
    features = normal(60, 1) * np.float32(1e-30)
    outlier = prepared(modality(features)).test[0]
    features[outlier] = 1e30
    with pytest.raises(PoolError, match=rf"float32's range in objects {outlier}; mend or remove"):
        prepared(modality(features))


def test_bytes_stay_bytes_with_one_offset_and_scale():
    pixels = np.random.default_rng(0).integers(0, 256, (60, 12), dtype=np.uint8)
    pixels[:, 0] = 0
    pool = prepared(modality(pixels, name="image", shape=(3, 4)))
    part = pool.modalities[0]
    used = pixels[pool.train].astype(np.float64)
    assert part.features.dtype == np.uint8
    assert np.array_equal(part.features, pixels)
    assert part.shape == (3, 4)
    assert part.offset == pytest.approx(used.mean())
    assert part.scale == pytest.approx(1 / used.std())


def test_bytes_that_are_all_the_same_do_not_divide_by_zero():
    (part,) = prepared(modality(np.full((60, 4), 9, dtype=np.uint8))).modalities
    assert np.isfinite(part.scale)
    assert part.offset == 9


def test_a_modality_that_no_object_of_the_train_part_has_is_refused():
    whole = modality(normal(60, 1))
    present = np.isin(np.arange(60), prepared(whole).test)
    with pytest.raises(PoolError, match="modality 'rare'"):
        prepared(whole, modality(normal(60, 1), present, name="rare"))
