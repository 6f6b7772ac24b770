import math

import numpy as np
import pytest
import torch

from alray.networks.generators import torch_generator
from alray.networks.tensors import PoolTensors
from alray.settings.common import LossPredictionSpec, TrainingSpec
from alray.studies.sweep.state import RunState
from alray.training.checkpoint import learner_tensors, read_metadata, restore_learner
from alray.training.fit import Draws, FitOptions, fit
from tests.helpers.builders import make_learner, make_pool, same_tensors

TRAINING = TrainingSpec(loss_prediction=LossPredictionSpec(), batch_size=16)


def fitted(learner, pool, seed):
    draws = Draws(np.random.default_rng(seed), torch_generator(seed))
    return fit(learner, PoolTensors(pool), pool.train, draws, FitOptions(epochs=2))


def state_of(learner, **changes):
    values = {"round": 7, "labelled": np.array([5, 2, 9]), "round_zero": {"nll": 0.1}}
    return RunState(**{**values, "tensors": learner_tensors(learner), **changes})


def test_a_state_survives_its_file():
    pool = make_pool()
    learner = make_learner(pool, TRAINING)
    fitted(learner, pool, 0)
    record = {"accuracy": 1 / 3, "accuracy_text": math.nan, "labels": 12, "nll": math.inf}
    state = state_of(learner, round_zero=record)
    read = RunState.from_bytes(state.to_bytes())
    assert read.round == 7
    assert read.labelled.tolist() == [5, 2, 9]
    assert read.labelled.dtype == np.int64
    assert math.isnan(read.round_zero["accuracy_text"])
    assert {**read.round_zero, "accuracy_text": 0} == {**record, "accuracy_text": 0}
    assert same_tensors(read.tensors, state.tensors)


def test_the_file_can_be_read_without_its_tensors():
    learner = make_learner(make_pool())
    assert read_metadata(state_of(learner).to_bytes())["round"] == "7"


@pytest.mark.parametrize("through_bytes", [True, False])
def test_training_continues_to_the_bit(through_bytes):
    pool = make_pool()
    straight = make_learner(pool, TRAINING)
    fitted(straight, pool, 0)
    tensors = learner_tensors(straight)
    if through_bytes:
        tensors = dict(RunState.from_bytes(state_of(straight).to_bytes()).tensors)
    resumed = make_learner(pool, TRAINING, seed=9)
    restore_learner(resumed, tensors)
    assert same_tensors(learner_tensors(resumed), learner_tensors(straight))
    results = [fitted(learner, pool, 1) for learner in (straight, resumed)]
    assert results[0] == results[1]
    assert same_tensors(learner_tensors(resumed), learner_tensors(straight))


def test_adams_moments_are_part_of_it():
    """Without them, the first step after a resume would be of another size."""
    pool = make_pool()
    learner = make_learner(pool, TRAINING)
    fitted(learner, pool, 0)
    names = learner_tensors(learner)
    assert any("exp_avg_sq" in name for name in names)
    assert any(name.endswith("step") for name in names)
    assert "weights.network.fuse.norm.running_mean" in names


def test_a_state_before_the_first_step_can_be_restored():
    pool = make_pool()
    fresh = make_learner(pool, TRAINING)
    other = make_learner(pool, TRAINING, seed=9)
    restore_learner(other, learner_tensors(fresh))
    fitted(fresh, pool, 0)
    fitted(other, pool, 0)
    assert same_tensors(learner_tensors(other), learner_tensors(fresh))


def test_a_state_is_a_value_that_later_training_does_not_change():
    """One state starts several runs: none may write into it."""
    pool = make_pool()
    learner = make_learner(pool, TRAINING)
    fitted(learner, pool, 0)
    tensors = learner_tensors(learner)
    kept = {name: tensor.clone() for name, tensor in tensors.items()}
    fitted(learner, pool, 1)
    assert same_tensors(tensors, kept)
    other = make_learner(pool, TRAINING)
    restore_learner(other, tensors)
    fitted(other, pool, 1)
    assert same_tensors(tensors, kept)


def test_weights_of_another_network_are_refused():
    pool = make_pool()
    with pytest.raises(RuntimeError, match="size mismatch"):
        restore_learner(make_learner(pool, width=4), learner_tensors(make_learner(pool)))


def test_tied_weights_of_a_users_module_are_kept():
    pool = make_pool(dimensions={"text": 6}, absent=0)
    learner = make_learner(pool, TrainingSpec(), name="tests.helpers.own_modules:OwnNetwork")
    module = learner.network.get_submodule("module")
    module.register_parameter("again", module.get_parameter("first.weight"))
    read = RunState.from_bytes(state_of(learner).to_bytes())
    names = ("weights.network.module.again", "weights.network.module.first.weight")
    assert torch.equal(*(read.tensors[name] for name in names))
