"""Layers and passes in int8: near the exact ones, the same bits each time."""

import dataclasses

import numpy as np
import pytest
import torch

from alray.errors import SpecError
from alray.networks.generators import torch_generator
from alray.networks.kernels import INT8, available
from alray.networks.tensors import PoolTensors
from alray.scoring.engine import score, score_int8
from alray.scoring.folding import Affine
from alray.scoring.int8 import Int8Affine, can_compute, can_score, scale_of, signed_scale_of
from alray.strategies.base import given
from alray.strategies.signals import Committee, Request
from tests.helpers.builders import everyone, image_pool, make_network, make_pool, with_scaling
from tests.helpers.scoring import scored_plainly

pytestmark = pytest.mark.skipif(
    not available() >= INT8, reason="this build of PyTorch has no 8-bit products"
)


def test_a_scale_holds_what_it_was_made_for():
    x = torch.tensor([[-2.0, 0.5, 1.0, 0.0]])
    scale = signed_scale_of(x)
    assert scale.bytes_of(x.clone()).tolist() == [[1, 160, 192, 128]]
    assert scale.bytes_of(10 * x).tolist() == [[0, 255, 255, 128]]
    assert scale_of(torch.tensor([0.0, 5.1])).step == pytest.approx(0.02)
    assert scale_of(torch.tensor([0.5]), torch.tensor([2.55])).step == pytest.approx(0.01)
    assert scale_of(torch.zeros(3)).step > 0


def test_a_layer_is_near_the_exact_one():
    rng = np.random.default_rng(0)
    x, weight, bias = (
        torch.from_numpy(rng.normal(size=size).astype(np.float32))
        for size in ((256, 96), (64, 96), (64,))
    )
    # Outputs of very different sizes each have a scale of their own.
    affine = Affine(weight * torch.logspace(-3, 1, 64)[:, None], bias)
    exact = affine.rectified(x)
    inputs, outputs = signed_scale_of(x), scale_of(exact)
    layer = Int8Affine(affine, inputs, outputs)
    logits = layer(inputs.bytes_of(x.clone()))
    off = (logits - affine(x)).abs().mean(dim=0) / (affine(x) - bias).std(dim=0)
    assert logits.dtype == torch.float32
    assert 1e-4 < off.max() < 0.02
    rectified = layer.rectified(inputs.bytes_of(x.clone()))
    assert rectified.dtype == torch.uint8
    error = (rectified.float() * outputs.step - exact).abs().max()
    assert error < 0.02 * exact.max()
    last = Int8Affine(affine, inputs)
    assert torch.equal(last(inputs.bytes_of(x.clone())), logits)
    with pytest.raises(RuntimeError, match="without a scale for its outputs"):
        last.rectified(inputs.bytes_of(x.clone()))


@pytest.mark.parametrize(
    "committee", [None, Committee(3), Committee(2, "both"), Committee(0, "heads")]
)
def test_an_int8_pass_is_near_the_exact_one(committee):
    pool = make_pool(700, {"image": 20, "text": 30})
    tensors, network = PoolTensors(pool), make_network(pool, width=32, randomised=True)
    indices = np.arange(650)
    request = Request(log_probs=True, committee=committee, side_heads=network.head_names[1:])

    def scored(way):
        return way(network, tensors, indices, request, torch_generator(3))

    def heads(signals):
        return {"fused": signals.log_probs, **signals.side_log_probs}

    exact, near, again = scored(score), scored(score_int8), scored(score_int8)
    assert heads(near).keys() == heads(exact).keys()
    for head, log_probs in heads(exact).items():
        known = ~torch.isnan(log_probs)
        assert torch.equal(torch.isnan(heads(near)[head]), ~known)
        off = (heads(near)[head] - log_probs)[known].abs()
        spread = log_probs[known].std()
        assert 0 < off.mean() < 0.05 * spread
        assert torch.equal(heads(near)[head][known], heads(again)[head][known])
    if committee is not None:
        off = (near.committee_mean_entropy - exact.committee_mean_entropy).abs().mean()
        assert 0 < off < 0.1 * exact.committee_mean_entropy.std()


def test_a_member_that_drops_every_unit_of_a_layer_answers_as_the_module(monkeypatch):
    pool = make_pool(300)
    network = make_network(pool, width=8, dropout=0.9, randomised=True)
    request = Request(log_probs=True, committee=Committee(20, "both"))
    near = score_int8(network, PoolTensors(pool), everyone(pool), request, torch_generator(3))
    exact = scored_plainly(monkeypatch, network, pool, request, seed=3)
    for signal in ("committee_log_mean", "committee_mean_entropy"):
        off = (getattr(near, signal) - getattr(exact, signal)).abs().mean()
        assert 0 < off < 0.02 * getattr(exact, signal).std()


def assert_near(pool, network, objects):
    """The log-probabilities of these objects, scored among all."""
    request = Request(log_probs=True)
    exact, near = (
        given(way(network, PoolTensors(pool), np.arange(len(pool)), request).log_probs)[objects]
        for way in (score, score_int8)
    )
    assert (near - exact).abs().mean() < 0.05 * exact.std()


def test_scales_are_made_for_the_whole_of_the_objects():
    """A pool may be sorted: here the last objects are ten times as large."""
    pool = make_pool(3000, {"text": 30}, absent=0.0)
    network = make_network(pool, width=32, randomised=True)
    features = pool.modalities[0].features.astype(np.float32)
    features[1500:] *= 10
    larger = dataclasses.replace(pool.modalities[0], features=features)
    assert_near(dataclasses.replace(pool, modalities=(larger,)), network, slice(1500, None))


def test_encoders_of_different_sizes_share_a_scale_that_holds_both():
    """Their outputs are joined into one matrix of bytes."""
    pool = make_pool(600, {"image": 20, "text": 30}, absent=0.0)
    network = make_network(pool, width=32, randomised=True)
    with torch.no_grad():
        dict(network.encoders())["text"].second.linear.weight.mul_(20)
    assert_near(pool, network, slice(None))


def test_features_are_standardised_on_their_way_to_bytes():
    pool = with_scaling(make_pool(600, {"image": 20, "text": 30}, absent=0.0))
    assert_near(pool, make_network(pool, width=32, randomised=True), slice(None))


@pytest.mark.parametrize("request_", [Request(features=True), Request(predicted_loss=True)])
def test_signals_that_are_not_probabilities_are_refused(request_):
    pool = make_pool()
    assert not can_compute(request_)
    with pytest.raises(SpecError, match="cannot be computed in int8"):
        score_int8(make_network(pool), PoolTensors(pool), pool.train, request_)


def test_other_networks_are_refused():
    pool = image_pool()
    network = make_network(pool, name="cnn")
    assert not can_score(network)
    assert can_score(make_network(make_pool()))
    with pytest.raises(SpecError, match="only late fusion"):
        score_int8(network, PoolTensors(pool), pool.train, Request(log_probs=True))
