from typing import Any

import pytest
from pydantic import ValidationError

from alray.errors import SpecError
from alray.settings.base import assign, flatten, look_up, setting_names, unknown_name, validate
from alray.settings.common import (
    ExecutionSpec,
    LossPredictionSpec,
    ModelSpec,
    PoolSpec,
    ProductsSpec,
    TrainingSpec,
)
from alray.settings.sweep import SweepSpec, SweepSplitSpec
from tests.helpers.builders import make_pool, one_run


def study(**values):
    return validate(SweepSpec, values, "study.yaml")


def refusal(**values):
    with pytest.raises(SpecError) as caught:
        study(**values)
    return str(caught.value)


def test_the_defaults_are_the_demo():
    spec = study()
    assert spec.strategies == ("random", "margin", "entropy", "least_confidence", "bald")
    assert (spec.pool.source, spec.initial, spec.query, spec.rounds) == (
        "openclipart",
        300,
        20,
        60,
    )
    assert spec.seeds == (0, 1, 2, 3, 4, 5)
    assert spec.budget == 1500


def test_plain_values_come_from_a_file_and_survive_theirs():
    spec = study(
        pool={"source": "p.parquet", "modalities": {"image": "img"}},
        training={"lr": 3e-4, "log_variance_range": [-1, 2], "loss_prediction": {}},
        strategies=["random", "bald:members=20"],
        vary={"training.batch_norm": ["live", "frozen"]},
        seeds=[0, 3, 7],
    )
    assert spec.training.log_variance_range == (-1.0, 2.0)
    assert spec.seeds == (0, 3, 7)
    assert spec.vary == {"training.batch_norm": ("live", "frozen")}
    assert study(**spec.model_dump(mode="json")) == spec


@pytest.mark.parametrize(
    ("given", "seeds"),
    [
        *((3, (0, 1, 2)), (1, (0,)), ("3", (0, 1, 2)), ("3,", (3,)), ("0,3", (0, 3))),
        *(("20240101,", (20240101,)), ([-1, 2**63 - 1], (-1, 2**63 - 1))),
    ],
)
def test_seeds_are_their_number_or_their_list_also_as_text(given, seeds):
    assert study(seeds=given).seeds == seeds


def test_strategies_can_be_text_as_on_a_command_line():
    assert study(strategies="random, margin").strategies == ("random", "margin")


@pytest.mark.parametrize(
    ("values", "near"),
    [
        ({"traning": {}}, "'training'"),
        ({"training": {"bacth_size": 3}}, "'training.batch_size'"),
        ({"model": {"withd": 3}}, "'model.width'"),
        ({"pool": {"labels": "x"}}, "'pool.label'"),
        ({"execution": {"cpu_per_run": 2}}, "'execution.cpus_per_run'"),
    ],
)
def test_an_unknown_setting_is_refused_with_the_nearest_one(values, near):
    message = refusal(**values)
    assert message.startswith("study.yaml: there is no setting")
    assert f"did you mean {near}?" in message


def test_every_mistake_is_named_at_once():
    message = refusal(query=0, training={"lr": -1}, name="a/b")
    assert len(message.splitlines()) == 3
    assert "query" in message
    assert "training.lr" in message
    assert "(got -1)" in message
    assert "(got 'a/b')" in message


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"split": {"validation": 0.5, "test": 0.5}}, "must leave a train part"),
        ({"training": {"batch_norm": "frozen", "mode": "scratch"}}, "finetune"),
        ({"training": {"loss_weights": {"fused": 1}}}, "loss: fixed only"),
        ({"training": {"log_variance_range": [1, 1]}}, "low < high"),
        ({"training": {"lr": float("inf")}}, "finite"),
        ({"model": {"dropout": 1.0}}, "less than 1"),
        ({"strategies": []}, "strategies"),
        ({"vary": {"training.lr": []}}, "vary"),
        ({"strategies": ","}, "strategies"),
        ({"metric_split": "train"}, "metric_split"),
        (
            {"strategies": ["margin", "bald", "margin"]},
            "strategies names margin more than once",
        ),
        ({"seeds": 0}, "seeds: at least one seed is needed; write a number of seeds (10)"),
        ({"seeds": -3}, "at least one seed is needed"),
        ({"seeds": 20240101}, "a list of one seed is written 20240101, with the comma"),
        ({"seeds": "20240101"}, "at most 10,000"),
        ({"seeds": [2**63]}, "a seed lies between -2^63 and 2^63 - 1"),
        *(({"seeds": seeds}, "seeds") for seeds in (0, [], True, "many", ",", "1,2,1", [1, 2, 1])),
    ],
)
def test_values_that_cannot_be(values, words):
    assert words in refusal(**values)


def test_settings_cannot_be_changed_afterwards():
    spec = study()
    with pytest.raises(ValidationError, match="frozen"):
        setattr(spec, "rounds", 3)  # noqa: B010 -- mypy would refuse it too


def test_a_name_with_nothing_near_lists_what_there_is():
    assert unknown_name("model", "zzz", ["cnn", "late_fusion"]) == (
        "there is no model 'zzz'; valid are: cnn, late_fusion"
    )


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("bold", "bald"),
        ("blad", "bald"),
        ("badge", None),
        ("coreset", None),
        ("entorpy", "entropy"),
        ("Margin", "margin"),
        ("lr", "training.lr"),
    ],
)
def test_only_slips_of_the_keyboard_are_answered_by_a_name(name, near):
    valid = ["margin", "entropy", "bald", "training.lr"]
    hint = f"did you mean {near!r}?" if near else "valid are: margin, entropy"
    assert hint in unknown_name("strategy", name, valid)


def test_setting_names_are_dotted():
    names = setting_names(SweepSpec)
    assert {"seed", "training", "training.lr", "execution.parallel"} <= set(names)
    assert setting_names(ModelSpec, "model.")[0] == "model.name"
    assert len(names) == len(set(names))


def test_nested_values_by_dotted_name():
    nested = {"a": {"b": 1, "c": {}, "d": {"e": [2]}}, "f": None}
    flat = {"a.b": 1, "a.c": {}, "a.d.e": [2], "f": None}
    assert list(flatten(nested).items()) == list(flat.items())
    built: dict[str, Any] = {}
    for name, value in flat.items():
        assign(built, name, value)
    assert built == nested


def test_a_value_is_no_section():
    values = {"training": {"lr": 1}}
    with pytest.raises(
        SpecError, match=r"training\.lr\.x: lr is not a group of settings \(it is 1\)"
    ):
        assign(values, "training.lr.x", 2)
    assert values == {"training": {"lr": 1}}


def test_every_setting_can_be_looked_up():
    spec = study(training={"lr": 3e-4, "loss_prediction": {"margin": 2}})
    assert look_up(spec, "training.lr") == 3e-4
    assert look_up(spec, "training.loss_prediction.margin") == 2
    assert look_up(spec, "split") == spec.split
    for name in setting_names(SweepSpec):
        look_up(spec, name)


def test_every_setting_is_described():
    sections: list[Any] = [
        *(PoolSpec, SweepSplitSpec, ModelSpec, TrainingSpec, ExecutionSpec, ProductsSpec)
    ]
    kinds = [SweepSpec, LossPredictionSpec, *sections]
    missing = [
        name
        for kind in kinds
        for name, field in kind.model_fields.items()
        if not field.description and field.annotation not in sections
    ]
    assert missing == []


def test_a_run_id_is_a_file_name_that_can_be_read():
    pool = make_pool()
    run = one_run(
        pool, strategies=["tests.helpers.own_modules:PowerMargin:beta=2.5:note=a/b c"], seeds=[4]
    )
    assert run.run_id.startswith(
        "tests.helpers.own_modules-PowerMargin-beta-2.5-note-a-b-c__seed-4__"
    )
    plain = one_run(pool, strategies=["bald:members=20"]).run_id
    assert plain.startswith("bald-members-20__seed-0__")
    assert len(plain.rpartition("__")[2]) == 12
