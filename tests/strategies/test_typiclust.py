"""TypiClust and the choice of initial labels, on planted clusters and against their definitions."""

from importlib import util

import numpy as np
import pytest
import torch

from alray.errors import SpecError
from alray.settings.estimators import CLUSTERING
from alray.strategies import STRATEGIES, cold_start, distances, parse, typiclust
from alray.strategies.clusters import cluster
from alray.strategies.cold_start import spread_out
from alray.strategies.signals import Signals
from alray.strategies.typiclust import typical
from tests.helpers.builders import make_pool, one_run, plan_of

SIZES = (40, 30, 20, 10)


def planted(sizes=SIZES, seed=0):
    """Return features in tight clusters of these sizes, far from each other, and each object's cluster."""
    rng = np.random.default_rng(seed)
    numbers = np.repeat(np.arange(len(sizes)), sizes)
    order = rng.permutation(len(numbers))
    centres = 50 * rng.normal(size=(len(sizes), 3))
    x = centres[numbers] + rng.normal(size=(len(numbers), 3))
    return torch.from_numpy(x[order]).float(), numbers[order]


def typicality(x, members, position):
    """Return the definition: one over the mean distance to the nearest neighbours in the cluster."""
    inside = x[members].double()
    distances = (inside - x[position].double()).norm(dim=1).sort().values[1:]
    return 1 / float(distances[: min(20, len(members) // 2)].mean())


def test_clusters_are_those_planted_and_repeat():
    x, numbers = planted()
    found = [cluster(x, 4, np.random.default_rng(seed)) for seed in (0, 0)]
    assert (found[0].numbers == found[1].numbers).all()
    assert torch.equal(found[0].centres, found[1].centres)
    pairs = {(int(a), int(b)) for a, b in zip(found[0].numbers, numbers, strict=True)}
    assert len(pairs) == 4


def test_the_largest_clusters_without_labels_give_their_most_typical_object():
    x, numbers = planted()
    first = int(np.flatnonzero(numbers == 0)[0])
    order = np.concatenate([[first], np.delete(np.arange(100), first)])
    x, numbers = x[order], numbers[order]
    chosen = typical(x, 1, 3, 500, np.random.default_rng(0))
    assert numbers[chosen].tolist() == [1, 2, 3]
    for position in chosen:
        members = np.flatnonzero(numbers == numbers[position])
        best = max(typicality(x, members, each) for each in members)
        assert typicality(x, members, position) == pytest.approx(best, rel=1e-4)


def test_clusters_take_turns_and_small_ones_come_last():
    x, numbers = planted((12, 8, 4))
    chosen = typical(x, 0, 24, 3, np.random.default_rng(0))
    assert sorted(chosen) == list(range(24))
    assert numbers[chosen][:4].tolist() == [0, 1, 0, 1]
    assert set(numbers[chosen][-4:]) == {2}


def test_only_a_part_of_a_very_large_cluster_is_compared(monkeypatch):
    monkeypatch.setattr(typiclust, "MOST_COMPARED", 5)
    monkeypatch.setattr(distances, "BLOCK_NUMBERS", 60)
    x, _ = planted((30,))
    found = {int(typical(x, 0, 1, 1, np.random.default_rng(seed))[0]) for seed in range(30)}
    assert len(found) > 5


def test_the_strategy_passes_over_what_is_labelled():
    x, numbers = planted()
    known = np.flatnonzero(numbers == 0)[:2]
    rest = np.setdiff1d(np.arange(100), known)
    signals = Signals(
        rest + 1000, pool_features=x[rest], labelled=Signals(known, pool_features=x[known])
    )
    query = parse("typiclust:clusters=4").select(signals, 3, np.random.default_rng(0))
    assert numbers[query.indices - 1000].tolist() == [1, 2, 3]


@pytest.mark.parametrize("kind", ["centroid", "typiclust", "stratified"])
@pytest.mark.parametrize("count", [1, 8, 100])
def test_initial_objects_are_distinct_and_repeat(kind, count):
    x, _ = planted()
    found = [spread_out(kind, x, count, np.random.default_rng(3)) for _ in range(2)]
    assert (found[0] == found[1]).all()
    assert len(set(found[0].tolist())) == count
    copies = torch.ones(30, 2)
    assert len(set(spread_out(kind, copies, 7, np.random.default_rng(0)).tolist())) == 7


def test_the_objects_nearest_to_the_centres(monkeypatch):
    monkeypatch.setattr(distances, "BLOCK_NUMBERS", 250)
    x, numbers = planted()
    chosen = spread_out("centroid", x, 4, np.random.default_rng(0))
    assert sorted(numbers[chosen]) == [0, 1, 2, 3]
    for position in chosen:
        members = np.flatnonzero(numbers == numbers[position])
        apart = (x[members] - x[members].mean(0)).norm(dim=1)
        assert position == members[int(apart.argmin())]


def test_strata_give_their_share(monkeypatch):
    monkeypatch.setattr(cold_start, "STRATA", 4)
    x, numbers = planted()
    chosen = spread_out("stratified", x, 11, np.random.default_rng(0))
    assert np.bincount(numbers[chosen]).tolist() == [5, 3, 2, 1]


def test_a_run_begins_with_them_and_its_name_says_so():
    pool = make_pool(absent=0.4)
    runs = plan_of(
        pool, vary={"initial_selection": ["random", "typiclust"]}, strategies=["random", "margin"]
    ).runs
    assert len({run.run_id for run in runs}) == len({run.passive_id for run in runs}) * 2 == 4
    assert runs[0].run_id == one_run(pool, strategies=["random"]).run_id
    assert {run.variant for run in runs} == {"", "initial_selection=typiclust"}


def test_without_scikit_learn_it_is_refused_before_anything_runs(monkeypatch):
    monkeypatch.setattr("alray.strategies.clusters.find_spec", lambda name: None)
    assert util.find_spec("sklearn") is not None
    for name in STRATEGIES:
        if name not in CLUSTERING:
            parse(name)
            continue
        with pytest.raises(SpecError, match=rf'{name} needs.*: pip install "alray\[sklearn\]"'):
            parse(name)
    with pytest.raises(SpecError, match=r"initial_selection: centroid needs scikit-learn"):
        plan_of(make_pool(), initial_selection="centroid")


def test_draws_with_replacement_are_random_ones():
    settings = {"initial_draw": "with_replacement", "initial_selection": "centroid"}
    with pytest.raises(ValueError, match="is for random initial labels"):
        plan_of(make_pool(), training={"stopping": "fixed_epochs"}, **settings)
