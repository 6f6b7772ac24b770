"""Layers and passes in a low precision: near the exact ones, the same bits each time."""

import dataclasses

import numpy as np
import pytest
import torch

from alray.errors import SpecError
from alray.networks import kernels
from alray.networks.generators import torch_generator
from alray.networks.kernels import has_int8
from alray.networks.tensors import PoolTensors
from alray.scoring.bf16 import Bf16Affine
from alray.scoring.engine import rounded_scores_of, score, score_rounded
from alray.scoring.folding import Affine
from alray.scoring.rounded import can_compute, can_score
from alray.strategies.base import given
from alray.strategies.committee import Bald, CommitteeEntropy
from alray.strategies.signals import Committee, Request
from alray.strategies.uncertainty import Margin
from tests.helpers.builders import everyone, image_pool, make_network, make_pool, with_scaling
from tests.helpers.own_scores import REQUESTS
from tests.helpers.scoring import scored_plainly

UNIT = 2.0**-9
"""bfloat16 has 8 significant bits: rounding to it changes a number by at most this share."""

NEAR = {"int8": 0.05, "bf16": 5 * UNIT}
"""Mean error of log-probabilities at most, as a share of their spread: bf16 rounds what each of five layers reads."""


@pytest.fixture(params=sorted(NEAR))
def precision(request):
    if request.param == "int8" and not has_int8():
        pytest.skip("this build of PyTorch has no 8-bit products")
    return request.param


@pytest.fixture(params=["at hand", "without oneDNN", "an older processor"])
def bf16_linears(request, monkeypatch):
    """Layers in bfloat16 by oneDNN, and in the documented way."""
    if request.param == "without oneDNN":
        monkeypatch.setitem(kernels.FOUND, "onednn_linear", None)
    elif request.param == "an older processor":
        monkeypatch.setitem(kernels.FOUND, "bf16_supported", lambda: False)


@pytest.mark.usefixtures("bf16_linears")
def test_a_bf16_layer_is_the_exact_one_to_the_rounding_of_its_weights_and_outputs():
    x, weight, bias = (
        torch.randn(size, generator=torch_generator(0)) for size in ((256, 96), (64, 96), (64,))
    )
    layer = Bf16Affine(Affine(weight, bias))
    x = x.bfloat16()
    exact = torch.addmm(bias.double(), x.double(), weight.double().t())
    summed = x.double().abs() @ weight.double().abs().t() + bias.double().abs()
    # Of the weights and the bias, and then of the output.
    bound = UNIT * (summed + 1.01 * exact.abs())
    found = layer.rectified(x)
    off = (found - exact.clamp(min=0)).abs()
    assert found.dtype == torch.bfloat16
    assert (off <= bound).all()
    assert off.max() > UNIT
    # Logits are not rounded.
    assert layer(x).dtype == torch.float32
    torch.testing.assert_close(layer(x), exact.float(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "committee", [None, Committee(3), Committee(2, "both"), Committee(0, "heads")]
)
def test_a_pass_is_near_the_exact_one(precision, committee):
    pool = make_pool(700, {"image": 20, "text": 30})
    tensors, network = PoolTensors(pool), make_network(pool, width=32, randomised=True)
    indices = np.arange(650)
    request = Request(log_probs=True, committee=committee, side_heads=network.head_names[1:])

    def scored():
        return score_rounded(network, tensors, indices, request, precision, torch_generator(3))

    def heads(signals):
        return {"fused": signals.log_probs, **signals.side_log_probs}

    exact = score(network, tensors, indices, request, torch_generator(3))
    near, again = scored(), scored()
    assert heads(near).keys() == heads(exact).keys()
    for head, log_probs in heads(exact).items():
        known = ~torch.isnan(log_probs)
        assert torch.equal(torch.isnan(heads(near)[head]), ~known)
        off = (heads(near)[head] - log_probs)[known].abs()
        spread = log_probs[known].std()
        assert 0 < off.mean() < NEAR[precision] * spread
        assert torch.equal(heads(near)[head][known], heads(again)[head][known])
    if committee is not None:
        entropies = [given(each.committee_mean_entropy) for each in (near, exact)]
        off = (entropies[0] - entropies[1]).abs().mean()
        assert 0 < off < 0.1 * entropies[1].std()


def test_a_member_that_drops_every_unit_of_a_layer_answers_as_the_module(monkeypatch, precision):
    pool = make_pool(300)
    network = make_network(pool, width=8, dropout=0.9, randomised=True)
    request = Request(log_probs=True, committee=Committee(20, "both"))
    near = score_rounded(
        network, PoolTensors(pool), everyone(pool), request, precision, torch_generator(3)
    )
    exact = scored_plainly(monkeypatch, network, pool, request, seed=3)
    for signal in ("committee_log_mean", "committee_mean_entropy"):
        off = (getattr(near, signal) - getattr(exact, signal)).abs().mean()
        assert 0 < off < 0.02 * getattr(exact, signal).std()


def assert_near(pool, network, precision, objects):
    """The log-probabilities of these objects, scored among all."""
    request = Request(log_probs=True)
    scored = network, PoolTensors(pool), np.arange(len(pool)), request
    signals = score(*scored), score_rounded(*scored, precision)
    exact, near = (given(each.log_probs)[objects] for each in signals)
    assert (near - exact).abs().mean() < NEAR[precision] * exact.std()


def test_scales_are_made_for_the_whole_of_the_objects(precision):
    """A pool may be sorted: here the last objects are ten times as large."""
    pool = make_pool(3000, {"text": 30}, absent=0.0)
    network = make_network(pool, width=32, randomised=True)
    features = pool.modalities[0].features.astype(np.float32)
    features[1500:] *= 10
    larger = dataclasses.replace(pool.modalities[0], features=features)
    assert_near(
        dataclasses.replace(pool, modalities=(larger,)), network, precision, slice(1500, None)
    )


def test_encoders_of_different_sizes_share_a_scale_that_holds_both(precision):
    """Their outputs are joined into one matrix of bytes."""
    pool = make_pool(600, {"image": 20, "text": 30}, absent=0.0)
    network = make_network(pool, width=32, randomised=True)
    with torch.no_grad():
        dict(network.encoders())["text"].second.linear.weight.mul_(20)
    assert_near(pool, network, precision, slice(None))


def test_features_are_standardised_before_they_are_rounded(precision):
    pool = with_scaling(make_pool(600, {"image": 20, "text": 30}, absent=0.0))
    assert_near(pool, make_network(pool, width=32, randomised=True), precision, slice(None))


@pytest.mark.parametrize(
    "request_", [Request(features=True), Request(predicted_loss=True), *REQUESTS.values()]
)
def test_signals_that_are_not_probabilities_are_refused(precision, request_):
    pool = make_pool()
    assert not can_compute(request_)
    scored = make_network(pool), PoolTensors(pool), pool.train
    with pytest.raises(SpecError, match=f"cannot be computed in {precision}"):
        score_rounded(*scored, request_, precision, torch_generator(3))


def test_other_networks_are_refused(precision):
    pool = image_pool()
    network = make_network(pool, name="cnn")
    assert not can_score(network)
    assert can_score(make_network(make_pool()))
    with pytest.raises(SpecError, match="only late fusion"):
        score_rounded(network, PoolTensors(pool), pool.train, Request(log_probs=True), precision)


@pytest.mark.parametrize("strategy", [Margin(), Bald(3), CommitteeEntropy(3, "both")])
def test_scores_by_block_are_those_of_all_signals_to_the_bit(precision, strategy):
    pool = make_pool(2500, {"image": 20, "text": 30})
    network = make_network(pool, width=32, randomised=True)
    scored = network, PoolTensors(pool), everyone(pool)
    signals = score_rounded(*scored, strategy.needs, precision, torch_generator(3))
    found = rounded_scores_of(strategy, *scored, precision, torch_generator(3))
    assert found.tolist() == strategy.score(signals).tolist()
