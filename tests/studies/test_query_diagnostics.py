"""How alike the objects of a query are, against the definitions, and where values are absent or nothing differs."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from alray.networks.tensors import PoolTensors
from alray.pools.pool import Modality
from alray.studies.sweep import query_diagnostics
from alray.studies.sweep.query_diagnostics import NEAR, QueryDiagnostics
from tests.helpers.builders import image_pool, make_pool, one_run, with_scaling
from tests.helpers.experiments import POOL, complete


def rng(seed=0):
    return np.random.default_rng(seed)


def measured(pool, queried, seed=0):
    return QueryDiagnostics(PoolTensors(pool), rng(seed)).of(np.asarray(queried), rng(1))


def values_of(pool, number):
    """Return modality: the standardised features of an object, of those that it has."""
    return {
        each.name: (each.features[each.rows[number]].astype(float) - each.offset) * each.scale
        for each in pool.modalities
        if each.rows[number] >= 0
    }


def squares(pool, a, b):
    """Return modality: squared distance, over what two objects have in common."""
    x, y = values_of(pool, a), values_of(pool, b)
    return {name: ((x[name] - y[name]) ** 2).sum() for name in x if name in y}


def by_definition(pool, queried):
    """Return the three numbers by loops over pairs; the sample is the whole train part."""
    train = pool.train
    in_common = [squares(pool, *two) for two in itertools.combinations(train, 2)]
    usual = {
        each.name: np.mean([found[each.name] for found in in_common if each.name in found])
        for each in pool.modalities
    }

    def distance(a, b):
        found = squares(pool, a, b)
        return sum(found.values()) / sum(usual[name] for name in found) if found else math.inf

    def to_neighbour(a):
        return sorted(distance(a, b) for b in train if b != a)[2]

    def pattern(a):
        return tuple(values_of(pool, a))

    found = [squares(pool, *two) for two in itertools.combinations(queried, 2)]
    total = sum(sum(each.values()) for each in found)
    shares, copies = [], []
    for a in queried:
        alike = [to_neighbour(b) for b in train if pattern(b) == pattern(a)]
        mine = to_neighbour(a)
        shares.append(np.mean([(b > mine) + 0.5 * np.isclose(b, mine) for b in alike]))
        others = [b for b in queried if b != a and pattern(b) == pattern(a)]
        copies.append(any(math.sqrt(distance(a, b)) < NEAR for b in others))
    return {
        "query_diversity": total / sum(usual[name] for each in found for name in each),
        "query_density": np.mean(shares),
        "query_duplicates": np.mean(copies),
    }


def with_copies(pool, of, copies):
    """Return the pool with objects that have the features of another, nearly, where both have them."""
    modalities = []
    for each in pool.modalities:
        features = np.array(each.features)
        for number in copies:
            if each.rows[number] >= 0 and each.rows[of] >= 0:
                features[each.rows[number]] = features[each.rows[of]] * 1.001
        modalities.append(replace(each, features=features))
    return replace(pool, modalities=tuple(modalities))


@pytest.mark.parametrize("absent", [0.0, 0.4])
@pytest.mark.parametrize("scaled", [False, True])
def test_the_numbers_are_those_of_the_definitions(absent, scaled):
    pool = make_pool(80, absent=absent, dimensions={"image": 6, "text": 3, "sound": 2})
    queried = pool.train[3:15]
    pool = with_copies(pool, of=queried[0], copies=queried[1:4])
    pool = with_scaling(pool) if scaled else pool
    expected = by_definition(pool, queried)
    assert measured(pool, queried) == pytest.approx(expected, rel=1e-4)
    assert 0 < expected["query_duplicates"] < 1


def test_images_as_bytes_are_measured_too():
    pool = image_pool(40)
    queried = pool.train[:6]
    assert measured(pool, queried) == pytest.approx(by_definition(pool, queried), rel=1e-4)


def test_random_queries_are_as_diverse_and_as_dense_as_the_pool():
    """Their means over samples and queries are 1 and .5: they would be told apart from these 3 standard errors away."""
    pool = make_pool(1500, {"image": 12, "text": 6}, absent=0.3)
    found = [
        measured(pool, rng(100 + n).choice(pool.train, 30, replace=False), n) for n in range(100)
    ]
    for name, expected in (("query_diversity", 1.0), ("query_density", 0.5)):
        values = [each[name] for each in found]
        assert abs(np.mean(values) - expected) < 3 * np.std(values) / 10
    assert all(each["query_duplicates"] == 0 for each in found)


def test_what_is_alike_dense_or_far_out_shows():
    pool = make_pool(400, absent=0.0, classes=2, separation=6.0)
    one_class = pool.train[pool.labels[pool.train] == 0][:20]
    image = pool.modalities[0]
    middle = np.argsort(
        np.linalg.norm(image.features[pool.train] - image.features[one_class].mean(0), axis=1)
    )
    assert measured(pool, one_class)["query_diversity"] < 0.7
    assert measured(pool, pool.train[middle[:20]])["query_density"] > 0.6
    out = rng(2).normal(size=(len(pool), 5)).astype(np.float32)
    out[pool.train[:5]] *= 20
    flat = replace(
        pool, modalities=(Modality("text", out, np.arange(len(pool), dtype=np.int32), (5,)),)
    )
    far = measured(flat, pool.train[:5])
    assert far["query_diversity"] > 10
    assert far["query_density"] < 0.1


def test_copies_are_counted_where_both_objects_have_the_same_modalities():
    pool = make_pool(120, absent=0.0)
    queried = pool.train[:10]
    copied = with_copies(pool, of=queried[0], copies=queried[1:3])
    assert measured(copied, queried)["query_duplicates"] == 0.3
    image, text = copied.modalities
    rows = image.rows.copy()
    rows[queried[1]] = -1  # the text of a picture's copy, without the picture
    alone = replace(copied, modalities=(replace(image, rows=rows), text))
    assert measured(alone, queried)["query_duplicates"] == 0.2


def test_a_large_query_is_looked_at_in_blocks_and_in_part(monkeypatch):
    """Its diversity is exact; what part is looked at depends on the generator alone."""
    pool = make_pool(900, absent=0.3)
    queried = rng(3).permutation(pool.train)[:300]
    pool = with_copies(pool, of=queried[0], copies=queried[1::2])
    exact = query_diagnostics.LOOKED_AT
    monkeypatch.setattr(query_diagnostics, "LOOKED_AT", 1000)
    whole = measured(pool, queried)
    monkeypatch.setattr(query_diagnostics, "LOOKED_AT", exact)
    monkeypatch.setattr(query_diagnostics, "ROWS", 64)
    part = measured(pool, queried)
    assert part["query_diversity"] == pytest.approx(whole["query_diversity"], rel=1e-9)
    for name in ("query_density", "query_duplicates"):
        assert part[name] != whole[name]
        assert part[name] == pytest.approx(whole[name], abs=0.1)
    assert measured(pool, queried) == part


def test_values_that_are_absent_play_no_part():
    """Rows of features that no object has may hold anything."""
    pool = make_pool(120, absent=0.4)
    image, text = pool.modalities
    longer = np.concatenate([image.features, np.full((3, image.dimension), np.nan, np.float32)])
    changed = replace(pool, modalities=(replace(image, features=longer), text))
    assert measured(changed, pool.train[:9]) == measured(pool, pool.train[:9])


def test_what_is_undefined_is_not_a_number():
    pool = make_pool(120, absent=0.0)
    alone = measured(pool, pool.train[:1])
    assert math.isnan(alone["query_diversity"])
    assert alone["query_duplicates"] == 0
    constant = np.ones((len(pool), 2), dtype=np.float32)
    same = Modality("text", constant, np.arange(len(pool), dtype=np.int32), (2,))
    equal = measured(replace(pool, modalities=(same,)), pool.train[:4])
    assert all(math.isnan(value) for value in equal.values())
    two = replace(pool, train=pool.train[:2])
    assert not math.isnan(measured(two, two.train)["query_density"])


def test_objects_with_nothing_in_common_are_no_neighbours():
    pool = make_pool(60, absent=0.0)
    image, text = pool.modalities
    first = np.arange(60) % 2 == 0
    apart = replace(
        pool,
        modalities=(
            replace(image, rows=np.where(first, image.rows, -1).astype(np.int32)),
            replace(text, rows=np.where(first, -1, text.rows).astype(np.int32)),
        ),
    )
    queried = apart.train[:12]
    assert measured(apart, queried) == pytest.approx(by_definition(apart, queried), rel=1e-4)


def test_a_run_records_them_from_round_1_on():
    results, _ = complete(one_run(POOL, query=6))
    names = tuple(query_diagnostics.NOT_MEASURED)
    assert all(math.isnan(results[0].record[name]) for name in names)
    for each in results[1:]:
        assert all(math.isfinite(each.record[name]) for name in names)
