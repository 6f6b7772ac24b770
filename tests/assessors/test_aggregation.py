"""What answers say together, by each way to aggregate them."""

from typing import get_args

import numpy as np
import pytest
import torch

from alray.assessors.aggregation import aggregate, require_crowd_kit
from alray.assessors.answers import Answers
from alray.assessors.crowd import SKIP
from alray.errors import SpecError
from alray.networks.targets import target_losses
from alray.settings.crowd import BY_CROWD_KIT, Aggregate

WAYS = get_args(Aggregate)
CLASSES, ASSESSORS = 3, 5


def answers_of(objects=60, seed=0):
    """Return answers of four good assessors and one who is always wrong, with some skips, and the truth."""
    rng = np.random.default_rng(seed)
    truths = rng.integers(0, CLASSES, objects)
    rows = []
    for index, truth in enumerate(truths):
        for assessor in range(ASSESSORS):
            wrong = assessor == 4 or rng.random() < 0.1
            answer = (truth + 1) % CLASSES if wrong else truth
            rows.append((0, 10 * index, assessor, SKIP if rng.random() < 0.1 else answer))
    return Answers.of_table(np.array(rows)), truths


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*inplace keyword")
@pytest.mark.parametrize("by", WAYS)
def test_every_way_finds_the_truth_and_the_one_who_is_always_wrong(by):
    if by in BY_CROWD_KIT:
        pytest.importorskip("crowdkit", reason="crowd-kit is not installed")
    answers, truths = answers_of()
    found = aggregate(answers, ASSESSORS, CLASSES, by)
    assert found.objects.tolist() == (10 * np.arange(60)).tolist()
    assert found.posterior.sum(1) == pytest.approx(np.ones(60))
    assert (found.posterior.argmax(1) == truths).mean() > 0.9
    assert found.skills.argmin() == 4
    # A wrong answer is a share of its own where each answer counts for itself.
    assert found.skills[4] < (0.35 if by == "none" else 0.1)
    assert found.skills[:4].min() > 0.65


@pytest.mark.parametrize("by", WAYS)
def test_no_answers_say_nothing(by):
    if by in BY_CROWD_KIT:
        pytest.importorskip("crowdkit", reason="crowd-kit is not installed")
    found = aggregate(Answers(), ASSESSORS, CLASSES, by)
    assert found.posterior.shape == (0, CLASSES)
    assert np.isnan(found.skills).all()


def test_the_majority_is_the_most_frequent_answer_and_ties_count_alike():
    table = np.array([[0, 0, 0, 1], [0, 0, 1, 1], [0, 0, 2, 2], [0, 1, 0, 0], [0, 1, 1, 2]])
    found = aggregate(Answers.of_table(table), ASSESSORS, CLASSES, "majority")
    assert found.posterior.tolist() == [[0, 1, 0], [0.5, 0, 0.5]]


def test_each_answer_for_itself_is_learnt_as_the_shares_of_the_answers():
    """The mean of the losses of the answers is the loss of their shares."""
    table = np.array([[0, 0, 0, 1], [0, 0, 1, 1], [0, 0, 2, 2], [0, 1, 0, SKIP], [0, 2, 1, 0]])
    found = aggregate(Answers.of_table(table), ASSESSORS, CLASSES, "none")
    assert found.objects.tolist() == [0, 2]
    assert found.posterior == pytest.approx(np.array([[0, 2 / 3, 1 / 3], [1, 0, 0]]))
    logits = torch.randn(3, generator=torch.Generator().manual_seed(0))
    of_answers = target_losses(logits.expand(3, -1), torch.tensor([1, 1, 2])).mean()
    of_shares = target_losses(logits[None], torch.from_numpy(found.posterior[:1]).float())
    assert float(of_shares) == pytest.approx(float(of_answers))


@pytest.mark.parametrize("by", WAYS)
def test_only_what_crowd_kit_does_needs_it(by, monkeypatch):
    monkeypatch.setattr("alray.assessors.aggregation.find_spec", lambda _: None)
    if by in BY_CROWD_KIT:
        with pytest.raises(SpecError, match=f"{by} needs crowd-kit"):
            require_crowd_kit(by)
    else:
        require_crowd_kit(by)
