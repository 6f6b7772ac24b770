"""Base models and fine-tunes: two groups differ in their objects and in nothing else."""

import numpy as np
import pytest
import torch

from alray.networks.tensors import PoolTensors
from alray.scoring.engine import score
from alray.scoring.evaluation import evaluate
from alray.strategies import scores
from alray.strategies.base import given
from alray.strategies.signals import Request
from alray.studies.correlation.base_model import (
    Base,
    draw_test,
    initial_order,
    new_learner,
    train_base,
)
from alray.studies.correlation.fine_tuning import (
    FineTuneData,
    control_data,
    epoch_batches,
    fine_tune,
)
from alray.studies.correlation.protocol import CONTROL
from alray.studies.correlation.tasks import FineTune, TrainBase, perform
from alray.training import steps
from alray.training.checkpoint import restore_learner
from alray.training.learner import step, train_mode
from tests.helpers.builders import make_pool, same_tensors
from tests.helpers.correlation_studies import correlation_plan
from tests.helpers.faulty_networks import faulty


@pytest.fixture(scope="module")
def pool():
    return PoolTensors(make_pool(400, separation=1.0))


@pytest.fixture(scope="module")
def spec(pool):
    return correlation_plan(pool.pool, epochs=[1, 3]).spec


@pytest.fixture(scope="module")
def base(spec, pool):
    return train_base(spec, pool, 0)


def group_of(pool, base, first=0):
    """Return the data of six objects of the base's sample."""
    return data_of(pool, base.sample[first : first + 6])


def data_of(pool, objects, labels=None):
    """Return the data of a group, with its true labels unless others are given."""
    classes = pool.pool.labels[objects] if labels is None else labels
    return FineTuneData(np.tile(objects, (3, 1)), np.tile(classes, (3, 1)))


def test_a_base_holds_its_metrics_and_the_scores_of_its_sample(spec, pool, base):
    learner = new_learner(spec, pool, 0)
    restore_learner(learner, base.tensors)
    assert evaluate(learner.network, pool, draw_test(spec, pool.pool)) == base.metrics
    log_probs = given(score(learner.network, pool, base.sample, Request(log_probs=True)).log_probs)
    wanted = {
        "loss": scores.true_loss(log_probs, pool.labels(base.sample)),
        "margin": scores.margin(log_probs),
        "entropy": scores.entropy(log_probs),
        "least_confidence": scores.least_confidence(log_probs),
    }
    assert list(base.scores) == ["loss", "margin", "entropy", "least_confidence", "bald"]
    for name, values in wanted.items():
        assert np.array_equal(base.scores[name], values.double().numpy())
    assert (base.scores["bald"] >= 0).all()
    assert base.scores["bald"].std() > 0


def test_a_base_survives_its_file(base):
    again = Base.from_bytes(base.to_bytes())
    assert again.metrics == base.metrics
    assert np.array_equal(again.sample, base.sample)
    assert list(again.scores) == list(base.scores)
    assert all(np.array_equal(again.scores[name], base.scores[name]) for name in base.scores)
    assert same_tensors(again.tensors, base.tensors)


def test_a_network_without_dropout_has_no_bald_score(pool):
    plan = correlation_plan(pool.pool, model={"width": 8, "dropout": 0})
    assert "bald" not in train_base(plan.spec, pool, 0).scores


@pytest.mark.parametrize(("fault", "can"), [("dropout", True), ("dropout not called", False)])
def test_a_committee_that_cannot_disagree_scores_nothing(pool, fault, can):
    """Its differences are rounding, which groups would be read by."""
    plan = correlation_plan(pool.pool, model=faulty(fault), scores=["loss"])
    found = train_base(plan.spec, pool, 0).scores
    assert ("bald" in found) is can
    assert "entropy" in found


def test_a_fine_tune_is_the_plain_steps_on_its_objects(spec, pool, base):
    """Where no modality is absent and nothing is dropped, plain steps to the labels that are given do the same."""
    whole = PoolTensors(make_pool(400, absent=0.0, separation=1.0))
    plain = correlation_plan(whole.pool, model={"width": 8, "dropout": 0}, epochs=[1, 3]).spec
    start = train_base(plain, whole, 0)
    group = start.sample[:6]
    labels = (whole.pool.labels[group] + 1) % 3
    given = [data_of(whole, group, labels)]
    (outcomes,) = fine_tune(plain, whole, start.tensors, 0, 1, given)
    learner = new_learner(plain, whole, 0)
    restore_learner(learner, start.tensors)
    test = draw_test(plain, whole.pool)
    steps, metrics = 0, []
    for epoch in range(3):
        train_mode(learner, freeze_batch_norm=False)
        for positions in epoch_batches(plain, 6, 1, epoch):
            step(learner, whole.batch(group[positions]), torch.from_numpy(labels[positions]))
            steps += 1
        metrics.append(evaluate(learner.network, whole, test))
    assert [(o.epochs, o.steps) for o in outcomes] == [(1, 1), (3, steps)]
    for outcome, wanted in zip(outcomes, (metrics[0], metrics[2]), strict=True):
        assert outcome.metrics.nll == pytest.approx(wanted.nll, rel=1e-4)
        assert outcome.metrics.accuracy == pytest.approx(wanted.accuracy, abs=0.03)


def test_a_sequential_module_takes_the_fast_steps_as_in_a_sweep(monkeypatch):
    """They give what the plain ones give, with the same masks for every group."""
    pool = PoolTensors(make_pool(400, {"text": 7}, absent=0.0, separation=1.0))
    model = {"name": "tests.helpers.sequential_modules:sequential_network"}
    spec = correlation_plan(pool.pool, model=model, epochs=[1, 3]).spec
    start = train_base(spec, pool, 0)
    groups = [group_of(pool, start, first) for first in (0, 6)]
    plainly: list[int] = []

    def counted(learner, batch, labels, **options):
        plainly.append(batch.size)
        return step(learner, batch, labels, **options)

    monkeypatch.setattr(steps, "step", counted)
    found = fine_tune(spec, pool, start.tensors, 0, 1, groups)
    assert not plainly
    monkeypatch.setattr(steps, "trainable_blocks", lambda *_: None)
    expected = fine_tune(spec, pool, start.tensors, 0, 1, groups)
    assert plainly == [6] * 3 * len(groups)
    for outcomes, wanted in zip(found, expected, strict=True):
        assert [outcome.metrics.nll for outcome in outcomes] == pytest.approx(
            [outcome.metrics.nll for outcome in wanted], rel=1e-4
        )


def test_groups_do_not_disturb_each_other(spec, pool, base):
    """Each starts from the base's weights, also after other fine-tunes, and the call repeats to the bit."""
    first, second = (group_of(pool, base, start) for start in (0, 6))
    together = fine_tune(spec, pool, base.tensors, 0, 0, [first, second])
    assert together == fine_tune(spec, pool, base.tensors, 0, 0, [first, second])
    assert together[0] != together[1]
    assert fine_tune(spec, pool, base.tensors, 0, 0, [second, first]) == together[::-1]
    assert fine_tune(spec, pool, base.tensors, 0, 0, [second]) == together[1:]


def test_replay_fine_tunes_on_the_initial_labels_besides(pool, base):
    training = {"passive_epochs": 2, "batch_size": 8}
    spec = correlation_plan(pool.pool, replay="initial", epochs=[1, 3], training=training).spec
    (outcomes,) = fine_tune(spec, pool, base.tensors, 0, 0, [group_of(pool, base)])
    per_epoch = len(epoch_batches(spec, 6 + 20, 0, 0))
    assert per_epoch == 3
    assert [outcome.steps for outcome in outcomes] == [per_epoch, 3 * per_epoch]


def test_the_control_takes_as_many_steps_on_initial_labels_drawn_anew(spec, pool, base):
    control = control_data(spec, pool, 0, 0)
    initial = initial_order(spec, pool.pool, 0)[: spec.initial]
    assert control.objects.shape == (3, spec.group_size)
    assert set(control.objects.ravel()) <= set(initial)
    assert not np.array_equal(control.objects[0], control.objects[1])
    assert np.array_equal(control.labels, pool.pool.labels[control.objects])
    both = [group_of(pool, base), control]
    with_group, without = fine_tune(spec, pool, base.tensors, 0, 0, both)
    assert [o.steps for o in with_group] == [o.steps for o in without]
    larger = spec.model_copy(update={"group_size": 100})
    drawn = control_data(larger, pool, 0, 0).objects
    assert drawn.shape == (3, 100), "with fewer initial labels than a group, some are drawn again"


def test_seeds_and_frozen_statistics_make_a_difference(spec, pool, base):
    training = {"passive_epochs": 2, "batch_norm": "frozen"}
    frozen = correlation_plan(pool.pool, epochs=[1, 3], training=training).spec
    group = [group_of(pool, base)]
    one, of_seed, of_frozen = (
        fine_tune(settings, pool, base.tensors, 0, seed, group)
        for settings, seed in ((spec, 0), (spec, 1), (frozen, 0))
    )
    assert one != of_seed
    assert one != of_frozen


def test_tasks_report_a_row_per_fine_tune_and_dose(spec, pool, base):
    content = base.to_bytes()
    objects = base.sample[:12].reshape(2, 6)
    labels = (pool.pool.labels[objects] + 1) % 3
    task = FineTune("x", 0, "score", "loss", 1, 4, objects, labels)
    rows = perform(spec, pool, task, content)
    assert isinstance(rows, list)
    assert [(row["group"], row["epochs"]) for row in rows] == [(4, 1), (4, 3), (5, 1), (5, 3)]
    assert {(row["base"], row["grouping"], row["sorted_by"], row["seed"]) for row in rows} == {
        (0, "score", "loss", 1)
    }
    groups = [data_of(pool, *group) for group in zip(objects, labels, strict=True)]
    direct = fine_tune(spec, pool, base.tensors, 0, 1, groups)
    assert [row["nll"] for row in rows] == [o.metrics.nll for found in direct for o in found]
    nothing = np.empty((0, 0), dtype=np.int64)
    control = perform(spec, pool, FineTune("c", 0, CONTROL, "", 1, -1, nothing, nothing), content)
    assert isinstance(control, list)
    assert [row["group"] for row in control] == [-1, -1]


def test_a_task_that_trains_a_base_returns_it(spec, pool, base):
    content = perform(spec, pool, TrainBase("base-0", 0), None)
    assert content == base.to_bytes()
    objects = np.zeros((1, 6), np.int64)
    task = FineTune("x", 0, "random", "", 0, 0, objects, objects)
    with pytest.raises(RuntimeError, match="base 0 was not shared"):
        perform(spec, pool, task, None)


def test_bases_differ_in_labels_and_weights(spec, pool, base):
    other = train_base(spec, pool, 1)
    assert not same_tensors(base.tensors, other.tensors)
