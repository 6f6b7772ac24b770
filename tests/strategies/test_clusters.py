"""Clusters of many objects, whose centres a part of them decides."""

import numpy as np
import pytest
import torch

from alray.strategies import clusters
from alray.strategies.clusters import cluster

COUNT = 40


def objects(n=3000, d=6, seed=0):
    rng = np.random.default_rng(seed)
    means = 3 * rng.normal(size=(10, d))
    x = means[rng.integers(0, 10, n)] + rng.normal(size=(n, d))
    return torch.from_numpy(x.astype(np.float32))


def inertia(x, found):
    nearest = found.centres[torch.from_numpy(found.numbers)]
    return float((x - nearest).square().sum(1).mean())


@pytest.fixture
def sampled(monkeypatch):
    """Centres are learnt from 400 objects."""
    monkeypatch.setattr(clusters, "SAMPLE", 400)


@pytest.mark.usefixtures("sampled")
def test_clusters_of_a_sample_are_nearly_as_good_and_none_is_empty(monkeypatch):
    x = objects()
    found = cluster(x, COUNT, np.random.default_rng(1))
    sizes = np.bincount(found.numbers, minlength=COUNT)
    assert len(found.centres) == COUNT
    assert np.median(sizes) > 0.5 * len(x) / COUNT
    assert (sizes > 0).all()
    monkeypatch.setattr(clusters, "SAMPLE", len(x))
    assert inertia(x, found) < 1.25 * inertia(x, cluster(x, COUNT, np.random.default_rng(1)))


@pytest.mark.usefixtures("sampled")
def test_each_object_is_in_the_cluster_of_its_nearest_centre():
    x = objects()
    found = cluster(x, COUNT, np.random.default_rng(1))
    nearest = torch.cdist(x.double(), found.centres.double()).argmin(1)
    assert (nearest.numpy() == found.numbers).mean() > 0.999


@pytest.mark.usefixtures("sampled")
def test_equal_generators_give_equal_clusters_and_others_do_not():
    x = objects()
    one, same, other = (cluster(x, COUNT, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.numbers.tolist() == same.numbers.tolist()
    assert torch.equal(one.centres, same.centres)
    assert one.numbers.tolist() != other.numbers.tolist()


@pytest.mark.usefixtures("sampled")
def test_more_clusters_than_the_sample_would_hold_are_learnt_from_more():
    found = cluster(objects(), 300, np.random.default_rng(1))
    assert len(found.centres) == 300
