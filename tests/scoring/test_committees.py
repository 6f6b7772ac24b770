"""Members of a committee: thinned networks that all objects share."""

import numpy as np
import pytest
import torch

from alray.errors import SpecError
from alray.networks.generators import torch_generator
from alray.networks.layers import as_member, committee_masks, draw_mask, dropouts
from alray.networks.models import FUSED
from alray.networks.tensors import PoolTensors
from alray.scoring.engine import check_committee, score
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


def test_members_are_thinned_networks():
    """A committee of one is the network with some units set to zero."""
    pool = make_pool(absent=0.0)
    network = make_network(pool, randomised=True)
    actual = scored(network, pool, Request(committee=Committee(1)), seed=3)
    generator = torch_generator(3)
    masks = {layer: draw_mask((layer.size or 0,), 0.5, generator) for layer in dropouts(network)}

    def hidden(layer, x):
        h = layer.norm(torch.relu(layer.linear(x)))
        return h if layer.dropout is None else h * masks[layer.dropout]

    encoded = []
    for name, encoder in network.eval().encoders():
        x = PoolTensors(pool).batch(everyone(pool)).features[name]
        encoded.append(hidden(encoder.second, hidden(encoder.first, x)))
    h = hidden(network.last, hidden(network.fuse, torch.cat(encoded, dim=1)))
    expected = torch.log_softmax(network.output(h), dim=1)
    assert_close(actual.committee_log_mean, expected)


def test_a_committee_is_summarised_by_its_mean_and_its_mean_entropy():
    pool = make_pool(absent=0.0)
    network = make_network(pool, randomised=True)
    found = scored(network, pool, Request(committee=Committee(4)))
    batch, layers, members = PoolTensors(pool).batch(everyone(pool)), dropouts(network), []
    with torch.no_grad(), committee_masks(network, 4, torch_generator(0)):
        for member in range(4):
            with as_member(layers, member):
                members.append(torch.log_softmax(network(batch).heads[FUSED].values, dim=1))
    p = torch.stack(members).double().exp()
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
        check_committee(network, Committee(3, kind))
    with pytest.raises(SpecError, match=message):
        scored(network, pool, Request(committee=Committee(3, kind)))


def test_masks_need_a_generator():
    pool = make_pool()
    with pytest.raises(ValueError, match="generator"):
        score(make_network(pool), PoolTensors(pool), pool.test, Request(committee=Committee(2)))
