import math

import numpy as np
import pytest
import torch

from alray.networks.generators import torch_generator
from alray.networks.layers import batch_norms, seed_dropouts
from alray.networks.models import FUSED
from alray.networks.tensors import PoolTensors
from alray.settings.common import LossPredictionSpec, TrainingSpec
from alray.training.batches import batches
from alray.training.checkpoint import learner_tensors
from alray.training.fit import Draws, FitOptions, fit
from tests.helpers.builders import make_learner, make_pool, same_tensors, weights_of


def draws_of(seed=0, dropout_seed=None):
    """Return the generators of a fit."""
    dropout = seed if dropout_seed is None else dropout_seed
    return Draws(np.random.default_rng(seed), torch_generator(dropout))


def fitted(learner, pool, *, epochs=3, seed=0, labelled=None, **options):
    """Fit on the train part unless other objects are given."""
    objects = pool.train if labelled is None else labelled
    chosen = FitOptions(epochs=epochs, **options)
    return fit(learner, PoolTensors(pool), objects, draws_of(seed), chosen)


def test_fitting_learns():
    pool = make_pool(objects=300, separation=3.0)
    learner = make_learner(pool, TrainingSpec(batch_size=32, lr=5e-3))
    first = fitted(learner, pool, epochs=1)
    later = fitted(learner, pool, epochs=20)
    assert (first.epochs, later.epochs) == (1, 20)
    assert later.train_loss < first.train_loss / 2
    outputs = learner.eval().network(PoolTensors(pool).batch(pool.test))
    predicted = outputs.heads[FUSED].values.argmax(dim=1).numpy()
    assert (predicted == pool.labels[pool.test]).mean() > 0.9


@pytest.mark.parametrize("name", ["late_fusion", "tests.helpers.own_modules:OwnNetwork"])
def test_the_same_generators_give_the_same_weights_to_the_bit(name):
    pool = make_pool()
    learners = [make_learner(pool, name=name) for _ in range(3)]
    results = [
        fitted(learner, pool, seed=seed) for learner, seed in zip(learners, (1, 1, 2), strict=True)
    ]
    one, same, other = (learner_tensors(learner) for learner in learners)
    assert results[0] == results[1]
    assert same_tensors(one, same)
    assert not same_tensors(one, other)


def test_dropout_draws_from_its_own_generator():
    pool = make_pool()
    weights = []
    for seed in (0, 0, 1):
        learner = make_learner(pool)
        draws, options = draws_of(0, dropout_seed=seed), FitOptions(epochs=1)
        fit(learner, PoolTensors(pool), pool.train, draws, options)
        weights.append(weights_of(learner))
    assert same_tensors(weights[0], weights[1])
    assert not same_tensors(weights[0], weights[2])


@pytest.mark.parametrize("name", ["late_fusion", "tests.helpers.own_modules:OwnNetwork"])
def test_an_epoch_is_a_step_of_adam_on_each_batch(name):
    """To the bit for a custom module; late fusion's manual steps sum in another order."""
    pool = make_pool(absent=0.0)
    spec = TrainingSpec(batch_size=20)
    fast, plain = (make_learner(pool, spec, name=name) for _ in range(2))
    fitted(fast, pool, epochs=2)
    tensors, rng = PoolTensors(pool), np.random.default_rng(0)
    seed_dropouts(plain.network, torch_generator(0))
    plain.train()
    for _ in range(2):
        for positions in batches(len(pool.train), spec, rng):
            indices = pool.train[positions]
            outputs = plain.network(tensors.batch(indices))
            loss, _ = plain.loss(outputs, tensors.labels(indices))
            plain.zero_grad()
            loss.backward()
            plain.optimizer.step()
    actual, expected = learner_tensors(fast), learner_tensors(plain)
    if name != "late_fusion":
        assert same_tensors(actual, expected)
    assert actual.keys() == expected.keys()
    for key, tensor in expected.items():
        torch.testing.assert_close(actual[key], tensor, rtol=2e-3, atol=2e-5, msg=key)


def test_the_train_loss_is_a_mean_over_objects_not_batches():
    pool = make_pool(objects=40)
    spec = TrainingSpec(batch_rule="fixed", batch_size=17, lr=1e-30, weight_decay=0, loss="sum")
    learner = make_learner(pool, spec, dropout=0)
    result = fitted(learner, pool, epochs=1)
    tensors, losses = PoolTensors(pool), []
    learner.train()
    for positions in batches(len(pool.train), spec, np.random.default_rng(0)):
        indices = pool.train[positions]
        outputs = learner.network(tensors.batch(indices))
        losses += [learner.loss(outputs, tensors.labels(indices))[0].item()] * len(indices)
    assert result.train_loss == pytest.approx(np.mean(losses), rel=1e-4)


def test_early_stopping_goes_back_to_the_best_epoch():
    pool = make_pool()
    learner = make_learner(pool, TrainingSpec(patience=3))
    seen = []

    def validate():
        seen.append(learner_tensors(learner))
        return [5.0, 2.0, 3.0, math.nan, 2.0, 9.0][len(seen) - 1]

    result = fitted(learner, pool, epochs=50, validate=validate)
    assert result.epochs == 5
    assert same_tensors(learner_tensors(learner), seen[1])


def test_patience_counts_from_the_last_better_epoch():
    pool = make_pool()
    nlls = iter([5.0, 6.0, 4.0, 6.0, 6.0])
    learner = make_learner(pool, TrainingSpec(patience=2))
    assert fitted(learner, pool, epochs=50, validate=lambda: next(nlls)).epochs == 5


def test_without_patience_running_out_all_epochs_are_run_and_the_best_is_kept():
    pool = make_pool()
    learner = make_learner(pool, TrainingSpec(patience=10))
    seen = []

    def validate():
        seen.append(weights_of(learner))
        return float(len(seen))

    assert fitted(learner, pool, epochs=4, validate=validate).epochs == 4
    assert same_tensors(weights_of(learner), seen[0])


def test_weight_decay_acts_on_all_but_the_noise():
    pool = make_pool()
    learner = make_learner(pool, TrainingSpec(weight_decay=0.25))
    with_decay, without = learner.optimizer.param_groups
    assert with_decay["weight_decay"] == 0.25
    assert without["weight_decay"] == 0.0
    assert [id(parameter) for parameter in without["params"]] == [id(learner.loss.log_variance)]
    everything = {id(parameter) for parameter in learner.parameters()}
    assert {
        id(p) for group in learner.optimizer.param_groups for p in group["params"]
    } == everything


def test_noise_that_is_not_learned_stays():
    pool = make_pool()
    learner = make_learner(pool, TrainingSpec(loss="sum"))
    fitted(learner, pool)
    assert learner.loss.log_variance.tolist() == [0, 0, 0]


def test_learned_noise_stays_in_its_range():
    pool = make_pool()
    spec = TrainingSpec(log_variance_range=(0.001, 0.002), lr=0.1)
    learner = make_learner(pool, spec)
    fitted(learner, pool)
    s = learner.loss.log_variance
    assert ((s >= 0.001 - 1e-9) & (s <= 0.002 + 1e-9)).all()


def test_frozen_batch_norm_keeps_its_statistics_while_its_affine_part_learns():
    pool = make_pool()
    learner = make_learner(pool)
    fitted(learner, pool)
    before = weights_of(learner.network)
    fitted(learner, pool, freeze_batch_norm=True)
    after = weights_of(learner.network)
    statistics = [name for name in before if "running" in name or "num_batches" in name]
    affine = [name for name in before if ".norm." in name and name not in statistics]
    assert len(statistics) == 3 * len(batch_norms(learner.network))
    assert all(torch.equal(before[name], after[name]) for name in statistics)
    assert not any(torch.equal(before[name], after[name]) for name in affine)


def test_live_batch_norm_follows_the_data():
    pool = make_pool()
    learner = make_learner(pool)
    before = weights_of(learner.network)
    fitted(learner, pool, epochs=1)
    after = weights_of(learner.network)
    moved = [name for name in before if "running" in name]
    assert not any(torch.equal(before[name], after[name]) for name in moved)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_handful_of_labels_is_enough(n):
    pool = make_pool()
    learner = make_learner(pool)
    result = fitted(learner, pool, epochs=2, labelled=pool.train[:n])
    assert np.isfinite(result.train_loss)
    assert all(torch.isfinite(tensor).all() for tensor in learner.state_dict().values())


def gradient_of_the_first_layer(*, detach, weight=1.0):
    pool = make_pool(absent=0.0)
    spec = TrainingSpec(loss_prediction=LossPredictionSpec(weight=weight))
    learner = make_learner(pool, spec, dropout=0)
    tensors = PoolTensors(pool)
    outputs = learner.network(tensors.batch(pool.train))
    learner.objective(outputs, tensors.labels(pool.train), detach=detach).backward()
    assert learner.predictor is not None
    learned = learner.predictor.output.weight.grad
    return learner.network.get_parameter("_encoders.1.first.linear.weight").grad, learned


def test_detaching_keeps_the_ranking_out_of_the_network_but_the_predictor_learns():
    alone, _ = gradient_of_the_first_layer(detach=False, weight=0.0)
    attached, _ = gradient_of_the_first_layer(detach=False)
    detached, learned = gradient_of_the_first_layer(detach=True)
    torch.testing.assert_close(detached, alone)
    assert not torch.allclose(attached, alone)
    assert learned.abs().sum() > 0


@pytest.mark.parametrize(
    ("detach_from", "expected"),
    [(0.0, [True] * 5), (0.6, [False, False, False, True, True]), (1.0, [False] * 5)],
)
def test_detaching_begins_after_its_share_of_the_epochs(monkeypatch, detach_from, expected):
    pool = make_pool(objects=20)
    learner = make_learner(pool, TrainingSpec(loss_prediction=LossPredictionSpec()))
    seen = []
    original = learner.objective

    def objective(outputs, labels, *, detach):
        seen.append(detach)
        return original(outputs, labels, detach=detach)

    monkeypatch.setattr(learner, "objective", objective)
    fitted(learner, pool, epochs=5, detach_from=detach_from)
    assert seen == expected
