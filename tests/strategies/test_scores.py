import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from alray.strategies import scores

ROUNDING = 1e-6
"""Probabilities are float32: a few units in their last place."""


def logits_of(*shape):
    return arrays(np.float64, shape, elements=st.floats(-40, 40))


def log_softmax(logits):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def entropy_of(log_probs):
    p = np.exp(log_probs)
    return -(p * np.where(p > 0, log_probs, 0)).sum(axis=-1)


def tensor(log_probs):
    return torch.from_numpy(np.asarray(log_probs, dtype=np.float32))


def bald_of(members):
    return scores.bald(*scores.summarise_committee(members))


def assert_scores(values, expected, top):
    """The scores are the expected ones, and lie in their range."""
    np.testing.assert_allclose(values, expected, atol=ROUNDING * 10)
    assert (values >= 0).all()
    assert (values <= top + ROUNDING).all()


@given(logits_of(4, 5))
def test_scores_are_their_formulas(logits):
    log_probs = log_softmax(logits)
    single = tensor(log_probs)
    p = np.sort(np.exp(log_probs), axis=1)
    assert_scores(scores.least_confidence(single), 1 - p[:, -1], 1 - 1 / 5)
    assert_scores(scores.margin(single), p[:, -1] - p[:, -2], 1)
    assert_scores(scores.entropy(single), entropy_of(log_probs), math.log(5))


@given(logits_of(3, 4, 5))
def test_a_committee_is_summarised_and_scored_by_the_formulas(logits):
    log_probs = log_softmax(logits)
    members = tensor(log_probs)
    before = members.clone()
    log_mean, mean_entropy = scores.summarise_committee(iter(members))
    assert torch.equal(members, before), "members may be views of one product"
    assert mean_entropy.dtype == scores.entropy(members).dtype == torch.float64
    mean = np.exp(log_probs).mean(axis=0)
    np.testing.assert_allclose(log_mean.exp(), mean, atol=ROUNDING)
    expected = entropy_of(np.log(mean)) - entropy_of(log_probs).mean(axis=0)
    assert_scores(scores.bald(log_mean, mean_entropy), expected, math.log(5))


@given(logits_of(3, 4), st.integers(2, 60))
def test_members_that_agree_have_nothing_to_tell(logits, members):
    log_probs = torch.log_softmax(tensor(logits), dim=1).expand(members, 3, 4)
    np.testing.assert_allclose(bald_of(log_probs), 0, atol=ROUNDING * 10)
    assert (scores.summarise_committee(log_probs)[0] <= 0).all()


def test_rounding_does_not_push_bald_below_zero():
    log_probs = torch.log_softmax(torch.zeros(1, 3), dim=1)
    above = scores.entropy(log_probs) + 1e-9
    assert scores.bald(log_probs, above).item() == 0


@pytest.mark.parametrize("classes", [2, 7])
def test_members_that_are_certain_of_different_classes_disagree_fully(classes):
    members = torch.eye(classes).log()[:, None]
    assert bald_of(members).item() == pytest.approx(math.log(classes))


def test_impossible_classes_add_nothing():
    log_probs = torch.tensor(
        [[0.0, -math.inf, -math.inf], [math.log(0.5), math.log(0.5), -math.inf]]
    )
    assert scores.least_confidence(log_probs).tolist() == pytest.approx([0, 0.5])
    assert scores.margin(log_probs).tolist() == pytest.approx([1, 0])
    assert scores.entropy(log_probs).tolist() == pytest.approx([0, math.log(2)])
    log_mean, mean_entropy = scores.summarise_committee([log_probs])
    assert log_mean[0, 1:].tolist() == [-math.inf, -math.inf]
    assert mean_entropy.tolist() == pytest.approx([0, math.log(2)])


def test_a_committee_without_members_has_no_summary():
    with pytest.raises(ValueError, match="at least one"):
        scores.summarise_committee([])


def test_true_loss_is_that_of_the_label():
    log_probs = tensor(np.log([[0.25, 0.75], [0.5, 0.5]]))
    loss = scores.true_loss(log_probs, torch.tensor([0, 1]))
    assert loss.tolist() == pytest.approx([math.log(4), math.log(2)])
