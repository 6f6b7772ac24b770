"""A run's identity: it has every setting that can change its records, and no other."""

from typing import Any

import pytest

from alray.settings.base import Settings, assign, setting_names
from alray.settings.common import LossPredictionSpec
from alray.settings.crowd import CrowdSpec
from alray.settings.questions import QuestionsSpec
from alray.settings.sweep import SweepSpec
from tests.helpers.builders import make_pool, plan_of

POOL = make_pool()
CHANGES: dict[str, Any] = {
    "seed": 1,
    "pool.dtype": "float16",
    "split.per": "seed",
    "split.validation": 0.15,
    "split.test": 0.15,
    "model.name": "tests.helpers.own_modules:OwnNetwork",
    "model.width": 9,
    "model.dropout": 0.4,
    "model.heads": "one",
    "model.block": "residual",
    "model.encoder": "linear",
    "model.fusion": "sum",
    "model.options": {"width": 3},
    "training.lr": 2e-3,
    "training.weight_decay": 0.1,
    "training.batch_size": 65,
    "training.batch_rule": "fixed",
    "training.loss": "sum",
    "training.loss_weights": {"fused": 2.0},
    "training.log_variance_range": [-5, 5],
    "training.passive_epochs": 46,
    "training.stopping": "fixed_epochs",
    "training.stopping_share": 0.2,
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
    "initial_selection": "stratified",
    "initial_draw": "with_replacement",
    "query": 5,
    "rounds": 2,
    "candidates": 50,
    "crowd": {},
    "crowd.assessors": 21,
    "crowd.errors": "uniform",
    "crowd.table_content": "of other rows",
    "crowd.rate": 0.3,
    "crowd.skill_spread": 0.0,
    "crowd.spammers": 0.1,
    "crowd.skips": 0.1,
    "crowd.answers": 2,
    "crowd.cost": 1.0,
    "crowd.aggregate": "majority",
    "crowd.relabel": "disagreement",
    "crowd.assign": "best",
    "questions": {"rate": 0.1},
    "questions.per_round": 7,
    "questions.cost": 1.0,
    "questions.rate": 0.1,
    "screen": {"share": 0.3},
    "evaluate_every": 3,
    "metric_split": "validation",
    "execution.cpus_per_run": 2,
    "execution.gpus_per_run": 1,
}
ROUNDS_ONLY = {
    *("strategies", "query", "rounds", "candidates", "screen", "evaluate_every"),
    *("training.mode", "training.round_epochs", "training.batch_norm", "questions.per_round"),
}
"""Settings of the rounds: runs that differ in them only share their passive phase."""
EXEMPT = {
    "name": "a label for displays",
    **{
        f"pool.{name}": "acts through the pool's fingerprint"
        for name in ("source", "id", "label", "modalities", "group_by", "copies", "min_class_size")
    },
    "pool.storage": "features are the same to the bit",
    "crowd.table": "acts through the hash of its content",
    "compat": "it fills in other settings",
    "split.column": "acts through the pool's fingerprint",
    "full_data": "adds runs, changes none",
    **{
        f"questions.{name}": "acts through the sets of classes, and has a test of its own"
        for name in ("tree", "separator")
    },
    "questions.label_cost": "is a price of other arms, and has a test of its own",
    "execution.executor": "both give equal records",
    "execution.address": "it changes the machine, not the run",
    "execution.parallel": "runs do not see each other",
    "execution.checkpoint_seconds": "a resumed run gives equal records",
    "execution.keep_last": "it decides what is kept, not what is run",
    "execution.attempts": "a resumed run gives equal records",
    "execution.memory_per_run": "it limits the number of workers",
    "execution.insecure": "it concerns access to the cluster",
    "execution.metrics": "they are only displayed",
    "execution.tracker": "it keeps what the records hold",
    "execution.gpu_precision": "it needs a GPU, and has a test of its own",
    **{
        f"execution.products.{phase}": "the manifest holds it, and another one is refused"
        for phase in ("scoring", "training")
    },
}
NEEDED: dict[str, dict[str, Any]] = {
    "initial_draw": {"training.stopping": "held_out"},
    **{key: {"split.per": "study"} for key in ("split.validation", "split.test")},
    "training.loss_weights": {"training.loss": "fixed"},
    "model.options": {"model.name": "tests.helpers.own_modules:OwnNetwork"},
    **{
        f"training.loss_prediction.{name}": {"training.loss_prediction": {}}
        for name in LossPredictionSpec.model_fields
    },
    **{f"crowd.{name}": {"crowd": {}} for name in CrowdSpec.model_fields},
    "crowd.table_content": {"crowd": {"table": "answers.csv", "table_content": "of some rows"}},
    "questions": {"strategies": ["questions:passive"]},
    **{
        f"questions.{name}": {"strategies": ["questions:passive"], "questions": {}}
        for name in QuestionsSpec.model_fields
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


def test_the_precision_of_a_gpu_is_part_of_a_runs_name_where_it_is_not_float32():
    ids = [
        only_run(execution={"gpus_per_run": 1, "gpu_precision": precision}).run_id
        for precision in ("float32", "tf32", "bf16")
    ]
    assert len(set(ids)) == 3
    assert ids[0] == only_run(execution={"gpus_per_run": 1}).run_id
    with pytest.raises(ValueError, match="gpu_precision: bf16 needs a GPU: give --gpus-per-run"):
        only_run(execution={"gpu_precision": "bf16"})


def test_every_setting_is_either_part_of_a_runs_identity_or_exempt_for_a_reason():
    prediction = leaves(LossPredictionSpec, "training.loss_prediction.")
    crowd = leaves(CrowdSpec, "crowd.")
    questions = leaves(QuestionsSpec, "questions.")
    every = {*leaves(SweepSpec), *prediction, *crowd, *questions}
    assert set(CHANGES) | set(EXEMPT) == every
    assert not set(CHANGES) & set(EXEMPT)


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_setting_is_another_run(name):
    needed = NEEDED.get(name, {})
    before, after = with_settings(needed), with_settings({**needed, name: CHANGES[name]})
    assert before.run_id != after.run_id
    assert before.run_id == with_settings(needed).run_id
    assert (before.passive_id == after.passive_id) is (name in ROUNDS_ONLY)


@pytest.mark.parametrize(
    "changes", [{"name": "other"}, {"execution": {"executor": "inline", "parallel": 3}}]
)
def test_exempt_settings_change_no_run(changes):
    assert only_run(**changes) == only_run()


@pytest.mark.parametrize(
    ("rule", "former_id"), [("published", "41db87f77cba"), ("fixed", "f77c7a369d2d")]
)
def test_runs_keep_the_names_that_they_had_before_even_batches_and_stopping(rule, former_id):
    training = {"passive_epochs": 3, "batch_size": 16, "batch_rule": rule, "stopping": "held_out"}
    assert only_run(training=training).run_id == f"margin__seed-0__{former_id}"


@pytest.mark.parametrize(
    ("crowd", "former_ids"),
    [
        ({}, ("23c10f02f727", "2f4dfad6c0cf")),
        (
            {"aggregate": "majority", "skips": 0.1, "answers": 2, "errors": "uniform"},
            ("7db28ac0c389", "6225b2b7aa72"),
        ),
    ],
)
def test_runs_keep_the_names_that_they_had_before_a_crowd_had_more_settings(crowd, former_ids):
    run = only_run(crowd=crowd)
    assert run.run_id == f"margin__seed-0__{former_ids[0]}"
    assert run.passive_id == f"passive__seed-0__{former_ids[1]}"


def test_a_table_of_answers_may_lie_elsewhere():
    ids = [
        only_run(crowd={"table": table, "table_content": "0"}).run_id
        for table in ("a.csv", "folder/b.parquet")
    ]
    assert ids[0] == ids[1]


@pytest.mark.parametrize(
    ("field", "value", "is_part"),
    [
        ("pool_fingerprint", "other", True),
        ("strategy_options", "other", True),
        ("threads", 8, True),
        ("device", "cuda", True),
        ("arm", "other", False),
        ("variant", "other", False),
        ("oracle", True, False),
        ("full_data", True, False),
    ],
)
def test_what_the_plan_fills_in_is_part_of_it_and_labels_for_displays_are_not(
    field, value, is_part
):
    run = only_run()
    assert (run.model_copy(update={field: value}).run_id != run.run_id) is is_part


def test_learning_loss_arms_with_equal_options_share_the_passive_phase():
    vary = {"training.batch_norm": ["live", "frozen"]}
    plan = plan_of(POOL, strategies=["learning_loss"], vary=vary, training={})
    (shared,) = {run.passive_id for run in plan.runs}
    for strategy in ("learning_loss:margin=2", "random"):
        others = plan_of(POOL, strategies=[strategy], training={}).runs
        assert shared not in {run.passive_id for run in others}
