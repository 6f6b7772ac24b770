"""Scores that are computed block by block are those of all objects at once, to the bit."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor
from typing_extensions import override

from alray.errors import ScoreError
from alray.networks.custom_module import CustomModule
from alray.networks.generators import torch_generator
from alray.networks.loss_predictor import LossPredictor
from alray.networks.tensors import PoolTensors
from alray.scoring import engine
from alray.scoring.folded import FoldedPass
from alray.scoring.plain import ModulePass
from alray.strategies import ScoreStrategy, parse
from alray.strategies.base import is_pointwise
from alray.strategies.signals import Request, Signals
from alray.strategies.uncertainty import Margin
from tests.helpers.builders import make_network, make_pool
from tests.helpers.strategy_cases import CASES

POINTWISE = [
    text
    for text in CASES
    if isinstance(parse(text), ScoreStrategy) and not text.startswith("density:")
]


@dataclass(frozen=True)
class MarginOfRanks(Margin):
    """Needs all candidates, and inherits from a strategy that does not."""

    @override
    def score(self, signals: Signals) -> Tensor:
        return super().score(signals).argsort().argsort().float()


@dataclass(frozen=True)
class OneOfThem(Margin):
    """Scores alone, but does not choose the best."""

    pointwise: ClassVar[bool] = True

    @override
    def select(self, signals, k, rng):
        return super().select(signals, k, rng)


@dataclass(frozen=True)
class BySideHeads(ScoreStrategy):
    """Reads heads that not every object has."""

    pointwise: ClassVar[bool] = True

    @property
    @override
    def needs(self) -> Request:
        return Request(log_probs=True, features=True, side_heads=("image", "text"))

    @override
    def score(self, signals: Signals) -> Tensor:
        heads = sum(values.amax(dim=1).nan_to_num(1) for values in signals.side_log_probs.values())
        assert signals.features is not None
        return heads + signals.features.sum(dim=1)


@dataclass(frozen=True)
class OfAllObjects(Margin):
    """Takes itself for one that is asked about all objects at once."""

    pointwise: ClassVar[bool] = True

    @override
    def score(self, signals: Signals) -> Tensor:
        return torch.zeros(150)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Many blocks, the last ones smaller."""
    for each in (FoldedPass, ModulePass):
        monkeypatch.setattr(each, "block_size", 16)


@pytest.fixture
def pool():
    return make_pool(150, {"image": 9, "text": 7}, absent=0.3)


def test_the_built_in_score_strategies_are_pointwise():
    assert all(is_pointwise(parse(text)) for text in POINTWISE)
    assert not is_pointwise(parse("random"))
    assert not is_pointwise(parse("density:stochastic=power"))


@pytest.mark.parametrize("strategy", [MarginOfRanks(), OneOfThem()])
def test_a_class_that_does_not_say_so_or_chooses_otherwise_is_not(strategy):
    assert not is_pointwise(strategy)


def assert_equal_scores(strategy, pool, network, predictor=None):
    tensors, objects = PoolTensors(pool), np.flatnonzero(np.arange(150) % 7)
    masks = [torch_generator(3) if strategy.needs.committee else None for _ in range(2)]
    found = engine.scores_of(strategy, network, tensors, objects, masks[0], predictor)
    signals = engine.score(network, tensors, objects, strategy.needs, masks[1], predictor)
    assert found.shape == (len(objects),)
    assert np.array_equal(found, strategy.score(signals).double().numpy())


@pytest.mark.parametrize("text", POINTWISE)
def test_scores_are_those_of_all_objects(text, pool):
    strategy, network = parse(text), make_network(pool, width=24)
    assert isinstance(strategy, ScoreStrategy)
    predictor = LossPredictor(network.tap_sizes) if strategy.needs.predicted_loss else None
    assert_equal_scores(strategy, pool, network, predictor)


def test_heads_that_no_object_of_a_block_has_are_nan_there_too(pool):
    assert_equal_scores(BySideHeads(), pool, make_network(pool, width=24))


def test_a_network_that_is_called_as_a_module_gives_the_same(pool):
    network = make_network(pool, name="tests.helpers.own_modules:OwnNetwork")
    assert isinstance(network, CustomModule)
    assert_equal_scores(parse("margin"), pool, network)


def test_an_answer_that_does_not_fit_a_block_is_refused(pool):
    with pytest.raises(ScoreError, match=r"OfAllObjects .*\(16,\)"):
        assert_equal_scores(OfAllObjects(), pool, make_network(pool))


def test_no_objects_have_no_scores(pool):
    nobody = np.empty(0, dtype=np.int64)
    scores = engine.scores_of(Margin(), make_network(pool), PoolTensors(pool), nobody)
    assert scores.shape == (0,)
