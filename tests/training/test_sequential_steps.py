"""Manual training steps of sequential custom modules: those of the module, to rounding."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from typing_extensions import override

from alray.networks import kernels
from alray.networks.generators import torch_generator
from alray.networks.layers import dropouts, seed_dropouts
from alray.networks.loss_predictor import LossPredictor
from alray.networks.targets import Known
from alray.networks.tensors import PoolTensors
from alray.settings.common import TrainingSpec
from alray.strategies.signals import Request
from alray.training import steps
from alray.training.checkpoint import learner_tensors
from alray.training.fit import Draws, FitOptions, fit
from alray.training.learner import Learner, step, train_mode
from alray.training.losses import HeadsLoss
from alray.training.manual.sequential import sequential_step, trainable_blocks
from alray.training.steps import Steps
from tests.helpers.builders import make_learner, make_pool, same_tensors
from tests.helpers.scoring import scored
from tests.helpers.sequential_modules import (
    CLASSES,
    SEQUENCES,
    SIZE,
    Between,
    Sequence,
    custom,
    dropping_in_training,
    layers,
)


@pytest.fixture
def pool():
    return make_pool(300, {"text": SIZE}, absent=0.0)


def learner_of(*parts: nn.Module, **training) -> Learner:
    """Return a learner of a copy of these layers."""
    spec = TrainingSpec(**training)
    network = custom(Sequence(*copy.deepcopy(parts)))
    return Learner(network, HeadsLoss(network.head_names, spec), None, spec)


def after_steps(pool, take, *parts, frozen=False, without_dropout=False, **training):
    """Return the losses of four steps, taken by this function, and all tensors of the learner after them."""
    tensors, learner = PoolTensors(pool), learner_of(*parts, **training)
    seed_dropouts(learner.network, torch_generator(3))
    train_mode(learner, freeze_batch_norm=frozen)
    for layer in dropouts(learner.network) if without_dropout else []:
        layer.eval()
    rng = np.random.default_rng(1)
    losses = []
    for size in (35, 35, 20, 2):
        indices = rng.choice(pool.train, size, replace=False)
        losses.append(float(take(learner, tensors.batch(indices), tensors.labels(indices))))
    return losses, learner_tensors(learner)


def manual_step(learner, batch, labels):
    blocks = trainable_blocks(learner.network)
    assert blocks is not None
    return sequential_step(learner, blocks, batch, labels)


def assert_same_steps(pool, *parts, **settings):
    expected, found = (after_steps(pool, take, *parts, **settings) for take in (step, manual_step))
    assert found[0] == pytest.approx(expected[0], rel=1e-4)
    torch.testing.assert_close(found[1], expected[1], rtol=2e-3, atol=2e-5)


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_manual_step_is_a_plain_step(pool, name):
    assert_same_steps(pool, *SEQUENCES[name], weight_decay=0.01)


@pytest.mark.parametrize(
    ("name", "mode"),
    [("norm before", "frozen"), ("norm after", "frozen"), ("two dropouts", "without_dropout")],
)
def test_layers_that_stay_in_evaluation_mode_do_so(pool, name, mode):
    assert_same_steps(pool, *SEQUENCES[name], **{mode: True})


def test_the_same_steps_give_the_same_bits(pool):
    first, second = (after_steps(pool, manual_step, *SEQUENCES["two dropouts"]) for _ in range(2))
    assert first[0] == second[0]
    assert same_tensors(first[1], second[1])


def test_unknown_modules_are_called(pool):
    tensors = PoolTensors(pool)

    def knows(*parts: nn.Module) -> bool:
        return Steps(learner_of(*parts), tensors).blocks is not None

    assert knows(*layers())
    assert not knows(*layers(nn.GELU()))
    assert not knows(*layers(nn.BatchNorm1d(9, momentum=None)))
    frozen = layers()
    frozen[0].requires_grad_(requires_grad=False)
    assert not knows(*frozen)
    twice = nn.Linear(SIZE, SIZE)
    assert not knows(twice, nn.ReLU(), twice, nn.ReLU(), nn.Linear(SIZE, CLASSES))
    watched = layers()
    watched[0].register_full_backward_hook(lambda *_: None)
    assert not knows(*watched)
    watched_whole = learner_of(*layers())
    watched_whole.network.get_submodule("module").register_full_backward_hook(lambda *_: None)
    assert Steps(watched_whole, tensors).blocks is None
    predicting = learner_of(*layers())
    predicting.predictor = LossPredictor([9])
    assert Steps(predicting, tensors).blocks is None


def fit_once(pool, labelled, *parts, **training):
    learner = learner_of(*parts, **training)
    draws = Draws(np.random.default_rng(0), torch_generator(1))
    return fit(learner, PoolTensors(pool), Known(labelled), draws, FitOptions(epochs=2))


def test_a_fit_takes_manual_steps(pool, monkeypatch):
    sizes: list[int] = []

    def counted(learner, blocks, batch, labels):
        sizes.append(batch.size)
        return sequential_step(learner, blocks, batch, labels)

    monkeypatch.setattr(steps, "sequential_step", counted)
    found = fit_once(pool, pool.train[:40], *SEQUENCES["dropout"], batch_size=20)
    assert sizes == [20] * 4
    monkeypatch.setattr(steps, "trainable_blocks", lambda *_: None)
    expected = fit_once(pool, pool.train[:40], *SEQUENCES["dropout"], batch_size=20)
    assert len(sizes) == 4
    assert found.train_loss == pytest.approx(expected.train_loss, rel=1e-4)


def test_a_fit_drops_in_training_alone_whether_or_not_its_network_was_scored_before(pool):
    def weights(*, scored_before: bool):
        network = custom(Between(dropping_in_training))
        spec = TrainingSpec(batch_size=20)
        learner = Learner(network, HeadsLoss(network.head_names, spec), None, spec)
        if scored_before:
            scored(network, pool, Request(log_probs=True))
        draws = Draws(np.random.default_rng(0), torch_generator(1))
        fit(learner, PoolTensors(pool), Known(pool.train[:40]), draws, FitOptions(epochs=2))
        return learner_tensors(learner)

    assert same_tensors(weights(scored_before=True), weights(scored_before=False))


def test_a_layer_without_gradient_does_not_learn(pool):
    class Frozen(Between):
        @override
        def forward(self, features, present):
            with torch.no_grad():
                h = torch.relu(self.first(features["text"]))
            return self.last(h)

    network, spec = custom(Frozen(dropping_in_training)), TrainingSpec(batch_size=20)
    before = {name: weights.clone() for name, weights in network.state_dict().items()}
    learner = Learner(network, HeadsLoss(network.head_names, spec), None, spec)
    draws = Draws(np.random.default_rng(0), torch_generator(1))
    fit(learner, PoolTensors(pool), Known(pool.train[:40]), draws, FitOptions(epochs=1))
    moved = {
        name.split(".")[1]
        for name, weights in network.state_dict().items()
        if not torch.equal(weights, before[name])
    }
    assert moved == {"last"}


def test_a_single_object_has_no_variance_in_manual_steps_either(pool):
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        fit_once(pool, pool.train[:41], *SEQUENCES["norm after"], batch_size=8, batch_rule="fixed")


@pytest.mark.parametrize("missing", sorted(kernels.GRADIENTS))
def test_a_build_without_their_kernels_takes_plain_steps(pool, monkeypatch, missing):
    tensors = PoolTensors(pool)

    def written_out(learner: Learner) -> bool:
        chosen = Steps(learner, tensors)
        return chosen.late_fusion or chosen.blocks is not None

    learners = [learner_of(*layers()), make_learner(pool)]
    assert all(written_out(learner) for learner in learners)
    monkeypatch.setitem(kernels.FOUND, missing, None)
    assert not any(written_out(learner) for learner in learners)
