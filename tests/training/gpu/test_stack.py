"""The steps that a GPU replays, run one by one on the CPU, beside the network's own."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from alray.networks.generators import torch_generator
from alray.networks.layers import seed_dropouts
from alray.networks.tensors import PoolTensors
from alray.settings.common import LossPredictionSpec, ModelSpec, TrainingSpec
from alray.training.batches import batches
from alray.training.gpu.stack import Epoch, Stack, can_stack, place_of
from alray.training.gpu.stacks import Stacks
from alray.training.learner import step, train_mode
from tests.helpers.builders import make_learner, make_pool, randomise

TWO = {"image": 20, "text": 6}
EPOCHS = 2


def learner_in(stacks, pool, training=None, seed=0, **model):
    """Return a learner with random statistics, in a row of stacks where they are given."""
    learner = make_learner(pool, training, seed, **model)
    randomise(learner.network)
    if stacks is not None:
        stacks.place(learner, ModelSpec(**{"width": 8, **model}), PoolTensors(pool))
    return learner


def epochs_of(pool, learner, seed=1):
    """Return the batches of some epochs."""
    rng = np.random.default_rng(seed)
    return [
        [pool.train[each] for each in batches(len(pool.train), learner.spec, rng)]
        for _ in range(EPOCHS)
    ]


def stacked(pool, *, frozen=False, **settings):
    """Return a learner after some epochs in the middle row of a stack, and the last epoch's loss."""
    learner = learner_in(Stacks(3).for_row(1), pool, **settings)
    loss = np.nan
    for order in epochs_of(pool, learner):
        (loss,) = place_of(learner).stack.run([Epoch(learner, order, 0, live=not frozen)])
    return learner, loss


def plain(pool, *, frozen=False, **settings):
    """Return the same by calls of the network."""
    learner, tensors = learner_in(None, pool, **settings), PoolTensors(pool)
    seed_dropouts(learner.network, torch_generator(0))
    losses = []
    for order in epochs_of(pool, learner):
        train_mode(learner, freeze_batch_norm=frozen)
        losses = [
            step(learner, tensors.batch(o), tensors.labels(o)).item() * len(o) for o in order
        ]
    return learner, sum(losses) / len(pool.train)


@pytest.mark.parametrize(
    ("absent", "settings"),
    [
        (0.0, {}),
        (0.0, {"frozen": True}),
        (0.0, {"heads": "one"}),
        (0.0, {"training": TrainingSpec(loss="fixed", loss_weights={"text": 0.3})}),
        (0.4, {"training": TrainingSpec(batch_rule="fixed", batch_size=33)}),
        (0.4, {"training": TrainingSpec(batch_rule="fixed", batch_size=17), "frozen": True}),
        (0.4, {"heads": "one"}),
    ],
)
def test_a_stack_moves_a_learner_as_plain_steps_do(absent, settings):
    pool = make_pool(220, TWO, absent=absent)
    found, loss = stacked(pool, dropout=0.0, **settings)
    expected, plain_loss = plain(pool, dropout=0.0, **settings)
    assert loss == pytest.approx(plain_loss, rel=1e-4)
    torch.testing.assert_close(found.state_dict(), expected.state_dict(), rtol=2e-3, atol=2e-5)
    moments, wanted = (each.optimizer.state() for each in (found, expected))
    used = {number: moments[number] for number in wanted}
    torch.testing.assert_close(used, wanted, rtol=2e-3, atol=2e-5)


def test_a_single_object_is_normalised_by_the_running_statistics():
    pool = make_pool(220, TWO, absent=0.0)
    settings = {"training": TrainingSpec(batch_rule="fixed", batch_size=len(pool.train) - 1)}
    found, loss = stacked(pool, dropout=0.0, **settings)
    expected, plain_loss = plain(pool, dropout=0.0, **settings)
    assert loss == pytest.approx(plain_loss, rel=1e-4)
    torch.testing.assert_close(found.state_dict(), expected.state_dict(), rtol=2e-3, atol=2e-5)


def test_learners_of_a_stack_do_not_disturb_each_other():
    pool = make_pool(400, TWO, absent=0.3)
    rows, parts = Stacks(3), np.array_split(pool.train, 9)
    orders = (parts[:2], parts[2:8], parts[3:4])
    together = [learner_in(rows.for_row(row), pool, seed=row) for row in range(3)]
    epochs = [
        Epoch(learner, order, row, live=row != 1)
        for row, (learner, order) in enumerate(zip(together, orders, strict=True))
    ]
    with torch.no_grad():
        together[2].network.output.weight.fill_(np.nan)
    losses = place_of(together[0]).stack.run(epochs)
    assert np.isnan(losses[2])
    for row in (0, 1):
        # In another row, alone.
        alone = learner_in(Stacks(3).for_row(2 - row), pool, seed=row)
        epoch = Epoch(alone, orders[row], row, live=row != 1)
        assert place_of(alone).stack.run([epoch]) == [losses[row]]
        for name, tensor in alone.state_dict().items():
            assert torch.equal(tensor, together[row].state_dict()[name]), name


def test_a_learner_without_batches_left_stays_as_it_is():
    pool = make_pool(220, TWO)
    rows = Stacks(2)
    one, other = (learner_in(rows.for_row(row), pool) for row in range(2))
    stack = place_of(one).stack
    stack.run([Epoch(each, [pool.train[:40]], 3, live=True) for each in (one, other)])
    before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    moments = {k: {n: t.clone() for n, t in v.items()} for k, v in other.optimizer.state().items()}
    stack.run([Epoch(one, [pool.train[:40], pool.train[40:80]], 4, live=True)])
    assert all(torch.equal(tensor, before[name]) for name, tensor in other.state_dict().items())
    torch.testing.assert_close(other.optimizer.state(), moments, rtol=0, atol=0)


def test_dropout_is_drawn_from_the_seed():
    pool = make_pool(220, TWO)
    weights = []
    for seed in (1, 1, 2):
        learner = learner_in(Stacks(1), pool, dropout=0.5)
        place_of(learner).stack.run([Epoch(learner, [pool.train[:40]], seed, live=True)])
        weights.append(learner.state_dict()["network.output.weight"])
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_fresh_learner_takes_a_row_over_with_its_own_values():
    pool = make_pool(220, TWO)
    stacks = Stacks(2)
    first = learner_in(stacks, pool)
    stack = place_of(first).stack
    stack.run([Epoch(first, [pool.train[:40]], 0, live=True)])
    expected = make_learner(pool, seed=7)
    again = make_learner(pool, seed=7)
    stacks.place(again, ModelSpec(width=8), PoolTensors(pool))
    assert place_of(again).stack is stack
    torch.testing.assert_close(again.state_dict(), expected.state_dict(), rtol=0, atol=0)
    assert again.optimizer.state() == {}


def test_a_table_of_batches_grows():
    pool = make_pool(600, {"text": 4})
    learner = learner_in(Stacks(1), pool)
    stack = place_of(learner).stack
    for parts in (20, 100, 20):
        order = np.array_split(pool.train, parts)
        (loss,) = stack.run([Epoch(learner, order, 0, live=True)])
        assert np.isfinite(loss)
    assert int(learner.state_dict()["network.fuse.norm.num_batches_tracked"]) == 140


def test_other_learners_are_in_no_stack():
    pool = make_pool(60, TWO)
    predicting = TrainingSpec(loss_prediction=LossPredictionSpec())
    assert can_stack(make_learner(pool))
    assert not can_stack(make_learner(pool, predicting))
    pool = make_pool(60, {"image": 100}, absent=0.0)
    image = replace(pool.modalities[0], shape=(10, 10))
    images = replace(pool, modalities=(image,))
    with pytest.raises(TypeError, match="late fusion"):
        Stack(1, make_learner(images, name="cnn"), PoolTensors(images))
