"""Cluster-margin against its definition: clusters joined pair by pair, and rounds of one object of each."""

from typing import Any

import numpy as np
import pytest
import torch

from alray.errors import ScoreError, SpecError
from alray.strategies import cluster_margin, distances, parse
from alray.strategies.cluster_margin import linked
from alray.strategies.signals import Signals

NAME = "cluster_margin"


def query(signals, k, seed=0, options=""):
    return parse(NAME + options).select(signals, k, np.random.default_rng(seed))


def joined_pair_by_pair(x, count):
    """Return clusters by the definition: the two with the smallest mean distance become one, until few are left."""
    x = x.double()
    clusters = [[each] for each in range(len(x))]
    while len(clusters) > count:
        pairs = [(a, b) for a in range(len(clusters)) for b in range(a)]
        means = [float(torch.cdist(x[clusters[a]], x[clusters[b]]).mean()) for a, b in pairs]
        a, b = pairs[int(np.argmin(means))]
        clusters[b] += clusters.pop(a)
    return {frozenset(each) for each in clusters}


def as_sets(numbers):
    return {frozenset(np.flatnonzero(numbers == each).tolist()) for each in np.unique(numbers)}


def log_probs_of(margins):
    """Return (n, 3) log-probabilities with these margins."""
    high = (1 - 0.01 + torch.as_tensor(margins)) / 2
    return torch.stack(
        [high - torch.as_tensor(margins), torch.full_like(high, 0.01), high], 1
    ).log()


def planted(sizes, seed=0):
    """Return signals of tight clusters far from each other, in a random order, and the cluster of each object."""
    rng = np.random.default_rng(seed)
    numbers = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    x = 50 * rng.normal(size=(len(sizes), 3))[numbers] + rng.normal(size=(len(numbers), 3))
    margins = torch.from_numpy(rng.permutation(len(numbers)) / (2 * len(numbers)))
    signals = Signals(
        np.arange(len(numbers)) + 1000,
        log_probs=log_probs_of(margins),
        features=torch.from_numpy(x).float(),
    )
    return signals, numbers, margins.numpy()


@pytest.mark.parametrize("count", [1, 3, 7, 24])
def test_clusters_are_those_joined_pair_by_pair(monkeypatch, count):
    monkeypatch.setattr(distances, "BLOCK_NUMBERS", 60)
    x = torch.from_numpy(np.random.default_rng(count).normal(size=(24, 4)) + 100).float()
    assert as_sets(linked(x, count)) == joined_pair_by_pair(x, count)


def test_each_turn_takes_one_of_each_cluster_the_smallest_first():
    """Sizes among the smallest margins count, not those of the whole clusters: the largest comes first here."""
    signals, numbers, margins = planted((60, 30, 10))
    chosen = query(signals, 4, options=":size=33").indices - 1000
    small = np.argsort(margins)[:40]
    sizes = np.bincount(numbers[small], minlength=3)
    order = np.argsort(sizes, kind="stable")
    assert len(set(sizes.tolist())) == 3
    assert numbers[chosen].tolist() == [*order, order[0]]
    assert set(chosen.tolist()) <= set(small.tolist())


def test_exhausted_clusters_are_passed_over():
    signals, numbers, _ = planted((1, 2, 9))
    chosen = query(signals, 12, options=":size=4").indices - 1000
    assert numbers[chosen].tolist() == [0, 1, 2, 1, 2, 2, 2, 2, 2, 2, 2, 2]
    assert sorted(chosen) == list(range(12))


def test_within_a_cluster_any_may_be_taken_and_not_the_smallest_margin_alone():
    signals, _, margins = planted((30,))
    taken = {int(query(signals, 1, s, ":size=30").indices[0]) - 1000 for s in range(100)}
    assert taken == set(np.argsort(margins)[:10].tolist())


def test_objects_outside_the_clustered_part_join_the_cluster_with_the_nearest_mean():
    signals, numbers, _ = planted((30, 20, 10))
    for seed in range(5):
        chosen = query(signals, 6, seed, ":size=10:most=30").indices - 1000
        assert sorted(numbers[chosen]) == [0, 0, 1, 1, 2, 2]


def test_a_part_is_clustered_in_another_way_for_another_seed():
    signals, _, _ = planted((30, 20, 10))
    assert len({tuple(query(signals, 3, seed, ":most=7").indices) for seed in range(6)}) > 1
    assert sorted(query(signals, 60, options=":most=1").indices) == list(range(1000, 1060))


@pytest.mark.parametrize("classes", [2, 3])
def test_equal_features_are_one_cluster(classes):
    n = 40
    probs = torch.log_softmax(
        torch.randn(n, classes, generator=torch.Generator().manual_seed(0)), 1
    )
    signals = Signals(np.arange(n), log_probs=probs, features=torch.ones(n, 4))
    assert linked(torch.ones(n, 4), 4).max() == 0
    assert len(set(query(signals, n).indices.tolist())) == n
    assert len(set(query(signals, 3).indices.tolist())) == 3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ("features", "features of 1 of 12 objects are not"),
        ("log_probs", "1 of 12 scores are NaN"),
    ],
)
def test_undefined_signals_are_refused_by_name(changed, message):
    signals, _, _ = planted((12,))
    values: Any = getattr(signals, changed)
    values[5] = torch.nan
    with pytest.raises(ScoreError, match=message):
        query(signals, 3)


@pytest.mark.parametrize("options", [":size=0", ":most=0"])
def test_options_that_cannot_be_are_refused(options):
    with pytest.raises(SpecError, match=r"must be at least 1 \(got 0\)"):
        parse(NAME + options)


def test_ten_margins_for_each_object_of_the_query():
    assert cluster_margin.MARGINS == 10
