"""Modules of one's own that are plain chains: found for what they are, and scored as the module itself would."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from alray.networks import kernels
from alray.networks.generators import forked_rng
from alray.networks.models import FUSED, CustomModule
from alray.networks.sequential import find_blocks
from alray.scoring import engine
from alray.scoring.request import BLOCK, Request
from alray.scoring.sequential import SequentialPass
from alray.strategies.signals import Committee
from tests.helpers.builders import make_pool, randomise
from tests.helpers.scoring import assert_close, plain_way, scored

SIZE, CLASSES = 7, 3


def layers(*extra: nn.Module) -> list[nn.Module]:
    return [nn.Linear(SIZE, 9), nn.ReLU(), *extra, nn.Linear(9, CLASSES)]


CHAINS: dict[str, list[nn.Module]] = {
    "linear": [nn.Linear(SIZE, CLASSES)],
    "hidden": layers(),
    "dropout": layers(nn.Dropout(0.3)),
    "two dropouts": [nn.Linear(SIZE, 9), nn.ReLU(), nn.Dropout(0.3), nn.Linear(9, 8), nn.ReLU(),
                     nn.Dropout(0.6), nn.Linear(8, CLASSES)],
    "late dropout": [nn.Linear(SIZE, 9), nn.ReLU(), nn.Linear(9, 8), nn.ReLU(), nn.Dropout(0.4),
                     nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, CLASSES)],
    "norm before": [nn.Linear(SIZE, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Dropout(0.3), nn.Linear(9, CLASSES)],
    "norm after": layers(nn.BatchNorm1d(9), nn.Dropout(0.3)),
    "no bias": [nn.Linear(SIZE, 9, bias=False), nn.BatchNorm1d(9), nn.ReLU(), nn.Dropout(0.5),
                nn.Linear(9, CLASSES, bias=False)],
    "no relu": [nn.Flatten(), nn.Linear(SIZE, 9), nn.Dropout(0.3), nn.Identity(), nn.Linear(9, CLASSES)],
    "rate zero": layers(nn.Dropout(0.0)),
}  # fmt: skip

OTHERS: dict[str, list[nn.Module]] = {
    "another activation": [nn.Linear(SIZE, 9), nn.GELU(), nn.Linear(9, CLASSES)],
    "dropout on the input": [nn.Dropout(0.3), nn.Linear(SIZE, CLASSES)],
    "dropout on the logits": [nn.Linear(SIZE, CLASSES), nn.Dropout(0.3)],
    "dropout before norm": layers(nn.Dropout(0.3), nn.BatchNorm1d(9)),
    "dropout before relu": [nn.Linear(SIZE, 9), nn.Dropout(0.3), nn.ReLU(), nn.Linear(9, CLASSES)],
    "norm without statistics": layers(nn.BatchNorm1d(9, track_running_stats=False)),
    "norm without weights": layers(nn.BatchNorm1d(9, affine=False)),
    "two relus": layers(nn.ReLU()),
}


class Own(nn.Module):
    """Reads the modality and calls its layers."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*parts)

    @override
    def forward(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
        logits: Tensor = self.layers(features["text"])
        return logits


class Functional(Own):
    @override
    def forward(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
        first, drop, second, last = self.layers
        logits: Tensor = last(functional.relu(second(drop(torch.relu(first(features["text"]))))))
        return logits


class Beside(Own):
    """Computes something beside the chain."""

    @override
    def forward(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
        present["text"].sum()
        logits: Tensor = self.layers(features["text"])
        return logits


class Around(Own):
    @override
    def forward(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
        x = features["text"]
        logits: Tensor = self.layers(x) + x[:, :CLASSES]
        return logits


class Deciding(Own):
    @override
    def forward(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
        logits: Tensor = self.layers(features["text"])
        return logits if logits.sum() > 0 else -logits


def own(module):
    """Return the module as alray's network, with weights and statistics of its own."""
    with forked_rng(1):
        network = CustomModule(module)
        for layer in network.modules():
            if isinstance(layer, (nn.Linear, nn.BatchNorm1d)):
                layer.reset_parameters()
    randomise(network)
    return network


def scored_both_ways(monkeypatch, network, pool, request):
    found = scored(network, pool, request, seed=2)
    with monkeypatch.context() as patch:
        patch.setattr(engine, "_way", plain_way)
        return found, scored(network, pool, request, seed=2)


@pytest.fixture
def pool():
    return make_pool(300, {"text": SIZE}, absent=0.0)


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("members", [None, 1, 5])
def test_a_chain_is_scored_as_its_module(monkeypatch, pool, name, members):
    network = own(Own(*CHAINS[name]))
    assert find_blocks(network, {"text": (SIZE,)}) is not None
    drops = any(isinstance(part, nn.Dropout) and part.p > 0 for part in CHAINS[name])
    committee = Committee(members) if members and drops else None
    request = Request(committee=committee)
    found, expected = scored_both_ways(monkeypatch, network, pool, request)
    assert_close(found.log_probs[FUSED], expected.log_probs[FUSED])
    assert (found.committee_log_mean is None) == (committee is None)
    if committee is not None:
        assert_close(found.committee_log_mean, expected.committee_log_mean)
        assert_close(found.committee_mean_entropy, expected.committee_mean_entropy)


def test_functions_are_layers_too(monkeypatch, pool):
    parts = [nn.Linear(SIZE, 9), nn.Dropout(0.5), nn.Linear(9, 8), nn.Linear(8, CLASSES)]
    network = own(Functional(*parts))
    links = find_blocks(network, {"text": (SIZE,)})
    assert links is not None
    assert [link.relu for link in links] == [True, True, False]
    found, expected = scored_both_ways(
        monkeypatch, network, pool, Request(heads=(), committee=Committee(4))
    )
    assert found.log_probs == {}
    assert_close(found.committee_log_mean, expected.committee_log_mean)


@pytest.mark.parametrize("name", OTHERS)
def test_layers_in_another_order_or_of_another_kind_are_called(name):
    assert find_blocks(CustomModule(Own(*OTHERS[name])), {"text": (SIZE,)}) is None


@pytest.mark.parametrize("kind", [Beside, Around, Deciding])
def test_a_module_that_does_anything_else_is_called(kind):
    assert find_blocks(own(kind(*layers())), {"text": (SIZE,)}) is None


class OtherLinear(nn.Linear):
    """May compute whatever it likes."""


def test_a_layer_with_a_hook_or_a_kind_of_its_own_is_called():
    hooked = layers()
    hooked[0].register_forward_hook(lambda *_: None)
    assert find_blocks(own(Own(*hooked)), {"text": (SIZE,)}) is None
    other = [OtherLinear(SIZE, 9), nn.ReLU(), nn.Linear(9, CLASSES)]
    assert find_blocks(own(Own(*other)), {"text": (SIZE,)}) is None


def test_a_build_that_cannot_tell_hooks_calls_the_module(monkeypatch):
    assert find_blocks(own(Own(*layers())), {"text": (SIZE,)}) is not None
    monkeypatch.setattr("alray.networks.sequential.available", lambda: kernels.GRADIENTS)
    assert find_blocks(own(Own(*layers())), {"text": (SIZE,)}) is None


@pytest.mark.parametrize(
    "shapes", [{"text": (SIZE,), "image": (3,)}, {"text": (1, SIZE)}, {"image": (SIZE,)}]
)
def test_a_pool_of_several_modalities_or_of_images_or_another_is_no_chains(shapes):
    """Objects without a modality come in as zeros, which only the module knows how to treat."""
    assert find_blocks(own(Own(*layers())), shapes) is None


def test_the_answer_is_kept_but_weights_are_read_anew(monkeypatch, pool):
    network = own(Own(*layers(nn.Dropout(0.3))))
    before = scored(network, pool, Request()).log_probs[FUSED]
    assert find_blocks(network, {"text": (SIZE,)}) is find_blocks(network, {"text": (SIZE,)})
    with torch.no_grad():
        for weights in network.parameters():
            weights.mul_(2)
    found, expected = scored_both_ways(monkeypatch, network, pool, Request())
    assert_close(found.log_probs[FUSED], expected.log_probs[FUSED])
    assert not torch.allclose(found.log_probs[FUSED], before)


@pytest.mark.parametrize("n", [1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_blocks_join_without_a_seam(monkeypatch, n):
    pool = make_pool(n, {"text": SIZE}, absent=0.0)
    network = own(Own(*layers(nn.Dropout(0.3))))
    request = Request(committee=Committee(3))
    found, expected = scored_both_ways(monkeypatch, network, pool, request)
    assert_close(found.log_probs[FUSED], expected.log_probs[FUSED])
    assert_close(found.committee_mean_entropy, expected.committee_mean_entropy)


def test_more_members_than_fit_one_product_are_all_there(monkeypatch, pool):
    monkeypatch.setattr("alray.scoring.sequential._WIDEST", 2 * CLASSES)
    network = own(Own(*layers(nn.Dropout(0.3))))
    found, expected = scored_both_ways(monkeypatch, network, pool, Request(committee=Committee(5)))
    assert_close(found.committee_mean_entropy, expected.committee_mean_entropy)


def test_a_chain_takes_the_fast_way(monkeypatch, pool):
    monkeypatch.setattr(SequentialPass, "block", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        scored(own(Own(*layers())), pool, Request())
