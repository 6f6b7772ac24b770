"""Settings that change nothing are refused where they are set, and where two arms differ in nothing else."""

import pytest

from alray.errors import SpecError
from tests.helpers.builders import image_pool, make_pool, plan_of
from tests.helpers.correlation_studies import correlation_plan

TWO, ONE, IMAGES = make_pool(), make_pool(dimensions={"text": 5}), image_pool()
OWN = "tests.helpers.own_modules:OwnNetwork"
BY_OPTIONS = (
    rf"has no effect on the custom network {OWN}; .*the argument `%s`, by model.options.%s"
)


@pytest.mark.parametrize(
    ("pool", "changes", "message"),
    [
        (TWO, {"model": {"name": OWN, "width": 8}}, rf"^model.width {BY_OPTIONS} \(got 8\)".replace("%s", "width")),
        (TWO, {"model": {"name": OWN, "dropout": 0.2}}, f"^model.dropout {BY_OPTIONS}".replace("%s", "dropout")),
        (TWO, {"model": {"name": OWN, "heads": "one"}}, "^model.heads has no effect on .*one head; leave it out"),
        (TWO, {"model": {"name": OWN}, "vary": {"model.width": [128, 64]}}, r"^model.width .*\(got 64\)"),
        (TWO, {"model": {"options": {"width": 8}}}, "^model.options are for custom networks.*or set model.width"),
        (IMAGES, {"model": {"name": "cnn", "heads": "one"}}, "^model.heads has no effect on model cnn"),
        (TWO, {"model": {"name": "linear", "width": 8}}, "^model.width has no effect on model linear.*one matrix"),
        (TWO, {"model": {"name": "linear", "fusion": "sum"}}, "^model.fusion has no effect on linear: it is a part of"),
        (TWO, {"model": {"name": OWN, "block": "highway"}}, f"^model.block has no effect on {OWN}: it is a part of"),
        (TWO, {"model": {"fusion": "early", "heads": "one"}}, "^model.heads has no effect on model.fusion: early"),
        (ONE, {"vary": {"model.fusion": ["concat", "gated"]}}, "model.fusion is 'concat' and 'gated', which means the"),
        (TWO, {"training": {"loss": "sum", "log_variance_range": [-1, 1]}},
         "^training.log_variance_range is used by training.loss: learned_noise alone"),
        (TWO, {"strategies": ["learning_loss"], "training": {"loss_prediction": {"margin": 2}}},
         "^training.loss_prediction has no effect on learning_loss.*learning_loss:margin=2, or leave it out"),
        (TWO, {"strategies": ["density:beta=2:score=learning_loss"], "training": {"loss_prediction": {"margin": 2}}},
         "such as density:score=learning_loss:beta=2.0:margin=2, or leave it out"),
        (TWO, {"vary": {"model.name": ["late_fusion", OWN], "model.width": [8, 16]}},
         rf"^margin \[name={OWN}\] and margin \[name={OWN}, width=16\] would be the same run: model.width is 8 and 16"),
        (TWO, {"vary": {"training.loss": ["sum", "fixed"]}},
         "same run: training.loss is 'sum' and 'fixed', which means the same here"),
        (TWO, {"vary": {"training.round_epochs": [None, 1]}}, "training.round_epochs is None and 1, which means the"),
        (ONE, {"vary": {"model.heads": ["all", "one"]}}, "model.heads is 'all' and 'one', which means the same here"),
        (TWO, {"strategies": ["bald:committee=heads", "bald:committee=heads:members=5"]},
         "bald:committee=heads and bald:members=5:committee=heads would be the same run: committee=heads does not use"),
    ],
    ids=str,
)  # fmt: skip
def test_what_changes_nothing_is_refused_with_what_to_do_instead(pool, changes, message):
    with pytest.raises(SpecError, match=message):
        plan_of(pool, **{"rounds": 2, **changes})


@pytest.mark.parametrize(
    ("pool", "changes"),
    [
        (TWO, {"model": {"name": OWN, "width": 128, "dropout": 0.5, "heads": "all"}}),
        (TWO, {"model": {"width": 8, "options": {}}, "training": {"loss": "fixed"}}),
        (ONE, {"model": {"heads": "one", "width": 8}}),
        (TWO, {"training": {"loss_prediction": {}}, "strategies": ["random", "learning_loss"]}),
        (TWO, {"vary": {"model.name": [OWN, "late_fusion"]}, "model": {"width": 8}}),
        (TWO, {"vary": {"training.loss": ["learned_noise", "sum"]}, "training": {"log_variance_range": [-1, 1]}}),
        (TWO, {"vary": {"training.mode": ["finetune", "scratch"]}, "training": {"round_epochs": 1}}),
        (TWO, {"strategies": ["bald:committee=both", "bald:committee=both:members=5"]}),
    ],
    ids=str,
)  # fmt: skip
def test_defaults_and_what_some_arm_uses_are_accepted(pool, changes):
    plan_of(pool, **changes)


def test_a_custom_networks_options_can_be_varied_one_by_one():
    vary = {"model.options.width": [6, 4]}
    plan = plan_of(TWO, model={"name": OWN, "options": {"width": 6}}, vary=vary)
    assert [arm.label for arm in plan.arms] == ["margin", "margin [options.width=4]"]
    assert [arm.model.options for arm in plan.arms] == [{"width": 6}, {"width": 4}]
    with pytest.raises(SpecError, match=r"unexpected keyword argument 'widht'"):
        plan_of(TWO, model={"name": OWN}, vary={"model.options.widht": [6, 4]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": {"name": OWN, "width": 8}}, "^model.width has no effect"),
        ({"training": {"round_epochs": 2}}, "training.round_epochs has no effect"),
    ],
)
def test_correlation_studies_refuse_them_too(changes, message):
    with pytest.raises((SpecError, ValueError), match=message):
        correlation_plan(make_pool(400), **changes)
