"""Trial fits: what a round would come to with a batch."""

from typing import Any, ClassVar

import numpy as np
import pytest

from alray.errors import SpecError
from alray.networks.tensors import PoolTensors
from alray.strategies.checking import check_attributes
from alray.strategies.loss import IdealLoss
from alray.studies.rounds.round_draws import RoundDraws
from alray.studies.rounds.round_fit import trial_loss
from alray.training.checkpoint import learner_tensors
from tests.helpers.builders import one_run, plan_of, same_tensors
from tests.helpers.experiments import POOL, after_passive, complete


class Peeking(IdealLoss):
    """Uses labels, and does not say so."""

    oracle: ClassVar[bool] = False


STRATEGY = {"strategies": ["best_of_batches:batches=7"]}
KINDS: dict[str, dict[str, Any]] = {
    "fine-tuned": {},
    "from scratch": {"training": {"mode": "scratch", "passive_epochs": 2}},
    "frozen": {"training": {"batch_norm": "frozen", "passive_epochs": 2}},
    "several epochs": {"training": {"round_epochs": 3, "passive_epochs": 2}},
    "scikit-learn": {
        "model": {"name": "sklearn:sklearn.naive_bayes.GaussianNB"},
        "training": {},
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_of_a_trial_is_that_of_the_round_to_the_bit(kind):
    run = one_run(POOL, **{**KINDS[kind], "strategies": ["random"]})
    running = after_passive(run)
    loss_after = trial_loss(
        running.learner, PoolTensors(POOL), running.labelled, RoundDraws(run, 1)
    )
    before = learner_tensors(running.learner)
    other = loss_after(np.setdiff1d(POOL.train, running.labelled)[:4])
    assert same_tensors(before, learner_tensors(running.learner))
    result = running.next_round()
    assert loss_after(result.indices) == result.record["validation_nll"] != other


@pytest.mark.parametrize("kind", [each for each in KINDS if each != "scikit-learn"])
def test_best_of_batches_comes_to_the_loss_that_it_says(kind):
    run = one_run(POOL, **STRATEGY, **KINDS[kind], rounds=3)
    results, _ = complete(run)
    for result in results[1:]:
        assert result.scores.tolist() == [result.record["validation_nll"]] * run.query


def test_choosing_by_what_is_measured_is_refused():
    with pytest.raises(SpecError, match=r"^best_of_batches: the strategy chooses by the valid"):
        plan_of(POOL, strategies=["random", "best_of_batches"], metric_split="validation")


def test_a_strategy_of_ones_own_that_needs_labels_says_that_it_is_an_oracle():
    with pytest.raises(SpecError, match=r"asks for true_loss.*oracle: ClassVar\[bool\] = True"):
        check_attributes(Peeking())
