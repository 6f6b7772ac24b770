"""The pool of a sweep: one split for each seed, which share the features in memory."""

import pickle  # noqa: TID251 -- Ray sends pools by it
from dataclasses import replace

import numpy as np
import pytest

from alray.errors import PoolError
from alray.networks.tensors import ModalityTensors
from alray.pools import moments
from alray.pools.pool import TEST, TRAIN, Modality
from alray.pools.preparing import PoolVariant, prepare, share
from alray.pools.reading import read_pool
from alray.pools.reading_variants import read_pools
from alray.pools.shared import ViewKey
from alray.settings.common import PoolSpec, SplitSpec
from alray.settings.sweep import SweepSplitSpec
from tests.helpers.builders import raw_pool
from tests.helpers.pools_fixtures import parquet

SPLIT = SweepSplitSpec()


def modality(features, present=None, name="text", shape=None):
    there = np.ones(len(features), dtype=bool) if present is None else np.asarray(present)
    rows = np.where(there, np.cumsum(there) - 1, -1).astype(np.int32)
    return Modality(name, features[there], rows, shape or (features.shape[1],))


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def two_modalities(objects=300):
    """Return features in different units, some absent, with a rare value, and bytes."""
    features = 5 + normal(objects, 4) * np.asarray([1, 20, 300, 1e-6], np.float32)
    features[:, 3] = 0
    features[7, 3] = 2
    present = np.random.default_rng(1).random(objects) < 0.7
    pixels = np.random.default_rng(2).integers(0, 256, (objects, 12), dtype=np.uint8)
    return modality(features, present | (np.arange(objects) == 7)), modality(
        pixels, name="image", shape=(3, 4)
    )


def pool_of(*modalities, classes=2, groups=None):
    labels = np.arange(len(modalities[0].rows)) % classes
    return raw_pool(labels, groups, modalities)


def shared_by(pool, seeds, dtype="float32", split=SPLIT):
    return share([PoolVariant(pool, dtype, split)], 0, seeds)


def view(shared, seed, dtype="float32", split=SPLIT):
    return shared.views[ViewKey("of the pool", dtype, split.validation, split.test, seed)]


def gathered(part, objects):
    """Return the features of those of these objects that have the modality, as a network gets them."""
    return ModalityTensors(part).gather(objects[part.present[objects]]).numpy()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("rows_at_a_time", [7, 16_384])
def test_each_seed_sees_its_own_train_part_standardised(monkeypatch, dtype, rows_at_a_time):
    monkeypatch.setattr(moments, "ROWS_AT_A_TIME", rows_at_a_time)
    shared = shared_by(pool_of(*two_modalities()), (0, 3, 11), dtype)
    views = [view(shared, seed, dtype) for seed in (0, 3, 11)]
    assert len({each.parts.tobytes() for each in views}) == 3
    for each in views:
        train = np.flatnonzero(each.parts == TRAIN)
        text, image = (gathered(part, train).astype(np.float64) for part in each.modalities)
        varies = text.std(axis=0) > 0
        np.testing.assert_allclose(text.mean(axis=0), 0, atol=1e-6)
        np.testing.assert_allclose(text.std(axis=0)[varies], 1, rtol=1e-5)
        assert varies.tolist() == [True, True, True, bool(each.parts[7] == TRAIN)]
        assert (image.mean(), image.std()) == (pytest.approx(0, abs=1e-6), pytest.approx(1))


def content(a_view):
    """Return all that decides how a run sees the pool, as bytes."""
    numbers = [
        np.asarray(each) for part in a_view.modalities for each in (part.offset, part.scale)
    ]
    features = [part.features for part in a_view.modalities]
    return [array.tobytes() for array in (a_view.parts, *numbers, *features)]


def test_a_seed_sees_the_same_whatever_the_other_seeds_are():
    pool = pool_of(*two_modalities())
    alone, first, last = (shared_by(pool, seeds) for seeds in ((4,), (4, 9), (*range(30), 4)))
    assert content(view(alone, 4)) == content(view(first, 4)) == content(view(last, 4))


def test_one_split_for_all_seeds_is_what_a_study_had_before_seeds_had_their_own():
    pool, split = pool_of(*two_modalities()), SweepSplitSpec(per="study")
    shared = shared_by(pool, (0, 1), split=split)
    before = prepare(pool, PoolSpec(), SplitSpec(), 0)
    (only,) = shared.views.values()
    assert np.array_equal(np.flatnonzero(only.parts == TRAIN), before.train)
    for part, expected in zip(only.modalities, before.modalities, strict=True):
        assert part.features.tobytes() == expected.features.tobytes()
        assert (part.offset, part.scale) == (expected.offset, expected.scale)


def test_features_lie_once_in_memory_for_all_seeds():
    pool = pool_of(*two_modalities())
    few, many = shared_by(pool, range(2)), shared_by(pool, range(12))
    text, image = view(many, 0).modalities
    assert image.features is pool.modalities[1].features
    large: list[int] = []
    pickle.dumps(many, protocol=5, buffer_callback=lambda b: large.append(b.raw().nbytes))
    assert large.count(text.features.nbytes) == large.count(image.features.nbytes) == 1
    # A further seed costs a byte for each object, and two numbers for each feature.
    assert many.nbytes - few.nbytes == 10 * (len(pool) + 2 * 4 * text.dimension)
    assert sum(large) == many.nbytes


@pytest.mark.parametrize("value", [0.1, -3e-3, 1e6 + 0.3])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_feature_that_is_constant_in_a_train_part_is_zero_there(value, dtype):
    """Outside it an object differs, so the feature is not constant in the pool."""
    features = normal(60, 2)
    features[:, 0] = value
    of_seed = view(shared_by(pool_of(modality(features)), (0,)), 0)
    features[np.flatnonzero(of_seed.parts != TRAIN)[0], 0] = value + 1
    (part,) = view(shared_by(pool_of(modality(features)), (0,), dtype), 0, dtype).modalities
    assert (gathered(part, np.flatnonzero(of_seed.parts == TRAIN))[:, 0] == 0).all()
    assert part.scale[0] == 1


def test_a_small_deviation_is_computed_to_all_digits():
    """Of 20,000 objects one outside the train part is 1,000 times as far from the others as these from each other."""
    features = normal(20_000, 1)
    parts = view(shared_by(pool_of(modality(features)), (5,)), 5).parts
    features[np.flatnonzero(parts != TRAIN)[0], 0] = 1e5
    (part,) = view(shared_by(pool_of(modality(features)), (5,)), 5).modalities
    seen = gathered(part, np.flatnonzero(parts == TRAIN)).astype(np.float64)
    assert seen.mean() == pytest.approx(0, abs=1e-5)
    assert seen.std() == pytest.approx(1, rel=1e-6)


def test_a_feature_beyond_float32_is_refused_with_seed_and_object():
    features = normal(60, 2)
    parts = view(shared_by(pool_of(modality(features)), (2,)), 2).parts
    first, second = np.flatnonzero(parts != TRAIN)[:2]
    features[:, 0] = np.resize([1e-3, -1e-3], 60)
    features[[first, second], 0] = 3e38, -3e38
    with pytest.raises(PoolError, match=rf"^split of seed 2: .*range in objects .*{first}"):
        shared_by(pool_of(modality(features)), (2,))


def test_a_class_that_one_seed_cannot_split_is_refused_with_the_seed():
    labels, groups = np.zeros(100, dtype=np.int64), np.arange(100) // 5
    labels[[5, 35, 50, 80, 90]] = 1
    pool = raw_pool(labels, groups)
    shared_by(pool, (0, 1, 2, 3, 4, 5))
    with pytest.raises(PoolError, match=r"^split of seed 6: pool: too small to be in .*'class 1'"):
        shared_by(pool, (0, 6))


def test_what_no_seed_can_split_is_no_matter_of_the_seed():
    with pytest.raises(PoolError, match=r"^pool: too small to be in .*'class 1'"):
        shared_by(raw_pool([0] * 20 + [1]), (0, 6))


def test_a_column_that_gives_all_parts_leaves_seeds_nothing_to_draw():
    pool = replace(
        pool_of(modality(normal(60, 2))), parts=np.resize([0, 0, 1, 2], 60).astype(np.int8)
    )
    with pytest.raises(
        PoolError, match=r"'fold' gives all three parts, .*leave out split.per = seed"
    ):
        shared_by(pool, (0, 1), split=SweepSplitSpec(column="fold", per="seed"))
    assert SweepSplitSpec(column="fold").per == "study"
    two_parts = replace(pool, parts=np.where(pool.parts == 1, 0, pool.parts).astype(np.int8))
    split = SweepSplitSpec(column="fold", per="seed")
    first, second = (
        view(shared_by(two_parts, (0, 1), split=split), seed).parts for seed in (0, 1)
    )
    assert np.array_equal(first == TEST, second == TEST)
    assert not np.array_equal(first, second)


def written(tmp_path, **more):
    """Return settings of a pool file, its objects in two classes by turns."""
    vectors = {name: [[float(n % 7), float(n)] for n in range(60)] for name in ("image", "text")}
    columns = {"id": [f"o{n}" for n in range(60)], "label": [str(n % 2) for n in range(60)]}
    return PoolSpec(source=str(parquet(tmp_path, **columns, **vectors, **more)))


def test_variants_of_a_pool_are_those_of_studies_of_their_own_and_share_its_arrays(tmp_path):
    spec = written(tmp_path, author=[str(n // 3) for n in range(60)])
    changes = (
        {"modalities": {"text": "text"}},
        {"group_by": "author"},
        {"copies": "apart"},
        {"dtype": "float16"},
    )
    variants = [spec.model_copy(update=change) for change in changes]
    pools = read_pools(spec, variants)
    for variant in variants:
        alone = read_pool(variant)
        assert pools.of(variant).fingerprint == alone.fingerprint
        arrays = {id(part.features) for part in pools.of(variant).modalities}
        assert arrays <= {id(part.features) for part in pools.own.modalities}
    assert pools.of(variants[3]) is pools.own
    shared = share(
        [PoolVariant(pools.of(each), each.dtype, SPLIT) for each in (spec, *variants)], 0, (0, 1)
    )
    features = {id(part.features) for each in shared.views.values() for part in each.modalities}
    # Two modalities in float32, two in float16.
    assert len(features) == 4


@pytest.mark.parametrize(
    ("modalities", "message"),
    [
        ({"txt": "txt"}, r"there is no modality 'txt'; did you mean 'text'\?"),
        (
            {"rare": "rare"},
            "59 objects have nothing in rare: o1, .*: leave rare out, or remove these rows",
        ),
    ],
)
def test_modalities_that_a_variant_cannot_have_are_refused(tmp_path, modalities, message):
    spec = written(tmp_path, rare=[[1.0, 2.0], *[None] * 59])
    variant = spec.model_copy(update={"modalities": modalities})
    with pytest.raises(PoolError, match=rf"vary: pool.modalities: .*{message}"):
        read_pools(spec, [variant])
