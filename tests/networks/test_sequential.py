"""Sequential custom modules: recognised, and scored as the module itself would."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, fx, nn
from torch.nn import functional
from typing_extensions import override

from alray.networks import kernels, sequential
from alray.networks.custom_module import CustomModule
from alray.networks.generators import forked_rng
from alray.networks.layers import dropouts
from alray.networks.sequential import find_blocks
from alray.scoring import sequential as sequential_pass
from alray.scoring.passes import BLOCK
from alray.strategies.signals import Committee, Request
from tests.helpers.builders import make_pool, with_scaling
from tests.helpers.scoring import assert_scored_as_the_module, scored
from tests.helpers.sequential_modules import (
    CLASSES,
    SEQUENCES,
    SHAPES,
    SIZE,
    Between,
    Sequence,
    custom,
    double_weights,
    dropping_in_training,
    layers,
)


class OtherLinear(nn.Linear):
    """May compute anything."""


OTHERS: dict[str, list[nn.Module]] = {
    "a class of its own": [OtherLinear(SIZE, 9), nn.ReLU(), nn.Linear(9, CLASSES)],
    "another activation": [nn.Linear(SIZE, 9), nn.GELU(), nn.Linear(9, CLASSES)],
    "dropout on the input": [nn.Dropout(0.3), nn.Linear(SIZE, CLASSES)],
    "dropout on the logits": [nn.Linear(SIZE, CLASSES), nn.Dropout(0.3)],
    "dropout before norm": layers(nn.Dropout(0.3), nn.BatchNorm1d(9)),
    "dropout before relu": [nn.Linear(SIZE, 9), nn.Dropout(0.3), nn.ReLU(), nn.Linear(9, CLASSES)],
    "norm without statistics": layers(nn.BatchNorm1d(9, track_running_stats=False)),
    "norm without weights": layers(nn.BatchNorm1d(9, affine=False)),
    "two norms before": [nn.Linear(SIZE, 9), nn.BatchNorm1d(9), nn.BatchNorm1d(9), nn.ReLU(), nn.Linear(9, CLASSES)],
    "two norms after": layers(nn.BatchNorm1d(9), nn.BatchNorm1d(9)),
    "two relus": layers(nn.ReLU()),
    "two relus about a norm": layers(nn.BatchNorm1d(9), nn.ReLU()),
    "two dropouts in a row": layers(nn.Dropout(0.3), nn.Dropout(0.3)),
}  # fmt: skip

LOG_PROBS = Request(log_probs=True)


class Computing(Sequence):
    """Computes the logits by a function of its layers, the features and which objects are present."""

    def __init__(self, compute: Any, *parts: nn.Module) -> None:
        super().__init__(*parts)
        self.compute = compute

    @override
    def forward(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
        logits: Tensor = self.compute(self.layers, features["text"], present)
        return logits


def by_functions(parts, x, present):
    first, drop, second, last = parts
    return last(functional.relu(second(drop(torch.relu(first(x))))))


def computing_beside_the_sequence(parts, x, present):
    present["text"].sum()
    return parts(x)


def computing_around_the_sequence(parts, x, present):
    return parts(x) + x[:, :CLASSES]


def deciding_by_a_value(parts, x, present):
    logits = parts(x)
    return logits if logits.sum() > 0 else -logits


@pytest.fixture
def pool():
    return make_pool(300, {"text": SIZE}, absent=0.0)


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_sequence_is_scored_as_its_module(monkeypatch, pool, name):
    network = custom(Sequence(*SEQUENCES[name]))
    assert network.blocks is not None
    request = Request(log_probs=True, committee=Committee(5) if dropouts(network) else None)
    assert_scored_as_the_module(monkeypatch, network, pool, request, seed=2)


def test_the_first_layer_of_a_sequence_holds_what_standardises_the_features(monkeypatch, pool):
    network = custom(Sequence(*layers(nn.Dropout(0.3))))
    request = Request(log_probs=True, committee=Committee(5))
    assert_scored_as_the_module(monkeypatch, network, with_scaling(pool), request)


def test_functions_are_layers_too(monkeypatch, pool):
    parts = [nn.Linear(SIZE, 9), nn.Dropout(0.5), nn.Linear(9, 8), nn.Linear(8, CLASSES)]
    network = custom(Computing(by_functions, *parts))
    assert network.blocks is not None
    assert [block.relu for block in network.blocks] == [True, True, False]
    request = Request(committee=Committee(4))
    assert_scored_as_the_module(monkeypatch, network, pool, request, seed=2)


@pytest.mark.parametrize("name", OTHERS)
def test_layers_in_another_order_or_of_another_kind_are_called(name):
    assert CustomModule(Sequence(*OTHERS[name]), SHAPES).blocks is None


@pytest.mark.parametrize(
    "compute",
    [computing_beside_the_sequence, computing_around_the_sequence, deciding_by_a_value],
)
def test_a_module_that_does_anything_else_is_called(compute):
    assert custom(Computing(compute, *layers())).blocks is None


def dropping_with_gradients(module, h):
    return module.drop(h) if torch.is_grad_enabled() else h


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("between", [dropping_in_training, dropping_with_gradients])
def test_a_module_that_is_another_sequence_in_training_is_called(between, training):
    """Whichever mode it is in when it is asked first."""
    network = custom(Between(between)).train(training)
    with torch.set_grad_enabled(training):
        assert network.blocks is None


def without_gradient(parts, x, present):
    with torch.no_grad():
        h = parts[1](parts[0](x))
    return parts[2](h)


def without_gradient_in_a_function(parts, x, present):
    return parts[2](torch.no_grad()(lambda: parts[1](parts[0](x)))())


def in_inference_mode(parts, x, present):
    with torch.inference_mode():
        h = parts[1](parts[0](x))
    return parts[2](h)


def gradients_switched_off(parts, x, present):
    h = parts[1](parts[0](x))
    torch.set_grad_enabled(False)
    logits = parts[2](h)
    torch.set_grad_enabled(True)
    return logits


def in_a_low_precision(parts, x, present):
    with torch.autocast("cpu", torch.bfloat16):
        return parts(x)


@pytest.mark.parametrize(
    "compute",
    [
        without_gradient,
        without_gradient_in_a_function,
        in_inference_mode,
        gradients_switched_off,
        in_a_low_precision,
    ],
)
def test_a_module_that_computes_some_layers_without_gradient_or_precision_is_called(compute):
    """Even where it is asked first while it is scored."""
    with torch.no_grad():
        assert custom(Computing(compute, *layers())).blocks is None
    assert torch.is_grad_enabled()


def test_tracing_leaves_each_layer_in_its_mode():
    network = custom(Sequence(*layers(nn.BatchNorm1d(9), nn.Dropout(0.3)))).train()
    next(layer for layer in network.modules() if isinstance(layer, nn.BatchNorm1d)).eval()
    before = [layer.training for layer in network.modules()]
    assert network.blocks is not None
    assert [layer.training for layer in network.modules()] == before


@pytest.mark.parametrize("part", ["", "layers", "layers.0"])
def test_a_module_with_a_hook_on_itself_or_a_part_is_called(part):
    module = Sequence(*layers())
    module.get_submodule(part).register_forward_hook(lambda *_: None)
    assert custom(module).blocks is None


@pytest.mark.parametrize("draw", [lambda: torch.rand(()), np.random.random])
def test_a_module_that_draws_is_called_and_tracing_it_changes_no_later_draw(draw):
    def dropping_by_chance(module, h):
        return module.drop(h) if draw() < 2 else h

    network = custom(Between(dropping_by_chance))
    with forked_rng(3):
        expected = draw()
    with forked_rng(3):
        assert network.blocks is None
        assert draw() == expected


def test_a_build_that_cannot_tell_hooks_calls_the_module(monkeypatch):
    monkeypatch.setattr(sequential, "available", lambda: kernels.GRADIENTS)
    assert custom(Sequence(*layers())).blocks is None


@pytest.mark.parametrize(
    "shapes", [{"text": (SIZE,), "image": (3,)}, {"text": (1, SIZE)}, {"image": (SIZE,)}]
)
def test_a_pool_of_several_modalities_or_of_images_or_another_has_no_sequence(shapes):
    """Objects without a modality come in as zeros, which only the module knows how to treat."""
    assert custom(Sequence(*layers()), shapes).blocks is None


def test_a_network_is_traced_once_but_its_weights_are_read_anew(monkeypatch, pool):
    network = custom(Sequence(*layers(nn.Dropout(0.3))))
    before = scored(network, pool, LOG_PROBS).log_probs
    monkeypatch.setattr(fx.Tracer, "trace", lambda *_: 1 / 0)
    assert network.blocks is not None
    double_weights(network)
    found = assert_scored_as_the_module(monkeypatch, network, pool, LOG_PROBS)
    assert not torch.allclose(found.log_probs, before)


def test_a_copy_is_scored_by_its_own_weights(monkeypatch, pool):
    network = custom(Sequence(*layers(nn.Dropout(0.3))))
    before = scored(network, pool, LOG_PROBS).log_probs
    copied = copy.deepcopy(network)
    double_weights(network)
    found = assert_scored_as_the_module(monkeypatch, copied, pool, LOG_PROBS)
    assert torch.equal(found.log_probs, before)


def test_blocks_join_and_more_members_than_fit_one_product_are_all_there(monkeypatch):
    pool = make_pool(BLOCK + 1, {"text": SIZE}, absent=0.0)
    # No pool of a test has layers so wide.
    monkeypatch.setattr(sequential_pass, "_WIDEST", 2 * CLASSES)
    network = custom(Sequence(*layers(nn.Dropout(0.3))))
    assert_scored_as_the_module(monkeypatch, network, pool, Request(committee=Committee(5)))


def test_a_sequence_takes_the_fast_pass(monkeypatch, pool):
    monkeypatch.setattr(sequential_pass.SequentialPass, "score_block", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        scored(custom(Sequence(*layers())), pool, LOG_PROBS)


def test_tracing_leaves_what_forward_keeps_as_it_was():
    class Keeping(Sequence):
        @override
        def forward(self, features, present):
            self.answer = super().forward(features, present)
            self.get_buffer("decay").mul_(0.5)
            return self.answer

    module = Keeping(*layers())
    module.register_buffer("decay", torch.ones(()))
    assert find_blocks(module, SHAPES) is not None
    assert module.decay == 1
    assert "answer" not in vars(module)
