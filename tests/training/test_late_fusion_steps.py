import numpy as np
import pytest
import torch

from alray.errors import SpecError
from alray.networks.generators import torch_generator
from alray.networks.layers import seed_dropouts
from alray.networks.models import FUSED
from alray.networks.tensors import PoolTensors
from alray.settings.common import LossPredictionSpec, TrainingSpec
from alray.training.batches import batches
from alray.training.checkpoint import learner_tensors, restore_learner
from alray.training.learner import step, train_mode
from alray.training.manual.late_fusion import draw_masks, has_manual_step, late_fusion_step
from tests.helpers.builders import (
    TWO,
    make_learner,
    make_network,
    make_pool,
    randomise,
    same_tensors,
)

ONE = {"text": 5}


def warm_learner(pool, training=None, **model):
    """Return a learner that has moments and statistics, by plain steps; the same one for the same arguments."""
    learner, tensors = make_learner(pool, training, **model), PoolTensors(pool)
    randomise(learner.network)
    seed_dropouts(learner.network, torch_generator(5))
    train_mode(learner, freeze_batch_norm=False)
    rng = np.random.default_rng(5)
    for _ in range(2):
        for positions in batches(len(pool.train), learner.spec, rng):
            indices = pool.train[positions]
            step(learner, tensors.batch(indices), tensors.labels(indices))
    return learner


def both_ways(
    pool, several, training=None, *, frozen=False, labels=None, few_shapes=False, **model
):
    """Return all tensors of two equal learners after the same batches: by plain steps, and by manual ones."""
    tensors = PoolTensors(pool)
    plain, manual = (warm_learner(pool, training, **model) for _ in range(2))
    seed_dropouts(plain.network, torch_generator(3))
    generator = torch_generator(3)
    for learner in (plain, manual):
        train_mode(learner, freeze_batch_norm=frozen)
    for number, batch in enumerate(several):
        wanted = tensors.labels(batch) if labels is None else labels
        loss = step(plain, tensors.batch(batch), wanted)
        masks = draw_masks(manual.network, len(batch), generator)
        manual_loss = late_fusion_step(
            manual, tensors.batch(batch), wanted, masks, few_shapes=few_shapes
        )
        torch.testing.assert_close(manual_loss, loss, rtol=1e-4, atol=1e-5)
        if number == 0:
            assert_same_gradients(plain, manual)
    return learner_tensors(plain), learner_tensors(manual)


def assert_same_gradients(plain, manual):
    """Parameters that a batch does not use have no gradient: Adam leaves them and their moments alone."""
    expected = dict(plain.named_parameters())
    for name, parameter in manual.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name].grad, rtol=1e-4, atol=1e-6)


def assert_same_learner(plain, manual):
    """Allow for float32 rounding through a few steps of Adam, which divides even a tiny gradient by its own size."""
    assert plain.keys() == manual.keys()
    for name, tensor in plain.items():
        torch.testing.assert_close(manual[name], tensor, rtol=2e-3, atol=2e-5, msg=name)


def some_batches(pool, size=35, count=4):
    rng = np.random.default_rng(1)
    return [rng.choice(pool.train, size, replace=False) for _ in range(count)]


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("heads", ["all", "one"])
@pytest.mark.parametrize("dimensions", [TWO, ONE, {"a": 40, "b": 3, "c": 7}])
@pytest.mark.parametrize("few_shapes", [False, True])
@pytest.mark.usefixtures("products")
def test_a_step_is_a_plain_step_where_every_object_has_every_modality(
    dimensions, heads, dropout, few_shapes
):
    pool = make_pool(dimensions=dimensions, absent=0.0)
    plain, manual = both_ways(
        pool, some_batches(pool), heads=heads, dropout=dropout, few_shapes=few_shapes
    )
    assert_same_learner(plain, manual)


@pytest.mark.parametrize("few_shapes", [False, True])
@pytest.mark.parametrize("heads", ["all", "one"])
def test_a_step_is_a_plain_step_where_modalities_are_absent(heads, few_shapes):
    pool = make_pool(absent=0.4)
    plain, manual = both_ways(
        pool, some_batches(pool), heads=heads, dropout=0.0, few_shapes=few_shapes
    )
    assert_same_learner(plain, manual)


@pytest.mark.parametrize("few_shapes", [False, True])
@pytest.mark.parametrize("present", [0, 1])
def test_a_modality_that_no_or_one_object_has(present, few_shapes):
    pool = make_pool(absent=0.5)
    has = pool.modalities[0].rows >= 0
    batch = np.concatenate([np.flatnonzero(~has)[:20], np.flatnonzero(has)[:present]])
    plain, manual = both_ways(pool, [batch, batch], dropout=0.0, few_shapes=few_shapes)
    assert_same_learner(plain, manual)


@pytest.mark.parametrize(
    "training",
    [
        TrainingSpec(loss="sum"),
        TrainingSpec(loss="fixed", loss_weights={FUSED: 2.0, "text": 0.5}),
        TrainingSpec(log_variance_range=(-0.0025, 0.0025)),
        TrainingSpec(weight_decay=0.3),
    ],
    ids=["sum", "fixed", "clamped", "decayed"],
)
def test_losses_and_settings_of_training_hold(training):
    pool = make_pool(absent=0.0)
    plain, manual = both_ways(pool, some_batches(pool, count=2), training)
    assert_same_learner(plain, manual)


@pytest.mark.parametrize(("size", "frozen"), [(30, True), (1, False), (1, True)])
def test_batch_norm_frozen_and_with_a_single_object(size, frozen):
    pool = make_pool(absent=0.0)
    plain, manual = both_ways(pool, some_batches(pool, size), frozen=frozen)
    assert_same_learner(plain, manual)
    if frozen:
        before = learner_tensors(warm_learner(pool))
        still = [name for name in before if "running" in name or "tracked" in name]
        assert same_tensors(
            {name: before[name] for name in still}, {name: manual[name] for name in still}
        )


def test_labels_are_those_given():
    pool = make_pool(absent=0.0)
    batch = pool.train[:30]
    shuffled = torch.from_numpy(np.random.default_rng(0).permutation(pool.labels[batch]))
    plain, manual = both_ways(pool, [batch], labels=shuffled)
    assert_same_learner(plain, manual)


def test_the_same_call_gives_the_same_bits_and_other_masks_do_not():
    pool = make_pool()
    tensors, batch = PoolTensors(pool), pool.train[:30]
    learner = warm_learner(pool)
    start = learner_tensors(learner)
    after = []
    for seed in (1, 1, 2):
        restore_learner(learner, start)
        train_mode(learner, freeze_batch_norm=False)
        masks = draw_masks(learner.network, 30, torch_generator(seed))
        late_fusion_step(learner, tensors.batch(batch), tensors.labels(batch), masks)
        after.append(learner_tensors(learner))
    assert same_tensors(after[0], after[1])
    assert not same_tensors(after[0], after[2])


def test_an_objects_masks_depend_on_its_position_alone():
    """Where a modality is absent, the present objects keep the masks of their rows: here a mask of ones and zeros."""
    pool = make_pool(absent=0.4)
    tensors, batch = PoolTensors(pool), pool.train[:30]
    learner = warm_learner(pool, dropout=0.5)
    masks = draw_masks(learner.network, 30, torch_generator(0))
    absent_rows = np.flatnonzero(pool.modalities[0].rows[batch] < 0)
    assert len(absent_rows) > 0
    start = learner_tensors(learner)
    after = []
    for value in (0.0, 7.0):
        changed = [mask.clone() for mask in masks]
        changed[0][absent_rows] = value
        changed[1][absent_rows] = value
        restore_learner(learner, start)
        train_mode(learner, freeze_batch_norm=False)
        late_fusion_step(learner, tensors.batch(batch), tensors.labels(batch), changed)
        after.append(learner_tensors(learner))
    assert same_tensors(*after)


def test_a_modality_that_no_object_has_keeps_its_masks():
    pool = make_pool(absent=0.5)
    tensors = PoolTensors(pool)
    batch = np.flatnonzero(pool.modalities[0].rows < 0)[:20]
    learner = warm_learner(pool, dropout=0.5)
    start = learner_tensors(learner)
    after = []
    for rate in (1.0, 0.0):
        masks = draw_masks(learner.network, len(batch), torch_generator(0))
        masks[0].fill_(rate)
        masks[1].fill_(rate)
        restore_learner(learner, start)
        train_mode(learner, freeze_batch_norm=False)
        late_fusion_step(learner, tensors.batch(batch), tensors.labels(batch), masks)
        after.append(learner_tensors(learner))
    assert same_tensors(*after)


def test_masks_are_drawn_for_the_layers_that_drop():
    network = make_network(make_pool(), dropout=0.25)
    masks = draw_masks(network, 4000, torch_generator(0))
    assert [tuple(mask.shape) for mask in masks] == [(4000, 16)] * 4 + [(4000, 8)]
    values = torch.cat([mask.flatten() for mask in masks])
    assert values.unique().tolist() == pytest.approx([0, 1 / 0.75])
    # 288,000 draws: the share's standard error is 0.0008.
    assert (values > 0).float().mean().item() == pytest.approx(0.75, abs=0.004)
    assert draw_masks(make_network(make_pool(), dropout=0.0), 10, torch_generator(0)) == []


def test_other_networks_are_refused():
    pool = make_pool()
    custom = make_learner(pool, name="tests.helpers.own_modules:OwnNetwork")
    predicting = make_learner(pool, TrainingSpec(loss_prediction=LossPredictionSpec()))
    batch, labels = (
        PoolTensors(pool).batch(pool.train[:5]),
        PoolTensors(pool).labels(pool.train[:5]),
    )
    assert has_manual_step(make_learner(pool))
    for learner in (custom, predicting):
        assert not has_manual_step(learner)
        with pytest.raises(SpecError, match="late fusion without a loss predictor"):
            late_fusion_step(learner, batch, labels, [])
