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


def typicality(x, members):
    """Return the definition for each member: one over the mean distance to its nearest neighbours among them."""
    inside = x[members].double()
    apart = (inside[:, None] - inside).norm(dim=2).sort(dim=1).values[:, 1:]
    return 1 / apart[:, : min(20, len(members) // 2)].mean(dim=1)


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
        found = typicality(x, members)
        assert found[members == position].item() == pytest.approx(float(found.max()), rel=1e-4)


def uneven(seed):
    """Return features in clusters far from each other, within each many near to its middle and few far off."""
    rng = np.random.default_rng(seed)
    sizes = (90, 45, 30, 12, 6, 5, 5, 3)
    numbers = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centres = 300 * rng.normal(size=(len(sizes), 4))
    lengths = rng.lognormal(sigma=1.0, size=(len(numbers), 1))
    x = centres[numbers] + lengths * rng.normal(size=(len(numbers), 4))
    return torch.from_numpy(x).float()


def check_each_step(x, labelled, k, most, seed):
    """Hold a choice to algorithm 1 step by step: whose turn it is, and what is most typical there of what is left.

    Returns the sizes of the clusters.
    """
    chosen = typical(x, labelled, k, most, np.random.default_rng(seed)).tolist()
    numbers = cluster(x, min(labelled + k, most), np.random.default_rng(seed)).numbers
    sizes, inside = (
        np.bincount(numbers),
        np.bincount(numbers[:labelled], minlength=numbers.max() + 1),
    )
    left = {
        each: (labelled + np.flatnonzero(numbers[labelled:] == each)).tolist()
        for each in range(len(sizes))
    }
    waiting: list[int] = []
    for position in chosen:
        # Clusters of five and fewer have no turn while a larger one has unlabelled objects.
        having = [each for each in left if left[each]]
        large = [each for each in having if sizes[each] > 5] or having
        waiting = [each for each in waiting if each in large] or large
        first = min((inside[each], -sizes[each]) for each in waiting)
        number = int(numbers[position])
        assert number in waiting
        assert (inside[number], -sizes[number]) == first
        members = np.array(left[number])
        if len(members) > 1:
            found = typicality(x, members)
            assert found[members == position].item() >= found.max() * (1 - 1e-4)
        left[number].remove(position)
        waiting.remove(number)
    return sizes.tolist()


@pytest.mark.parametrize("seed", range(4))
def test_each_step_is_that_of_the_definition_written_out(seed):
    x = uneven(seed)
    sizes = check_each_step(x, 3, 40, 8, seed)
    assert 5 in sizes
    assert max(sizes) > 42
    check_each_step(x, 6, 14, 500, seed)
    check_each_step(x[:50], 0, 50, 7, seed)


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
