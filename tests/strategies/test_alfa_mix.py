"""ALFA-Mix against its closed form, with each mix of features written out and its gradient by autograd."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from alray.errors import ScoreError, SpecError
from alray.networks.targets import Known
from alray.networks.tensors import PoolTensors
from alray.scoring.engine import score
from alray.scoring.further_signals import with_further
from alray.strategies import distances, parse
from alray.strategies.base import given
from alray.strategies.signals import LastLayer, Request, Signals
from tests.helpers.builders import everyone, image_pool, make_network, make_pool

WIDTH = 6


def query(signals, k, seed=0, text="alfa_mix"):
    return parse(text).select(signals, k, np.random.default_rng(seed))


def make(n=60, classes=3, seed=0, labels=None, scale=1.0):
    """Return signals of features and of a last layer that makes their probabilities."""
    generator = torch.Generator().manual_seed(seed)
    layer = LastLayer(
        scale * torch.randn(classes, WIDTH, generator=generator),
        torch.randn(classes, generator=generator),
    )

    def of(x):
        return torch.log_softmax(functional.linear(x, layer.weight, layer.bias), 1)

    x = torch.randn(n, WIDTH, generator=generator)
    known = torch.randn(9, WIDTH, generator=generator)
    codes = torch.arange(9) % classes if labels is None else torch.tensor(labels)
    return Signals(
        np.arange(n) + 100,
        log_probs=of(x),
        features=x,
        last_layer=layer,
        labelled=Signals(np.arange(9), log_probs=of(known), features=known, labels=codes),
    )


def changing(signals, step=0.2):
    """Return the objects whose prediction changes for the mix with some class, as the paper writes it, in float64."""
    x = signals.features.double().requires_grad_()
    weight, bias = signals.last_layer.weight.double(), signals.last_layer.bias.double()
    logits = functional.linear(x, weight, bias)
    predicted = logits.argmax(1)
    (gradients,) = torch.autograd.grad(functional.cross_entropy(logits, predicted), x)
    labelled, found = signals.labelled, torch.zeros(len(x), dtype=torch.bool)
    for each in labelled.labels.unique():
        apart = labelled.features[labelled.labels == each].double().mean(0) - x
        lengths = step / math.sqrt(WIDTH) * apart.norm(dim=1) / gradients.norm(dim=1)
        alpha = lengths[:, None] * gradients / (apart + 1e-8)
        mixed = alpha * (apart + x) + (1 - alpha) * x
        found |= functional.linear(mixed, weight, bias).argmax(1) != predicted
    return set((np.flatnonzero(found.numpy()) + 100).tolist())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("step", [0.2, 1.0])
@pytest.mark.parametrize("classes", [2, 3, 5])
def test_candidates_are_those_that_some_mix_changes(monkeypatch, seed, step, classes):
    monkeypatch.setattr(distances, "BLOCK_NUMBERS", 50)
    signals = make(classes=classes, seed=seed)
    wanted = changing(signals, step)
    assert 0 < len(wanted) < 60
    chosen = query(signals, len(wanted), text=f"alfa_mix:step={step}")
    assert set(chosen.indices.tolist()) == wanted
    some = query(signals, max(1, len(wanted) // 2), text=f"alfa_mix:step={step}")
    assert set(some.indices.tolist()) <= wanted


def test_too_few_candidates_come_first_and_random_others_make_up_for_them():
    signals = make()
    wanted = changing(signals)
    orders = {tuple(query(signals, len(wanted) + 4, seed).indices.tolist()) for seed in range(5)}
    for order in orders:
        assert set(order[: len(wanted)]) == wanted
        assert len(set(order)) == len(wanted) + 4
    assert len({frozenset(order) for order in orders}) == 5
    assert sorted(query(signals, 60).indices) == list(range(100, 160))


def test_a_class_without_labels_has_no_mean_and_others_keep_theirs():
    """Classes are known by their labels, not by their position among those that have any."""
    signals = make(classes=4, labels=[3] * 5 + [1] * 4, seed=2)
    wanted = changing(signals)
    assert 0 < len(wanted) < 60
    assert set(query(signals, len(wanted)).indices.tolist()) == wanted


def test_only_one_class_has_labels():
    signals = make(labels=[2] * 9)
    wanted = changing(signals)
    assert set(query(signals, len(wanted)).indices.tolist()) == wanted


def test_nothing_changes_where_the_network_is_certain_to_the_last_digit():
    signals = make(scale=1e4)
    taken = {frozenset(query(signals, 5, seed).indices.tolist()) for seed in range(5)}
    assert len(taken) == 5


def test_units_that_are_alike_in_all_objects_do_not_move():
    """A unit that never fires cannot be mixed into anything, however much the loss would grow by it."""
    signals = make()
    features, labelled = given(signals.features).clone(), given(signals.labelled)
    known = given(labelled.features).clone()
    features[:, 1:] = known[:, 1:] = 0.25
    weight = torch.zeros(2, WIDTH)
    weight[0, 1] = weight[1, 0] = 1
    layer = LastLayer(weight, torch.zeros(2))
    same = replace(
        signals,
        features=features,
        log_probs=torch.log_softmax(functional.linear(features, weight), 1),
        last_layer=layer,
        labelled=replace(labelled, features=known),
    )
    wanted = changing(same, step=1)
    assert 0 < len(wanted) < 40
    for seed in range(5):
        chosen = query(same, len(wanted), seed, "alfa_mix:step=1")
        assert set(chosen.indices.tolist()) == wanted


def test_equal_features_and_distances_of_zero():
    signals = make(n=20)
    x, labelled = torch.ones(20, WIDTH), given(signals.labelled)
    layer = given(signals.last_layer)
    same = replace(
        signals,
        features=x,
        log_probs=torch.log_softmax(functional.linear(x, layer.weight, layer.bias), 1),
        labelled=replace(labelled, features=torch.ones(9, WIDTH)),
    )
    for k in (1, 7, 20):
        assert len(set(query(same, k).indices.tolist())) == k


@pytest.mark.parametrize(
    ("changed", "message"),
    [("features", "the features of 1 of 12"), ("log_probs", "the log-probabilities of 1 of 12")],
)
def test_undefined_signals_are_refused_by_name(changed, message):
    signals = make(n=12)
    values: Any = getattr(signals, changed)
    values[3] = torch.nan
    with pytest.raises(ScoreError, match=message):
        query(signals, 3)


@pytest.mark.parametrize("step", [0, -1, "nan", "inf"])
def test_a_step_that_cannot_be_is_refused(step):
    with pytest.raises(SpecError, match="step must be a number above 0"):
        parse(f"alfa_mix:step={step}")


@pytest.mark.parametrize("settings", [{"width": 32}, {"name": "linear"}, {"block": "residual"}])
def test_the_last_layer_makes_the_logits_of_the_features(settings):
    pool = make_pool(80, absent=0.3)
    assert_makes_the_logits(make_network(pool, randomised=True, **settings), pool)


def test_labelled_objects_are_asked_for_labels_alone_where_nothing_else_is_used(monkeypatch):
    """By class_balanced without a pass over them, by others with the same features as together with more."""
    pool = make_pool(80, absent=0.3)
    network, tensors = make_network(pool), PoolTensors(pool)
    known, none = np.arange(20), Signals(np.arange(20, 40))

    def labelled(needs):
        return given(
            with_further(
                none, network, tensors, Known(known), needs, np.random.default_rng(0)
            ).labelled
        )

    alone, together = labelled(parse("alfa_mix").needs), labelled(parse("bait").needs)
    assert alone.log_probs is None
    assert torch.equal(given(alone.features), given(together.features))
    monkeypatch.setattr("alray.scoring.engine.score", None)
    found = labelled(parse("class_balanced").needs)
    assert found.log_probs is None
    assert found.candidates.tolist() == known.tolist()
    assert given(found.labels).tolist() == pool.labels[known].tolist()


def test_the_last_layer_of_a_network_for_images():
    pool = image_pool()
    assert_makes_the_logits(make_network(pool, name="cnn"), pool)


def assert_makes_the_logits(network, pool):
    needs = Request(log_probs=True, features=True, last_layer=True)
    tensors = PoolTensors(pool)
    found = score(network, tensors, everyone(pool), needs)
    none = np.empty(0, dtype=np.int64)
    found = with_further(found, network, tensors, Known(none), needs, np.random.default_rng(0))
    layer = given(found.last_layer)
    logits = functional.linear(given(found.features), layer.weight, layer.bias)
    torch.testing.assert_close(torch.log_softmax(logits, 1), found.log_probs, rtol=1e-3, atol=1e-4)
    assert not layer.weight.requires_grad
    layer.weight.zero_()
    assert network.output.weight.abs().sum() > 0
