import math

import numpy as np
import pytest
import torch

from alray.networks.generators import torch_generator
from alray.networks.targets import Known
from alray.networks.tensors import PoolTensors
from alray.settings.common import LossPredictionSpec, TrainingSpec
from alray.studies.sweep.state import RunState
from alray.training.checkpoint import learner_tensors, read_metadata, restore_learner
from alray.training.fit import Draws, FitOptions, fit
from tests.helpers.builders import make_learner, make_pool, same_tensors

TRAINING = TrainingSpec(loss_prediction=LossPredictionSpec(), batch_size=16)


def fitted(learner, pool, seed):
    draws = Draws(np.random.default_rng(seed), torch_generator(seed))
    return fit(learner, PoolTensors(pool), Known(pool.train), draws, FitOptions(epochs=2))


def state_of(learner, **changes):
    values = {"round": 7, "labelled": np.array([5, 2, 9]), "round_zero": {"nll": 0.1}}
    return RunState(**{**values, "tensors": learner_tensors(learner), **changes})


def through_its_file(learner):
    """Return a learner's tensors as read from the bytes of a state."""
    return RunState.from_bytes(state_of(learner).to_bytes()).tensors


@pytest.fixture
def pool():
    return make_pool()


@pytest.fixture
def fresh(pool):
    return make_learner(pool, TRAINING)


@pytest.fixture
def learner(pool, fresh):
    """A learner with moments."""
    fitted(fresh, pool, 0)
    return fresh


def test_a_state_survives_its_file(learner):
    record = {"accuracy": 1 / 3, "accuracy_text": math.nan, "labels": 12, "nll": math.inf}
    state = state_of(learner, round_zero=record)
    content = state.to_bytes()
    assert read_metadata(content)["round"] == "7"
    read = RunState.from_bytes(content)
    assert read.round == 7
    assert read.labelled.tolist() == [5, 2, 9]
    assert read.labelled.dtype == np.int64
    assert read.round_zero == pytest.approx(record, rel=0, abs=0, nan_ok=True)
    assert same_tensors(read.tensors, state.tensors)
    moments = {"optimizer.0.step", "optimizer.0.exp_avg", "optimizer.0.exp_avg_sq"}
    assert {*moments, "weights.network.fuse.norm.running_mean"} <= read.tensors.keys()


@pytest.mark.parametrize("which", ["fresh", "learner"])
def test_training_continues_to_the_bit(pool, request, which):
    """Also before the first step, when Adam has no moments."""
    straight = request.getfixturevalue(which)
    resumed = make_learner(pool, TRAINING, seed=9)
    restore_learner(resumed, through_its_file(straight))
    assert same_tensors(learner_tensors(resumed), learner_tensors(straight))
    assert fitted(straight, pool, 1) == fitted(resumed, pool, 1)
    assert same_tensors(learner_tensors(resumed), learner_tensors(straight))


def test_a_state_is_a_value_that_later_training_does_not_change(pool, learner):
    """One state starts several runs: none may write into it."""
    tensors = learner_tensors(learner)
    kept = {name: tensor.clone() for name, tensor in tensors.items()}
    other = make_learner(pool, TRAINING)
    restore_learner(other, tensors)
    for one in (learner, other):
        fitted(one, pool, 1)
        assert same_tensors(tensors, kept)


def test_weights_of_another_network_are_refused(pool):
    with pytest.raises(RuntimeError, match="size mismatch"):
        restore_learner(make_learner(pool, width=4), learner_tensors(make_learner(pool)))


def test_tied_weights_of_a_users_module_are_kept():
    pool = make_pool(dimensions={"text": 6}, absent=0)
    learner = make_learner(pool, name="tests.helpers.own_modules:OwnNetwork")
    module = learner.network.get_submodule("module")
    module.register_parameter("again", module.get_parameter("first.weight"))
    read = through_its_file(learner)
    names = ("weights.network.module.again", "weights.network.module.first.weight")
    assert torch.equal(*(read[name] for name in names))
