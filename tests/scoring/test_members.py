"""What each member of a committee says: in one order for all objects, by every pass, of a shortlist and of targets."""

from typing import Any

import numpy as np
import pytest
import torch

from alray.errors import ScoreError
from alray.networks.models import build_network
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring.engine import score
from alray.scoring.rounded import can_compute
from alray.scoring.some_objects import with_objects
from alray.settings.common import ModelSpec
from alray.strategies.base import given
from alray.strategies.scores import bald, summarise_committee
from alray.strategies.signals import Committee, Request, Signals
from tests.helpers.builders import everyone, make_network, make_pool
from tests.helpers.scoring import assert_close, assert_scored_as_the_module, scored
from tests.helpers.sequential_modules import SEQUENCES, SIZE, Sequence, custom

POOL = make_pool(absent=0.4)
WHOLE = make_pool(absent=0.0)
ONE = make_pool(dimensions={"text": SIZE}, absent=0.0)
FOREST = "sklearn:sklearn.ensemble.RandomForestClassifier"


def bagged(pool) -> Any:
    """Return a scikit-learn classifier that has learned from the train part."""
    options = {"n_estimators": 3}
    network: Any = build_network(ModelSpec(name=FOREST, options=options), pool)
    tensors = PoolTensors(pool)
    network.fit(tensors.batch(pool.train), tensors.labels(pool.train), 0)
    return network


NETWORKS = {
    "folded": (POOL, lambda: make_network(POOL, randomised=True, width=40), ["dropout", "both"]),
    "heads": (POOL, lambda: make_network(POOL, randomised=True), ["heads"]),
    "parts": (POOL, lambda: make_network(POOL, randomised=True, block="residual"), ["dropout", "heads", "both"]),
    "module": (POOL, lambda: make_network(POOL, name="tests.helpers.own_modules:OwnNetwork"), ["dropout"]),
    "sequential": (ONE, lambda: custom(Sequence(*SEQUENCES["two dropouts"])), ["dropout"]),
    "bagged": (POOL, lambda: bagged(POOL), ["dropout"]),
}  # fmt: skip
CASES = [(name, kind) for name, (_, _, kinds) in NETWORKS.items() for kind in kinds]


def objects_with_all(pool) -> Indices:
    return np.flatnonzero(np.all([modality.present for modality in pool.modalities], axis=0))


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_every_pass_says_what_its_committee_is_the_mean_of(monkeypatch, name, kind):
    pool, make, _ = NETWORKS[name]
    network, committee = make(), Committee(4, kind)
    request = Request(committee=committee, members=True)
    found = assert_scored_as_the_module(monkeypatch, network, pool, request, seed=3)
    heads = 1 if kind == "dropout" else len(network.head_names)
    count = heads * (1 if kind == "heads" else 4)
    assert found.members.shape == (len(pool), count, pool.class_count)
    assert found.members.unique(dim=1).shape[1] == count
    assert torch.isfinite(found.members).all()
    # An object that lacks a head has it from others here, and not in the means.
    rows = objects_with_all(pool)
    log_mean, mean_entropy = summarise_committee(found.members[rows].transpose(0, 1))
    assert_close(found.committee_log_mean[rows], log_mean)
    assert_close(found.committee_mean_entropy[rows], mean_entropy)


@pytest.mark.parametrize("kind", ["heads", "both"])
def test_the_fused_head_stands_in_for_one_that_an_object_lacks(kind):
    network = make_network(POOL, randomised=True)
    request = Request(committee=Committee(2, kind), members=True)
    members = given(scored(network, POOL, request).members)
    names = network.head_names
    by_mask = members.view(len(POOL), -1, len(names), POOL.class_count)
    for number, modality in enumerate(POOL.modalities):
        lacking = ~modality.present
        head = by_mask[:, :, names.index(modality.name)]
        assert torch.equal(head[lacking], by_mask[lacking][:, :, 0])
        assert not torch.isclose(head[~lacking], by_mask[~lacking][:, :, 0]).all(-1).any(), number


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_shortlist_and_targets_are_asked_of_the_same_members(name, kind):
    pool, make, _ = NETWORKS[name]
    network, committee = make(), Committee(3, kind)
    everything = scored(network, pool, Request(committee=committee, members=True), seed=5)
    candidates = pool.train[::2]
    request = Request(committee=committee, shortlist=7, targets=20)
    found = scored(network, pool, request, candidates, seed=5)
    assert found.members is None
    disagreement = bald(found.committee_log_mean, found.committee_mean_entropy).numpy()
    best = np.sort(candidates[np.argsort(-disagreement)[:7]])
    assert found.shortlist.candidates.tolist() == best.tolist()
    targets = found.targets.candidates
    assert len(set(targets.tolist())) == 20
    assert np.isin(targets, pool.train).all()
    assert not np.isin(targets, candidates).all()
    for part in (found.shortlist, found.targets):
        assert_close(part.members, everything.members[part.candidates])


def test_the_generator_draws_the_targets():
    network = make_network(POOL)
    request = Request(committee=Committee(2), targets=10)
    drawn = [scored(network, POOL, request, seed=seed).targets.candidates for seed in (1, 1, 2)]
    assert drawn[0].tolist() == drawn[1].tolist()
    assert drawn[0].tolist() != drawn[2].tolist()


def test_more_than_there_are_is_all():
    request = Request(committee=Committee(2), targets=9999, shortlist=9999)
    candidates = POOL.train[:9]
    found = scored(make_network(POOL), POOL, request, candidates)
    assert found.shortlist.candidates.tolist() == candidates.tolist()
    assert found.targets.candidates.tolist() == np.sort(POOL.train).tolist()
    nobody = scored(make_network(POOL), POOL, request, candidates[:0])
    assert len(nobody.shortlist.candidates) == 0


def with_disagreement(mean_entropy, seed):
    """Return the shortlist of four of twenty objects whose members have these mean entropies."""
    signals = Signals(
        np.arange(100, 120),
        committee_log_mean=torch.full((20, 2), 0.5).log(),
        committee_mean_entropy=mean_entropy,
    )
    request = Request(committee=Committee(2), shortlist=4)
    generator = torch.Generator().manual_seed(seed)
    found = with_objects(signals, request, np.arange(9), Signals, generator)
    return tuple(given(found.shortlist).candidates.tolist())


def test_equal_disagreement_is_in_any_order():
    alike = torch.zeros(20, dtype=torch.float64)
    assert len({with_disagreement(alike, seed) for seed in range(10)}) == 10


def test_disagreement_that_is_not_a_number_is_refused():
    broken = torch.zeros(20, dtype=torch.float64)
    broken[3] = torch.nan
    with pytest.raises(ScoreError, match=r"1 of 20 scores are NaN.*try a smaller training\.lr"):
        with_disagreement(broken, 0)


def test_they_are_asked_of_a_committee_with_a_generator():
    asked: list[dict[str, Any]] = [{"members": True}, {"shortlist": 3}, {"targets": 3}]
    for each in asked:
        with pytest.raises(ValueError, match="are asked of a committee: name one"):
            Request(**each)
    request = Request(committee=Committee(kind="heads"), targets=3)
    with pytest.raises(ValueError, match="targets need a generator"):
        score(make_network(WHOLE), PoolTensors(WHOLE), everyone(WHOLE), request)


def test_no_low_precision_has_them():
    assert can_compute(Request(committee=Committee(2)))
    assert not can_compute(Request(committee=Committee(2), shortlist=3))
    assert not can_compute(Request(committee=Committee(2), targets=3))
