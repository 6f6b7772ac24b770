"""Members of a committee: thinned networks that all objects share."""

import numpy as np
import pytest
import torch

from alray.errors import SpecError
from alray.networks.generators import torch_generator
from alray.networks.layers import draw_mask, dropouts
from alray.networks.tensors import PoolTensors
from alray.scoring.engine import score
from alray.strategies.signals import Committee, Request
from tests.helpers.builders import everyone, make_network, make_pool
from tests.helpers.scoring import assert_close, scored


@pytest.mark.parametrize("name", ["late_fusion", "tests.helpers.own_modules:OwnNetwork"])
def test_results_follow_the_order_of_the_objects(name):
    """A member is one mask for all objects: its prediction for an object does not depend on the others."""
    pool = make_pool(absent=0.4)
    network = make_network(pool, randomised=True, name=name)
    request = Request(log_probs=True, committee=Committee(3))
    order = np.random.default_rng(0).permutation(len(pool))
    straight, permuted = (scored(network, pool, request, x) for x in (everyone(pool), order))
    for signal in ("committee_log_mean", "committee_mean_entropy", "log_probs"):
        assert_close(getattr(permuted, signal), getattr(straight, signal)[order])


@pytest.mark.parametrize("name", ["late_fusion", "tests.helpers.own_modules:OwnNetwork"])
def test_the_generator_draws_the_members(name):
    pool = make_pool()
    network = make_network(pool, name=name)
    request = Request(committee=Committee(3))
    one, same, other = (
        scored(network, pool, request, seed=seed).committee_log_mean for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.allclose(one, other)


def test_members_are_thinned_networks_summarised_by_their_mean_and_mean_entropy():
    """A member is the network with some units set to zero."""
    pool = make_pool(absent=0.0)
    network = make_network(pool, randomised=True)
    found = scored(network, pool, Request(committee=Committee(4)), seed=3)
    features, generator = PoolTensors(pool).batch(everyone(pool)).features, torch_generator(3)
    masks = {
        layer: [draw_mask((layer.size or 0,), 0.5, generator) for _ in range(4)]
        for layer in dropouts(network)
    }

    def hidden(member, layer, x):
        h = layer.norm(torch.relu(layer.linear(x)))
        return h if layer.dropout is None else h * masks[layer.dropout][member]

    def log_probs(member):
        encoded = [
            hidden(member, encoder.second, hidden(member, encoder.first, features[name]))
            for name, encoder in network.encoders()
        ]
        fused = hidden(member, network.fuse, torch.cat(encoded, dim=1))
        return torch.log_softmax(network.output(hidden(member, network.last, fused)), dim=1)

    p = torch.stack([log_probs(member) for member in range(4)]).double().exp()
    assert_close(found.committee_log_mean.exp().double(), p.mean(dim=0))
    assert_close(found.committee_mean_entropy, -(p * p.log()).sum(dim=2).mean(dim=0))


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"dropout": 0.0}, "dropout", "model.dropout"),
        ({"dropout": 0.0}, "both", "model.dropout"),
        ({"heads": "one"}, "heads", "several heads"),
        ({"heads": "one"}, "both", "several heads"),
        ({"name": "tests.helpers.own_modules:linear_network"}, "dropout", "dropout layers"),
    ],
)
def test_a_committee_whose_members_would_all_be_the_same_is_refused(settings, kind, message):
    pool = make_pool()
    network = make_network(pool, **settings)
    with pytest.raises(SpecError, match=message):
        scored(network, pool, Request(committee=Committee(3, kind)))


def test_masks_need_a_generator():
    pool = make_pool()
    with pytest.raises(ValueError, match="generator"):
        score(make_network(pool), PoolTensors(pool), pool.test, Request(committee=Committee(2)))
