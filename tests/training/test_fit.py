import math

import numpy as np
import pytest
import torch

from alray.networks.generators import torch_generator
from alray.networks.layers import batch_norms, seed_dropouts
from alray.networks.network import FUSED
from alray.networks.targets import Known
from alray.networks.tensors import PoolTensors
from alray.settings.common import LossPredictionSpec, TrainingSpec
from alray.training.batches import batches
from alray.training.checkpoint import learner_tensors
from alray.training.fit import Draws, FitOptions, fit
from alray.training.losses import ranking_loss
from tests.helpers.builders import make_learner, make_pool, same_tensors, weights_of


def fitted(learner, pool, *, epochs=3, seed=0, dropout_seed=0, labelled=None, **options):
    """Fit on the train part unless other objects are given."""
    objects = pool.train if labelled is None else labelled
    draws = Draws(np.random.default_rng(seed), torch_generator(dropout_seed))
    return fit(
        learner, PoolTensors(pool), Known(objects), draws, FitOptions(epochs=epochs, **options)
    )


@pytest.fixture
def pool():
    return make_pool()


def test_fitting_learns():
    pool = make_pool(objects=300, separation=3.0)
    learner = make_learner(pool, TrainingSpec(batch_size=32, lr=5e-3))
    first = fitted(learner, pool, epochs=1)
    later = fitted(learner, pool, epochs=10)
    assert (first.epochs, later.epochs) == (1, 10)
    assert later.train_loss < first.train_loss / 2
    outputs = learner.eval().network(PoolTensors(pool).batch(pool.test))
    predicted = outputs.heads[FUSED].values.argmax(dim=1).numpy()
    assert (predicted == pool.labels[pool.test]).mean() > 0.9


@pytest.mark.parametrize("name", ["late_fusion", "tests.helpers.own_modules:OwnNetwork"])
def test_the_generators_of_batches_and_of_dropout_decide_the_weights_to_the_bit(pool, name):
    results, tensors = [], []
    for seed, dropout_seed in ((1, 1), (1, 1), (1, 2), (2, 1)):
        learner = make_learner(pool, name=name)
        results.append(fitted(learner, pool, seed=seed, dropout_seed=dropout_seed))
        tensors.append(learner_tensors(learner))
    assert results[0] == results[1]
    assert [same_tensors(tensors[0], other) for other in tensors[1:]] == [True, False, False]


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
    torch.testing.assert_close(actual, expected, rtol=2e-3, atol=2e-5)


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


@pytest.mark.parametrize(
    ("nlls", "patience", "epochs", "best"),
    [
        ([5.0, 2.0, 3.0, math.nan, 2.0], 3, 50, 1),
        # Patience counts from the last better epoch.
        ([5.0, 6.0, 4.0, 6.0, 6.0], 2, 50, 2),
        # All epochs are run where it does not run out.
        ([1.0, 2.0, 3.0, 4.0], 10, 4, 0),
        ([math.nan, math.nan], 10, 2, 1),
    ],
)
def test_early_stopping_goes_back_to_the_best_epoch(pool, nlls, patience, epochs, best):
    learner = make_learner(pool, TrainingSpec(patience=patience))
    seen = []

    def validate():
        seen.append(learner_tensors(learner))
        return nlls[len(seen) - 1]

    assert fitted(learner, pool, epochs=epochs, validate=validate).epochs == len(nlls)
    assert same_tensors(learner_tensors(learner), seen[best])


def test_weight_decay_acts_on_all_but_the_noise(pool):
    learner = make_learner(pool, TrainingSpec(weight_decay=0.25))
    with_decay, without = learner.optimizer.groups
    assert with_decay.decay == 0.25
    assert without.decay == 0.0
    (noise,) = without.weights
    assert noise is learner.loss.log_variance
    assert {*with_decay.weights, noise} == set(learner.parameters())


@pytest.mark.parametrize("freeze", [True, False])
def test_frozen_batch_norm_keeps_its_statistics_while_its_affine_part_learns(pool, freeze):
    learner = make_learner(pool)
    before = weights_of(learner.network)
    fitted(learner, pool, freeze_batch_norm=freeze)
    after = weights_of(learner.network)
    same = {name for name in before if torch.equal(before[name], after[name])}
    statistics = {name for name in before if "running" in name or "num_batches" in name}
    assert len(statistics) == 3 * len(batch_norms(learner.network))
    assert same == (statistics if freeze else set())


@pytest.mark.parametrize("n", [1, 2])
def test_a_handful_of_labels_is_enough(pool, n):
    learner = make_learner(pool)
    result = fitted(learner, pool, epochs=2, labelled=pool.train[:n])
    assert np.isfinite(result.train_loss)
    assert all(torch.isfinite(tensor).all() for tensor in learner.state_dict().values())


def test_detaching_keeps_the_ranking_out_of_the_network_but_the_predictor_learns():
    pool = make_pool(absent=0.0)
    wanted = LossPredictionSpec(weight=0.5)
    learner = make_learner(pool, TrainingSpec(loss_prediction=wanted), dropout=0)
    tensors, predictor = PoolTensors(pool), learner.predictor
    assert predictor is not None
    outputs, labels = learner.network(tensors.batch(pool.train)), tensors.labels(pool.train)
    first = learner.network.get_parameter("_encoders.1.first.linear.weight")
    parameters = [first, predictor.output.weight]
    heads, each = learner.loss(outputs, labels)
    ranking = 0.5 * ranking_loss(predictor(outputs.taps, len(labels)), each, wanted)
    alone, _ = torch.autograd.grad(heads, parameters, retain_graph=True, allow_unused=True)
    with_ranking, learned = torch.autograd.grad(heads + ranking, parameters, retain_graph=True)
    assert not torch.allclose(with_ranking, alone)
    for detach, expected in ((False, with_ranking), (True, alone)):
        total = learner.objective(outputs, labels, detach=detach)
        torch.testing.assert_close(total, heads + ranking)
        found = torch.autograd.grad(total, parameters, retain_graph=True)
        torch.testing.assert_close(found, (expected, learned))


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
