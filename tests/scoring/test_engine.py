"""The engine against the plain module: the same signals for every request and network."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from alray.networks.generators import forked_rng
from alray.networks.layers import dropouts
from alray.networks.loss_predictor import LossPredictor
from alray.networks.models import FUSED
from alray.networks.tensors import PoolTensors
from alray.scoring.folded import FoldedPass
from alray.scoring.passes import BLOCK, MODULE_BLOCK
from alray.scoring.plain import ModulePass
from alray.strategies import scores
from alray.strategies.signals import Committee, Request, Signals
from tests.helpers.builders import (
    everyone,
    image_pool,
    make_network,
    make_pool,
    randomise,
    same_tensors,
    weights_of,
)
from tests.helpers.scoring import assert_close, scored, scored_plainly

DIMENSIONS = [{"text": 5}, {"image": 9, "text": 40}, {"image": 9, "text": 5, "sound": 40}]


SIGNALS = [
    f.name for f in dataclasses.fields(Signals) if f.name not in ("candidates", "side_log_probs")
]


def assert_same(actual, expected):
    assert actual.candidates.tolist() == expected.candidates.tolist()
    assert actual.side_log_probs.keys() == expected.side_log_probs.keys()
    for head, log_probs in expected.side_log_probs.items():
        assert_close(actual.side_log_probs[head], log_probs)
    for name in SIGNALS:
        values = getattr(actual, name), getattr(expected, name)
        assert (values[0] is None) == (values[1] is None)
        if values[0] is not None:
            assert_close(*values)


def everything(network, committee=None):
    """Return the arguments that request every signal of a network."""
    with forked_rng(5):
        predictor = LossPredictor(network.tap_sizes)
    wanted = ("log_probs", "features", "predicted_loss", "true_loss")
    request = Request(
        committee=committee, side_heads=network.head_names[1:], **dict.fromkeys(wanted, True)
    )
    return {"request": request, "predictor": predictor}


def combinations():
    """Return (dimensions, heads, dropout, committee) for every committee that a network can form."""
    for dimensions, heads, dropout in itertools.product(
        DIMENSIONS, ["all", "one"], [0.0, 0.5, 0.95]
    ):
        kinds: list[str | None] = [None]
        several = heads == "all" and len(dimensions) > 1
        kinds += ["dropout"] * (dropout > 0) + ["heads"] * several
        kinds += ["both"] * (several and dropout > 0)
        yield from ((dimensions, heads, dropout, kind) for kind in kinds)


@pytest.mark.parametrize(("dimensions", "heads", "dropout", "kind"), list(combinations()))
def test_the_engine_equals_the_module(monkeypatch, dimensions, heads, dropout, kind):
    pool = make_pool(100, dimensions, absent=0.4)
    assert len(np.unique(PoolTensors(pool).patterns(everyone(pool)))) == 2 ** len(dimensions) - 1
    for seed in range(3):
        network = make_network(pool, seed, randomised=True, heads=heads, dropout=dropout)
        asked = everything(network, None if kind is None else Committee(4, kind))
        expected = scored_plainly(monkeypatch, network, pool, seed=seed, **asked)
        assert_same(scored(network, pool, seed=seed, **asked), expected)


@pytest.mark.parametrize(
    "request_", [Request(), Request(side_heads=("text",)), Request(features=True), Request(true_loss=True),
                 Request(committee=Committee(2)), Request(log_probs=True, side_heads=("image",))],
)  # fmt: skip
def test_only_requested_signals_are_there(monkeypatch, request_):
    pool = make_pool()
    network = make_network(pool, randomised=True)
    actual = scored(network, pool, request_)
    assert_same(actual, scored_plainly(monkeypatch, network, pool, request_))
    assert (actual.log_probs is not None) == (request_.log_probs or request_.true_loss)
    assert set(actual.side_log_probs) == set(request_.side_heads)
    assert (actual.features is not None) == request_.features
    assert (actual.true_loss is not None) == request_.true_loss
    assert (actual.committee_log_mean is not None) == (request_.committee is not None)


def test_the_true_loss_is_that_of_the_pools_labels():
    pool = make_pool()
    order = np.random.default_rng(0).permutation(len(pool))
    found = scored(make_network(pool), pool, Request(true_loss=True), order)
    expected = scores.true_loss(found.log_probs, torch.from_numpy(pool.labels[order]))
    assert torch.equal(found.true_loss, expected)


def test_a_predicted_loss_needs_its_predictor():
    pool = make_pool()
    network = make_network(pool)
    asked = everything(network)
    assert scored(network, pool, asked["request"]).predicted_loss is None
    unasked = scored(network, pool, Request(log_probs=True), predictor=asked["predictor"])
    assert unasked.predicted_loss is None


def test_every_pattern_alone(monkeypatch):
    pool = make_pool(200, DIMENSIONS[2], absent=0.4)
    patterns = PoolTensors(pool).patterns(everyone(pool))
    network = make_network(pool, randomised=True)
    asked = everything(network, Committee(3, "both"))
    for code in range(1, 8):
        indices = np.flatnonzero(patterns == code)
        actual = scored(network, pool, indices=indices, **asked)
        expected = scored_plainly(monkeypatch, network, pool, indices=indices, **asked)
        assert_same(actual, expected)
        present = {name for bit, name in enumerate(DIMENSIONS[2]) if code >> bit & 1}
        assert actual.log_probs is not None
        assert set(actual.side_log_probs) == present


def test_side_heads_are_nan_where_their_modality_is_absent_and_only_there():
    pool = make_pool(absent=0.4)
    network = make_network(pool)
    found = scored(network, pool, Request(log_probs=True, side_heads=network.head_names[1:]))
    for modality in pool.modalities:
        undefined = torch.isnan(found.side_log_probs[modality.name]).numpy()
        assert np.array_equal(undefined.all(axis=1), ~modality.present)
        assert np.array_equal(undefined.any(axis=1), ~modality.present)
    assert not torch.isnan(found.log_probs).any()
    torch.testing.assert_close(found.log_probs.exp().sum(dim=1), torch.ones(len(pool)))


def scored_folded(_monkeypatch, *arguments, **options):
    return scored(*arguments, **options)


@pytest.mark.parametrize(
    "n", [1, MODULE_BLOCK - 1, MODULE_BLOCK, MODULE_BLOCK + 1, BLOCK - 1, BLOCK, BLOCK + 1]
)
def test_blocks_join_without_a_seam(monkeypatch, n):
    pool = make_pool(n, {"text": 5}, absent=0.0)
    network = make_network(pool, randomised=True)
    asked = everything(network, Committee(2))
    assert_same(
        scored(network, pool, **asked), scored_plainly(monkeypatch, network, pool, **asked)
    )


def test_no_objects_have_no_signals():
    pool = make_pool()
    network = make_network(pool)
    nothing = scored(network, pool, indices=np.empty(0, dtype=np.int64), **everything(network))
    assert nothing.side_log_probs == {}
    assert all(getattr(nothing, name) is None for name in SIGNALS)


@pytest.mark.parametrize("score_it", [scored_folded, scored_plainly])
def test_the_block_size_changes_nothing_but_rounding(monkeypatch, score_it):
    pool = make_pool(absent=0.4)
    network = make_network(pool, randomised=True)
    asked = everything(network, Committee(3, "both"))
    whole = score_it(monkeypatch, network, pool, **asked)
    for kind in (FoldedPass, ModulePass):
        monkeypatch.setattr(kind, "block_size", 7)
    assert_same(score_it(monkeypatch, network, pool, **asked), whole)


@pytest.mark.parametrize("name", ["late_fusion", "tests.helpers.own_modules:OwnNetwork"])
@pytest.mark.parametrize("training", [True, False])
def test_scoring_changes_nothing_in_the_network(name, training):
    """BatchNorm must not learn from scored objects, and no mask may remain."""
    pool = make_pool()
    network = make_network(pool, name=name).train(training)
    before = weights_of(network)
    plain = scored(network, pool, Request(log_probs=True)).log_probs
    scored(network, pool, Request(log_probs=True, committee=Committee(3)))
    assert same_tensors(weights_of(network), before)
    assert not any(module.training for module in network.modules())
    assert all(layer.committee is None for layer in dropouts(network))
    assert torch.equal(scored(network, pool, Request(log_probs=True)).log_probs, plain)


def test_scoring_writes_nothing_into_the_pool():
    pool = make_pool()
    before = pool.checksum()
    network = make_network(pool)
    scored(network, pool, **everything(network, Committee(3, "both")))
    assert pool.checksum() == before


def test_results_need_no_gradient():
    pool = make_pool()
    network = make_network(pool)
    found = scored(network, pool, **everything(network, Committee(2)))
    for tensor in (*found.side_log_probs.values(), *(getattr(found, name) for name in SIGNALS)):
        assert not tensor.requires_grad


def test_half_precision_in_memory_scores_nearly_alike():
    whole, half = make_pool(), make_pool(dtype=np.float16)
    network = make_network(whole)
    one, other = (
        scored(network, pool, Request(log_probs=True)).log_probs for pool in (whole, half)
    )
    assert half.modalities[0].features.dtype == np.float16
    assert not torch.equal(one, other)
    # Features of size up to ten, each off by at most 2^-11 of itself.
    torch.testing.assert_close(one, other, atol=0.02, rtol=0.02)


def test_bytes_are_scaled_on_the_way():
    pool = image_pool()
    tensors = PoolTensors(pool)
    network = make_network(pool)
    randomise(network)
    features = (pool.modalities[0].features.astype(np.float32) - 127.5) * np.float32(0.01)
    assert np.array_equal(tensors.batch(everyone(pool)).features["pixels"].flatten(1), features)


@pytest.mark.parametrize("kind", [None, "dropout"])
def test_cnn(kind):
    pool = image_pool()
    network = make_network(pool, name="cnn")
    found = scored(network, pool, **everything(network, Committee(3) if kind else None))
    batch = PoolTensors(pool).batch(everyone(pool))
    outputs = network(batch)
    torch.testing.assert_close(
        found.log_probs, torch.log_softmax(outputs.heads[FUSED].values, dim=1)
    )
    torch.testing.assert_close(found.features, outputs.features)
    assert found.predicted_loss.shape == (len(pool),)
