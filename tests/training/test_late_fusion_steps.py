import numpy as np
import pytest
import torch

from alray.errors import SpecError
from alray.networks.generators import torch_generator
from alray.networks.layers import dropouts, seed_dropouts
from alray.networks.network import FUSED
from alray.networks.tensors import PoolTensors
from alray.settings.common import LossPredictionSpec, TrainingSpec
from alray.training.batches import batches
from alray.training.checkpoint import learner_tensors, restore_learner
from alray.training.learner import step, train_mode
from alray.training.manual.late_fusion import late_fusion_step, step_masks
from tests.helpers.builders import (
    make_learner,
    make_network,
    make_pool,
    randomise,
    same_tensors,
)
from tests.helpers.parts import NAMES, PARTS

THREE = {"a": 40, "b": 3, "c": 7}


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


def assert_same_steps(
    pool, several, training=None, *, frozen=False, few_shapes=False, targets=None, **model
):
    """Take the same batches by plain steps and by manual ones; return all tensors of the manual learner after them."""
    tensors = PoolTensors(pool)
    plain, manual = (warm_learner(pool, training, **model) for _ in range(2))
    seed_dropouts(plain.network, torch_generator(3))
    generator = torch_generator(3)
    for learner in (plain, manual):
        train_mode(learner, freeze_batch_norm=frozen)
    for number, indices in enumerate(several):
        batch, labels = tensors.batch(indices), (targets or tensors.labels)(indices)
        loss = step(plain, batch, labels)
        masks = step_masks(dropouts(manual.network), len(indices), generator)
        manual_loss = late_fusion_step(manual, batch, labels, masks, few_shapes=few_shapes)
        torch.testing.assert_close(manual_loss, loss, rtol=1e-4, atol=1e-5)
        if number == 0:
            # Parameters that a batch does not use have no gradient: Adam leaves them and their moments alone.
            gradients, expected = (
                {name: parameter.grad for name, parameter in learner.named_parameters()}
                for learner in (manual, plain)
            )
            torch.testing.assert_close(gradients, expected, rtol=1e-4, atol=1e-6)
    found = learner_tensors(manual)
    # Rounding goes through a few steps of Adam, which divides even a tiny gradient by its own size.
    torch.testing.assert_close(found, learner_tensors(plain), rtol=2e-3, atol=2e-5)
    return found


def some_batches(pool, size=35, count=4):
    rng = np.random.default_rng(1)
    return [rng.choice(pool.train, size, replace=False) for _ in range(count)]


@pytest.mark.parametrize(
    ("dimensions", "heads", "absent", "dropout"),
    # Where modalities are absent, plain steps draw other masks.
    [
        ({"text": 5}, "all", 0.0, 0.4),
        (THREE, "all", 0.0, 0.4),
        (THREE, "all", 0.4, 0.0),
        (THREE, "one", 0.4, 0.0),
    ],
)
@pytest.mark.parametrize("few_shapes", [False, True])
@pytest.mark.usefixtures("products")
def test_a_step_is_a_plain_step(dimensions, heads, absent, dropout, few_shapes):
    pool = make_pool(dimensions=dimensions, absent=absent)
    model = {"heads": heads, "dropout": dropout}
    assert_same_steps(pool, some_batches(pool), few_shapes=few_shapes, **model)


@pytest.mark.parametrize(("dimensions", "model"), PARTS, ids=NAMES)
@pytest.mark.parametrize(("absent", "dropout"), [(0.0, 0.4), (0.4, 0.0)])
def test_a_step_of_any_parts_is_a_plain_step(dimensions, model, absent, dropout):
    pool = make_pool(dimensions=dimensions, absent=absent)
    assert_same_steps(pool, some_batches(pool), few_shapes=True, dropout=dropout, **model)


@pytest.mark.parametrize("few_shapes", [False, True])
@pytest.mark.parametrize("present", [0, 1])
def test_a_modality_that_no_or_one_object_has(present, few_shapes):
    pool = make_pool(absent=0.5)
    has = pool.modalities[0].present
    batch = np.concatenate([np.flatnonzero(~has)[:20], np.flatnonzero(has)[:present]])
    assert_same_steps(pool, [batch, batch], dropout=0.0, few_shapes=few_shapes)


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
    assert_same_steps(pool, some_batches(pool, count=2), training)


@pytest.mark.parametrize(("size", "frozen"), [(30, True), (1, False), (1, True)])
def test_batch_norm_frozen_and_with_a_single_object(size, frozen):
    pool = make_pool(absent=0.0)
    found = assert_same_steps(pool, some_batches(pool, size), frozen=frozen)
    before = learner_tensors(warm_learner(pool))
    statistics = [name for name in before if "running" in name or "tracked" in name]
    if frozen:
        assert all(torch.equal(found[name], before[name]) for name in statistics)


def after_each(pool, batch, several, **model):
    """Return all tensors of one learner after a step on the batch with each of these lists of masks."""
    tensors, learner = PoolTensors(pool), warm_learner(pool, **model)
    start = learner_tensors(learner)
    after = []
    for masks in several:
        restore_learner(learner, start)
        train_mode(learner, freeze_batch_norm=False)
        late_fusion_step(learner, tensors.batch(batch), tensors.labels(batch), masks)
        after.append(learner_tensors(learner))
    return after


def test_the_same_call_gives_the_same_bits_and_other_masks_do_not():
    pool = make_pool()
    network = make_network(pool)
    several = [step_masks(dropouts(network), 30, torch_generator(seed)) for seed in (1, 1, 2)]
    one, same, other = after_each(pool, pool.train[:30], several)
    assert same_tensors(one, same)
    assert not same_tensors(one, other)


@pytest.mark.parametrize("anyone", [True, False], ids=["some have it", "nobody has it"])
def test_masks_of_objects_without_a_modality_are_not_used_but_belong_to_it(anyone):
    """An object's masks depend on its position in the batch alone."""
    pool = make_pool(absent=0.4)
    present = pool.modalities[0].present
    batch = pool.train[:30] if anyone else np.flatnonzero(~present)[:20]
    absent = np.flatnonzero(~present[batch])
    assert len(absent) > 0
    several = []
    for value in (0.0, 7.0):
        masks = step_masks(dropouts(make_network(pool)), len(batch), torch_generator(0))
        masks[0][absent] = value
        masks[1][absent] = value
        several.append(masks)
    assert same_tensors(*after_each(pool, batch, several))


def test_other_networks_are_refused():
    pool = make_pool()
    custom = make_learner(pool, name="tests.helpers.own_modules:OwnNetwork")
    predicting = make_learner(pool, TrainingSpec(loss_prediction=LossPredictionSpec()))
    batch = PoolTensors(pool).batch(pool.train[:5])
    labels = PoolTensors(pool).labels(pool.train[:5])
    for learner in (custom, predicting):
        with pytest.raises(SpecError, match="late fusion without a loss predictor"):
            late_fusion_step(learner, batch, labels, [])


def soft(pool, kind):
    """Return targets of objects that are no classes: probabilities, or possible classes."""
    values = torch.rand(len(pool), pool.class_count, generator=torch_generator(8))
    if kind == "probabilities":
        table = values / values.sum(1, keepdim=True)
    else:
        table = values < 0.5
        table[torch.arange(len(pool)), torch.from_numpy(pool.labels.copy())] = True
    return lambda indices: table[torch.from_numpy(indices.copy())]


@pytest.mark.parametrize("kind", ["probabilities", "possible classes"])
def test_other_targets_than_classes_are_learnt_alike(kind):
    pool = make_pool(dimensions=THREE, absent=0.4)
    assert_same_steps(pool, some_batches(pool), dropout=0.0, targets=soft(pool, kind))
