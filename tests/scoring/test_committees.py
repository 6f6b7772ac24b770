"""Members of a committee: thinned networks that all objects share."""

import numpy as np
import pytest
import torch

from alray.errors import SpecError
from alray.networks.generators import torch_generator
from alray.networks.layers import draw_mask, dropouts
from alray.networks.tensors import PoolTensors
from alray.scoring.engine import score
from alray.strategies.scores import bald
from alray.strategies.signals import Committee, Request
from tests.helpers.builders import TWO, everyone, make_network, make_pool, plan_of
from tests.helpers.correlation_studies import correlation_plan
from tests.helpers.faulty_networks import faulty
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


ONE = {"text": 5}
CUSTOM = "tests.helpers.own_modules:linear_network"


@pytest.mark.parametrize(
    ("dimensions", "settings", "kind", "message"),
    [
        (TWO, {"dropout": 0.0}, "dropout", "set model.dropout above 0$"),
        (TWO, {"name": "linear"}, "dropout", "use model late_fusion, as linear has none$"),
        (TWO, {"dropout": 0.0}, "both", "set model.dropout above 0$"),
        (ONE, {"dropout": 0.0}, "dropout", "set model.dropout above 0$"),
        (TWO, {"heads": "one"}, "heads", "several heads.*use committee=dropout"),
        (TWO, {"heads": "one"}, "both", "several heads"),
        (ONE, {}, "heads", "several heads.*use committee=dropout"),
        (TWO, {"name": CUSTOM}, "dropout", "dropout layers: .*create nn.Dropout layers in the"),
    ],
)
def test_a_committee_whose_members_would_all_be_the_same_is_refused(
    dimensions, settings, kind, message
):
    """With advice that the network can follow."""
    pool = make_pool(dimensions=dimensions)
    network = make_network(pool, **settings)
    with pytest.raises(SpecError, match=message):
        scored(network, pool, Request(committee=Committee(3, kind)))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            faulty("dropout not called"),
            r"same answers.*\(layer\) change nothing; call them in forward",
        ),
        (faulty("transformer of objects"), "scored together.*batch_first=True"),
        (
            {"width": 8, "dropout": 1e-6},
            "same answers.*raise model.dropout",
        ),
    ],
    ids=str,
)
def test_members_that_agree_about_a_few_objects_are_refused_while_planning(model, message):
    pool = make_pool(400)
    heads_are_left = ", or use committee=heads" if "width" in model else ""
    with pytest.raises(SpecError, match=f"^bald: .*{message}.*{heads_are_left}$"):
        plan_of(pool, model=model, strategies=["margin", "bald"])
    with pytest.raises(
        SpecError, match=f"^scores: bald: .*{message}.*(?<!heads); or leave it out: --scores loss$"
    ):
        correlation_plan(pool, model=model, scores=["loss", "bald"])
    heads = {**model, "dropout": 0.5} if "width" in model else {"width": 8}
    plan_of(pool, model=heads, strategies=["committee_margin:committee=heads"])
    plan_of(pool, model=model, strategies=["margin"])


def test_members_of_a_transformer_drop_what_its_dropout_layers_drop():
    """PyTorch's fast path, which calls no dropout layer, is off for members and on again behind them."""
    pool = make_pool()
    network = make_network(pool, **faulty("transformer"))
    request = Request(committee=Committee(6))
    fast = scored(network, pool, request)
    assert torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        slow = scored(network, pool, request)
        assert not torch.backends.mha.get_fastpath_enabled()
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    assert torch.equal(fast.committee_log_mean, slow.committee_log_mean)
    assert bald(fast.committee_log_mean, fast.committee_mean_entropy).min() > 1e-4


def test_masks_need_a_generator():
    pool = make_pool()
    with pytest.raises(ValueError, match="generator"):
        score(make_network(pool), PoolTensors(pool), pool.test, Request(committee=Committee(2)))
