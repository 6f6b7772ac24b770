"""A run's identity: it has every setting that can change its records, and no other."""

from typing import Any

import pytest

from alray.settings.base import Settings, assign, setting_names
from alray.settings.common import LossPredictionSpec
from alray.settings.sweep import SweepSpec
from tests.helpers.builders import make_pool, plan_of

POOL = make_pool()
CHANGES: dict[str, Any] = {
    "seed": 1,
    "pool.dtype": "float16",
    "split.validation": 0.15,
    "split.test": 0.15,
    "model.name": "tests.helpers.own_modules:OwnNetwork",
    "model.width": 9,
    "model.dropout": 0.4,
    "model.heads": "one",
    "model.options": {"width": 3},
    "training.lr": 2e-3,
    "training.weight_decay": 0.1,
    "training.batch_size": 65,
    "training.batch_rule": "fixed",
    "training.loss": "sum",
    "training.loss_weights": {"fused": 2.0},
    "training.log_variance_range": [-5, 5],
    "training.passive_epochs": 46,
    "training.patience": 11,
    "training.mode": "scratch",
    "training.round_epochs": 1,
    "training.batch_norm": "frozen",
    "training.loss_prediction": {},
    "training.loss_prediction.margin": 2.0,
    "training.loss_prediction.weight": 2.0,
    "training.loss_prediction.detach_after": 0.5,
    "strategies": ["entropy"],
    "vary": {"training.lr": [5e-3]},
    "seeds": [1],
    "initial": 13,
    "query": 5,
    "rounds": 2,
    "candidates": 50,
    "screen": {"share": 0.3},
    "metric_split": "validation",
    "execution.cpus_per_run": 2,
    "execution.gpus_per_run": 1,
}
EXEMPT = {
    "name": "a label for displays",
    "pool.source": "acts through the pool's fingerprint",
    "pool.id": "acts through the pool's fingerprint",
    "pool.label": "acts through the pool's fingerprint",
    "pool.modalities": "acts through the pool's fingerprint",
    "pool.group_by": "acts through the pool's fingerprint",
    "pool.copies": "acts through the pool's fingerprint",
    "pool.min_class_size": "acts through the pool's fingerprint",
    "full_data": "adds runs, changes none",
    "execution.executor": "both give equal records",
    "execution.address": "it changes the machine, not the run",
    "execution.parallel": "runs do not see each other",
    "execution.checkpoint_seconds": "a resumed run gives equal records",
    "execution.attempts": "a resumed run gives equal records",
    "execution.memory_per_run": "it limits the number of workers",
    "execution.insecure": "it concerns access to the cluster",
    "execution.metrics": "they are only displayed",
}
NEEDED: dict[str, dict[str, Any]] = {
    "training.loss_weights": {"training.loss": "fixed"},
    "model.options": {"model.name": "tests.helpers.own_modules:OwnNetwork"},
    **{
        f"training.loss_prediction.{name}": {"training.loss_prediction": {}}
        for name in LossPredictionSpec.model_fields
    },
}
"""Setting: the others that it needs to have an effect."""


def leaves(kind: type[Settings], prefix: str = "") -> list[str]:
    """Return the dotted names of all settings, sections left out."""
    names = [f"{prefix}{name}" for name in setting_names(kind)]
    return [name for name in names if not any(other.startswith(f"{name}.") for other in names)]


def nested(changes):
    """Return {"a.b": 1} as {"a": {"b": 1}}."""
    values: dict[str, Any] = {}
    for key, value in changes.items():
        assign(values, key, dict(value) if isinstance(value, dict) else value)
    return values


def only_run(**changes):
    (run,) = plan_of(POOL, **changes).runs
    return run


def with_settings(changes):
    return only_run(**{"training": {}, "model": {}, **nested(changes)})


def test_every_setting_is_either_part_of_a_runs_identity_or_exempt_for_a_reason():
    prediction = leaves(LossPredictionSpec, "training.loss_prediction.")
    assert set(CHANGES) | set(EXEMPT) == {*leaves(SweepSpec), *prediction}
    assert not set(CHANGES) & set(EXEMPT)


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_setting_is_another_run(name):
    needed = NEEDED.get(name, {})
    before, after = with_settings(needed), with_settings({**needed, name: CHANGES[name]})
    assert before.run_id != after.run_id
    assert before.run_id == with_settings(needed).run_id


@pytest.mark.parametrize(
    "changes", [{"name": "other"}, {"execution": {"executor": "inline", "parallel": 3}}]
)
def test_exempt_settings_change_no_run(changes):
    assert only_run(**changes).run_id == only_run().run_id


@pytest.mark.parametrize("field", ["pool_fingerprint", "strategy_options", "threads", "device"])
def test_fields_that_the_plan_fills_in_are_part_of_it(field):
    run = only_run()
    changed = run.model_copy(update={field: 8 if field == "threads" else "cuda"})
    assert changed.run_id != run.run_id


@pytest.mark.parametrize("field", ["arm", "variant", "oracle", "full_data"])
def test_labels_for_displays_are_no_part_of_it(field):
    run = only_run()
    assert run.model_copy(update={field: "other"}).run_id == run.run_id


def passive_id(**changes):
    return only_run(**changes).passive_id


@pytest.mark.parametrize(
    "changes",
    [
        {"strategies": ["bald:members=3"]},
        {"training": {"batch_norm": "frozen"}},
        {"training": {"mode": "scratch"}},
        {"training": {"round_epochs": 3}},
        {"query": 5},
        {"rounds": 1},
        {"name": "other"},
    ],
    ids=str,
)
def test_settings_of_the_rounds_share_the_passive_phase(changes):
    assert passive_id(**{"training": {}, **changes}) == passive_id(training={})


@pytest.mark.parametrize(
    "changes",
    [
        {"strategies": ["learning_loss"]},
        {"training": {"lr": 0.1}},
        {"training": {"patience": 1}},
        {"model": {"width": 9}},
        {"initial": 13},
        {"seeds": [1]},
        {"seed": 1},
        {"metric_split": "validation"},
        {"split": {"test": 0.1}},
        {"execution": {"cpus_per_run": 2}},
    ],
    ids=str,
)
def test_earlier_settings_do_not_share_it(changes):
    assert passive_id(**{"training": {}, **changes}) != passive_id(training={})


def test_learning_loss_arms_with_equal_options_share_it():
    plan = plan_of(
        POOL, strategies=["learning_loss"], vary={"training.batch_norm": ["live", "frozen"]}
    )
    assert len({run.passive_id for run in plan.runs}) == 1
    other = passive_id(strategies=["learning_loss:margin=2"])
    assert other != plan.runs[0].passive_id
