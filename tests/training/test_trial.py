"""A custom network is tried before a study: what cannot work is refused, what looks wrong is warned of."""

import logging
import re

import pytest
import torch

from alray import api
from alray.errors import SpecError
from alray.studies.sweep.results import load
from tests.helpers.builders import make_pool, plan_of
from tests.helpers.correlation_studies import correlation_plan
from tests.helpers.faulty_networks import MAKERS, faulty
from tests.helpers.studies import assert_same_records, files, settings

POOL = make_pool()
REFUSED = {
    "too few": "returned 2 numbers for each object, but the pool has 3 classes",
    "too many": "returned 5 numbers for each object, but the pool has 3 classes",
    "tuple": r"returned a tuple of 2 \(return its logits alone\)",
    "dict": r"returned dict \(return its logits alone\)",
    "nothing": "returned None, not a tensor of logits",
    "squeezed": r"returned a tensor \(3,\), not a tensor of logits \(1, 3\)",
    "classes": r"returned a tensor \(\d+,\), not",
    "integers": "returned torch.int64",
    "not finite": "not finite",
    "detached": "logits without a gradient",
    "random": "draws at random",
    "other random": "random numbers that are not PyTorch's",
    "norm of others": r"Expected more than 1 value per channel.*in evaluation mode",
    "unsaved buffer": r"changes mean in training.*persistent=True",
    "attribute": r"no checkpoint holds \(mean changed\)",
    "list": "keeps something that no checkpoint holds:",
    "annealing": r"no checkpoint holds \(calls changed\)",
    "frozen": "no parameter that can be trained",
    "late": "create every layer in __init__",
    "raising": r"raised RuntimeError: mat1 and mat2 .*in evaluation mode \(.*faulty_networks.py, line \d+\)$",
}
WARNED = {
    "probabilities": r"returns probabilities.* its layer change \(Softmax\)",
    "functional probabilities": "the softmax at the end of forward",
    "not negative": "returns no negative number",
    "depends on others": "which objects are scored together",
    "counting": "changes calls in training",
    "constant": "returns the same numbers for all of",
}
ACCEPTED = ("none", "log-probabilities", "norm", "dropout", "dropout from zero", "transformer")


def test_every_network_of_the_helper_is_tried():
    assert set(MAKERS) == {
        *REFUSED,
        *WARNED,
        *ACCEPTED,
        "dropout not called",
        "transformer of objects",
    }


@pytest.mark.parametrize("fault", REFUSED)
def test_a_network_that_cannot_work_is_refused_by_name(fault):
    with pytest.raises(SpecError, match=REFUSED[fault]) as caught:
        plan_of(POOL, model=faulty(fault))
    assert str(caught.value).startswith("model.name: 'tests.helpers.faulty_networks:factory' ")


@pytest.mark.parametrize("fault", [*WARNED, *ACCEPTED])
def test_what_looks_wrong_is_warned_of_and_nothing_else(fault, caplog):
    with caplog.at_level(logging.WARNING, "alray"):
        plan_of(POOL, model=faulty(fault))
    warnings = [record.getMessage() for record in caplog.records]
    assert len(warnings) == (fault in WARNED)
    for text in warnings:
        assert re.search(WARNED[fault], text)


def test_correlation_studies_try_it_too():
    with pytest.raises(SpecError, match="returned None"):
        correlation_plan(make_pool(400), model=faulty("nothing"))


def test_batches_of_one_object_are_refused_where_a_study_has_them():
    """BatchNorm cannot be trained on one object: 12 labels and 4 more a round in batches of 5 leave one."""
    fixed = {"passive_epochs": 1, "batch_size": 5, "batch_rule": "fixed", "stopping": "held_out"}
    plan_of(POOL, model=faulty("norm"), training=fixed, rounds=0)
    plan_of(POOL, model=faulty("norm"), training={**fixed, "batch_rule": "upsample"})
    with pytest.raises(
        SpecError, match=r"more than 1 value.*one object: set training.batch_rule: upsample"
    ):
        plan_of(POOL, model=faulty("norm"), training=fixed)
    # Of 12 labels one is held out, which leaves 11 to learn from.
    with pytest.raises(SpecError, match="more than 1 value"):
        plan_of(
            POOL, model=faulty("norm"), training={**fixed, "stopping": "from_labels"}, rounds=0
        )


FIXED = {"passive_epochs": 1, "batch_size": 5, "batch_rule": "fixed", "stopping": "fixed_epochs"}


def test_batches_of_one_object_are_refused_in_a_later_arm_too():
    """Of 16 labels in batches of 5 one is left; the study's own rule, and the first arm, spread them."""
    with pytest.raises(
        SpecError, match=r"^random \[batch_rule=fixed\]: .*more than 1 value.*one object"
    ):
        plan_of(
            POOL,
            model=faulty("norm"),
            strategies=["random"],
            training={**FIXED, "batch_rule": "even"},
            vary={"training.batch_rule": ["even", "fixed"]},
        )


def test_each_arms_first_fit_holds_out_labels():
    """Of 11 and of 12 labels one is held out, so batches of 11 leave nothing over."""
    training = {**FIXED, "batch_size": 11, "stopping": "from_labels"}
    vary = {"initial": [11, 12]}
    plan_of(POOL, model=faulty("norm"), training=training, initial=11, vary=vary, rounds=0)


def test_a_fit_on_all_labels_holds_out_none():
    sizes = {"batch_size": len(POOL.train) - 1, "stopping": "from_labels", "mode": "scratch"}
    settings = {"model": faulty("norm"), "training": {**FIXED, **sizes}}
    plan_of(POOL, **settings)
    with pytest.raises(SpecError, match="one object"):
        plan_of(POOL, **settings, full_data=True)


def test_a_trial_changes_neither_random_draws_nor_threads():
    before = torch.get_rng_state()
    torch.set_num_threads(2)
    try:
        plan_of(POOL, model=faulty("dropout"), strategies=["bald"])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_fresh_start_with_a_network_that_cannot_work_throws_nothing_away(pool, tmp_path):
    whole = api.sweep(settings(pool, rounds=1, model=faulty("norm")), results=tmp_path)
    left = files(whole.path)
    with pytest.raises(SpecError, match="not finite"):
        api.sweep(settings(pool, model=faulty("not finite")), results=tmp_path, fresh=True)
    assert files(whole.path) == left
    assert_same_records(whole, load(whole.path))
