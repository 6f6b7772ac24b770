"""The engine against the plain module: the same signals for every request and network."""

from typing import Any

import numpy as np
import pytest
import torch

from alray.networks.generators import forked_rng
from alray.networks.layers import dropouts
from alray.networks.loss_predictor import LossPredictor
from alray.networks.network import FUSED
from alray.networks.tensors import PoolTensors
from alray.scoring.folded import FoldedPass
from alray.scoring.passes import BLOCK
from alray.scoring.plain import ModulePass
from alray.strategies import scores
from alray.strategies.signals import Committee, Request
from tests.helpers.builders import (
    everyone,
    image_pool,
    make_network,
    make_pool,
    same_tensors,
    weights_of,
    with_scaling,
)
from tests.helpers.scoring import (
    SIGNAL_NAMES,
    assert_same_signals,
    assert_scored_as_the_module,
    scored,
)

ONE, THREE = {"text": 5}, {"image": 9, "text": 5, "sound": 40}


@pytest.fixture
def pool():
    return make_pool()


@pytest.fixture
def network(pool):
    return make_network(pool, randomised=True)


def everything(network, committee=None):
    """Return the arguments that request every signal of a network."""
    with forked_rng(5):
        predictor = LossPredictor(network.tap_sizes)
    wanted = ("log_probs", "features", "predicted_loss", "true_loss")
    asked: dict[str, Any] = dict.fromkeys(wanted, True)
    request = Request(
        committee=committee,
        members=committee is not None,
        side_heads=network.head_names[1:],
        **asked,
    )
    return {"request": request, "predictor": predictor}


@pytest.mark.parametrize(
    ("dimensions", "heads", "dropout", "kind"),
    [
        (ONE, "all", 0.0, None),
        (ONE, "all", 0.5, "dropout"),
        (THREE, "one", 0.5, "dropout"),
        (THREE, "all", 0.0, "heads"),
        (THREE, "all", 0.5, "dropout"),
        (THREE, "all", 0.5, "both"),
        (THREE, "all", 0.95, "both"),
    ],
)
@pytest.mark.parametrize("width", [8, 40])
def test_the_engine_equals_the_module(monkeypatch, dimensions, heads, dropout, kind, width):
    """A member of a network of width 8 computes all units, or none at a high rate; of width 40, some of them."""
    pool = make_pool(100, dimensions, absent=0.4)
    assert len(np.unique(PoolTensors(pool).patterns(everyone(pool)))) == 2 ** len(dimensions) - 1
    network = make_network(pool, randomised=True, heads=heads, dropout=dropout, width=width)
    asked = everything(network, None if kind is None else Committee(4, kind))
    assert_scored_as_the_module(monkeypatch, network, pool, **asked)


@pytest.mark.parametrize("kind", ["heads", "both"])
def test_a_first_layer_holds_what_standardises_the_features(monkeypatch, kind):
    pool = make_pool(100, THREE, absent=0.4)
    network = make_network(pool, randomised=True, width=40)
    asked = everything(network, Committee(4, kind))
    found = assert_scored_as_the_module(monkeypatch, network, with_scaling(pool), **asked)
    assert not torch.allclose(found.log_probs, scored(network, pool, **asked).log_probs)


@pytest.mark.parametrize(
    "request_", [Request(), Request(side_heads=("text",)), Request(features=True), Request(true_loss=True),
                 Request(committee=Committee(2)), Request(committee=Committee(kind="heads")),
                 Request(log_probs=True, side_heads=("image",))],
)  # fmt: skip
def test_only_requested_signals_are_there(monkeypatch, request_, pool, network):
    actual = assert_scored_as_the_module(monkeypatch, network, pool, request_)
    assert (actual.log_probs is not None) == (request_.log_probs or request_.true_loss)
    assert set(actual.side_log_probs) == set(request_.side_heads)
    assert (actual.features is not None) == request_.features
    assert (actual.true_loss is not None) == request_.true_loss
    assert (actual.committee_log_mean is not None) == (request_.committee is not None)


def test_the_true_loss_is_that_of_the_pools_labels(pool, network):
    order = np.random.default_rng(0).permutation(len(pool))
    found = scored(network, pool, Request(true_loss=True), order)
    expected = scores.true_loss(found.log_probs, torch.from_numpy(pool.labels[order]))
    assert torch.equal(found.true_loss, expected)


def test_a_predicted_loss_needs_its_predictor(pool, network):
    asked = everything(network)
    assert scored(network, pool, asked["request"]).predicted_loss is None
    unasked = scored(network, pool, Request(log_probs=True), predictor=asked["predictor"])
    assert unasked.predicted_loss is None


def test_side_heads_are_nan_where_their_modality_is_absent_and_only_there(pool, network):
    request = Request(log_probs=True, side_heads=network.head_names[1:])
    text_alone = np.flatnonzero(~pool.modalities[0].present)
    assert list(scored(network, pool, request, text_alone).side_log_probs) == ["text"]
    found = scored(network, pool, request)
    for modality in pool.modalities:
        undefined = torch.isnan(found.side_log_probs[modality.name]).numpy()
        assert np.array_equal(undefined.all(axis=1), ~modality.present)
        assert np.array_equal(undefined.any(axis=1), ~modality.present)
    assert not torch.isnan(found.log_probs).any()
    torch.testing.assert_close(found.log_probs.exp().sum(dim=1), torch.ones(len(pool)))


@pytest.mark.parametrize("n", [1, BLOCK, BLOCK + 1])
def test_blocks_join_without_a_seam(monkeypatch, n):
    pool = make_pool(n, ONE, absent=0.0)
    network = make_network(pool, randomised=True)
    asked = everything(network, Committee(2))
    assert_scored_as_the_module(monkeypatch, network, pool, **asked)


def test_no_objects_have_no_signals(pool, network):
    nothing = scored(network, pool, indices=np.empty(0, dtype=np.int64), **everything(network))
    assert nothing.side_log_probs == {}
    assert all(getattr(nothing, name) is None for name in SIGNAL_NAMES)


def test_the_block_size_changes_nothing_but_rounding(monkeypatch, pool, network):
    asked = everything(network, Committee(3, "both"))
    whole = scored(network, pool, **asked)
    for kind in (FoldedPass, ModulePass):
        monkeypatch.setattr(kind, "block_size", 7)
    assert_same_signals(assert_scored_as_the_module(monkeypatch, network, pool, **asked), whole)


@pytest.mark.parametrize("name", ["late_fusion", "tests.helpers.own_modules:OwnNetwork"])
@pytest.mark.parametrize("training", [True, False])
def test_scoring_changes_nothing_in_the_network(pool, name, training):
    """BatchNorm must not learn from scored objects, and no mask may remain."""
    network = make_network(pool, name=name).train(training)
    before = weights_of(network)
    plain = scored(network, pool, Request(log_probs=True)).log_probs
    scored(network, pool, Request(log_probs=True, committee=Committee(3)))
    assert same_tensors(weights_of(network), before)
    assert not any(module.training for module in network.modules())
    assert all(layer.committee is None for layer in dropouts(network))
    assert torch.equal(scored(network, pool, Request(log_probs=True)).log_probs, plain)


def test_scoring_writes_nothing_into_the_pool_and_its_results_need_no_gradient(pool, network):
    before = pool.checksum()
    found = scored(network, pool, **everything(network, Committee(3, "both")))
    assert pool.checksum() == before
    for tensor in (
        *found.side_log_probs.values(),
        *(getattr(found, name) for name in SIGNAL_NAMES),
    ):
        assert not tensor.requires_grad


@pytest.mark.parametrize("committee", [None, Committee(3)])
def test_cnn(committee):
    pool = image_pool()
    network = make_network(pool, name="cnn")
    found = scored(network, pool, **everything(network, committee))
    outputs = network(PoolTensors(pool).batch(everyone(pool)))
    expected = torch.log_softmax(outputs.heads[FUSED].values, dim=1)
    torch.testing.assert_close(found.log_probs, expected)
    torch.testing.assert_close(found.features, outputs.features)
    assert found.predicted_loss.shape == (len(pool),)
