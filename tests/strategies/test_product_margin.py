"""The margin of the product of heads against its definition, object by object."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from alray.errors import ScoreError
from alray.networks.generators import torch_generator
from alray.networks.tensors import PoolTensors
from alray.scoring import engine
from alray.scoring.folded import FoldedPass
from alray.scoring.plain import ModulePass
from alray.strategies import parse
from alray.strategies.base import given
from alray.strategies.product_margin import ProductMargin
from alray.strategies.signals import Request, Signals
from tests.helpers.builders import everyone, make_network, make_pool
from tests.helpers.strategy_cases import make_signals

THREE = {"image": 9, "text": 5, "sound": 4}


def margin_of_products(signals):
    """Return the definition: multiply what heads an object has, divide by the sum, and compare the two largest."""
    found = []
    for each in range(len(signals.candidates)):
        product = signals.log_probs[each].double().exp().numpy().copy()
        for side in signals.side_log_probs.values():
            if not torch.isnan(side[each]).any():
                product *= side[each].double().exp().numpy()
        best, second = np.sort(product / product.sum())[::-1][:2]
        found.append(best - second)
    return np.array(found)


@pytest.mark.parametrize("classes", [2, 3, 50])
def test_it_is_the_margin_of_the_products(classes):
    signals = make_signals(Request(log_probs=True, side_heads="all"), classes=classes)
    scores = ProductMargin().score(signals).numpy()
    np.testing.assert_allclose(scores, margin_of_products(signals), rtol=1e-4, atol=1e-6)
    query = parse("product_margin").select(signals, 5, np.random.default_rng(0))
    expected = signals.candidates[np.argsort(margin_of_products(signals))[:5]]
    assert query.indices.tolist() == expected.tolist()


def test_heads_that_rule_out_each_others_classes_leave_doubt():
    certain = torch.log(torch.tensor([[0.98, 0.01, 0.01]]))
    other = torch.log(torch.tensor([[0.01, 0.98, 0.01]]))
    agree = Signals(np.arange(1), log_probs=certain, side_log_probs={"text": certain})
    object_ = replace(agree, side_log_probs={"text": other})
    assert float(ProductMargin().score(agree)) > 0.999
    assert float(ProductMargin().score(object_)) == pytest.approx(0, abs=1e-6)


def test_an_object_without_side_heads_has_the_margin_of_the_fused_one():
    signals = make_signals(Request(log_probs=True, side_heads="all"))
    absent = torch.full_like(given(signals.log_probs), torch.nan)
    alone = replace(signals, side_log_probs={"text": absent})
    expected = parse("margin").select(alone, 12, np.random.default_rng(0))
    found = parse("product_margin").select(alone, 12, np.random.default_rng(0))
    assert found.indices.tolist() == expected.indices.tolist()


@pytest.mark.parametrize("head", ["fused", "text"])
def test_undefined_probabilities_are_refused(head):
    signals = make_signals(Request(log_probs=True, side_heads="all"))
    present = int(torch.nonzero(~signals.side_log_probs["text"].isnan().any(1))[0])
    values = given(signals.log_probs) if head == "fused" else signals.side_log_probs["text"]
    values[present, 1] = torch.nan
    with pytest.raises(ScoreError, match="1 of 60 scores are NaN"):
        parse("product_margin").select(signals, 5, np.random.default_rng(0))


@pytest.mark.parametrize("parts", [{}, {"block": "residual"}])
def test_all_side_heads_are_asked_for_at_once(monkeypatch, parts):
    """By name or all, at once or block by block: the same scores, whatever each object lacks."""
    pool = make_pool(100, THREE, absent=0.4)
    network = make_network(pool, width=16, **parts)
    tensors, objects = PoolTensors(pool), everyone(pool)
    named = engine.score(
        network, tensors, objects, Request(log_probs=True, side_heads=("image", "text", "sound"))
    )
    whole = engine.score(network, tensors, objects, ProductMargin().needs)
    assert list(whole.side_log_probs) == list(named.side_log_probs)
    torch.testing.assert_close(
        whole.side_log_probs, named.side_log_probs, rtol=0, atol=0, equal_nan=True
    )
    expected = ProductMargin().score(named).double().numpy()
    np.testing.assert_allclose(expected, margin_of_products(named), rtol=1e-3, atol=1e-5)
    for kind in (FoldedPass, ModulePass):
        monkeypatch.setattr(kind, "block_size", 16)
    scores = engine.scores_of(ProductMargin(), network, tensors, objects, torch_generator(0))
    np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)


def test_it_can_be_screened():
    pool = make_pool(100, THREE, absent=0.4)
    network, tensors = make_network(pool, width=16), PoolTensors(pool)
    exact = engine.scores_of(ProductMargin(), network, tensors, everyone(pool))
    near = engine.rounded_scores_of(ProductMargin(), network, tensors, everyone(pool), "bf16")
    assert np.abs(near - exact).max() < 0.05
    assert (near != exact).any()


def test_a_pass_is_given_names():
    pool = make_pool(20)
    network = make_network(pool)
    with pytest.raises(RuntimeError, match="names a network's heads"):
        FoldedPass(network, PoolTensors(pool), ProductMargin().needs).prepare(
            ["image"], everyone(pool)
        )
