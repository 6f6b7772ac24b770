"""Strategies that choose by a score and more, against their definitions written out."""

import numpy as np
import pytest
import torch

from alray.errors import ScoreError, SpecError
from alray.strategies import parse
from alray.strategies.base import given
from alray.strategies.scorers import SCORERS, wanted
from alray.strategies.signals import Signals
from tests.helpers.strategy_cases import make_signals, undefined


def query(text, signals, k, seed=0):
    return parse(text).select(signals, k, np.random.default_rng(seed))


def positions(signals, chosen):
    return np.searchsorted(signals.candidates, chosen.indices)


@pytest.mark.parametrize("name", SCORERS)
def test_wanted_scores_are_large_where_the_strategy_wants_an_object(name):
    signals = make_signals(SCORERS[name].needs)
    scores = wanted(name, signals)
    assert (scores >= 0).all()
    best = positions(signals, query(name, signals, 12))
    assert sorted(np.argsort(-scores)[:12]) == sorted(best)


@pytest.mark.parametrize("beta", [0, 1, 3])
def test_density_is_the_score_times_the_mean_of_all_cosines(beta):
    text = f"density:score=entropy:beta={beta}"
    signals = make_signals(parse(text).needs)
    x = given(signals.features).double()
    cosines = torch.nn.functional.cosine_similarity(x[:, None], x[None], dim=2)
    scores = wanted("entropy", signals) * cosines.mean(1).clamp_min(0).numpy() ** beta
    chosen = query(text, signals, 10)
    assert positions(signals, chosen).tolist() == np.argsort(-scores)[:10].tolist()
    np.testing.assert_allclose(chosen.scores, np.sort(scores)[::-1][:10], rtol=1e-6)


def test_density_refuses_what_is_no_weight():
    with pytest.raises(SpecError, match="beta must be a number of at least 0"):
        parse("density:beta=-1")
    with pytest.raises(SpecError, match="option score"):
        parse("density:score=learning_loss")


def test_density_says_how_many_features_are_no_numbers():
    signals = undefined(make_signals(parse("density").needs), [3, 5])
    with pytest.raises(ScoreError, match=r"the features of 2 of 60 objects are not finite"):
        query("density", signals, 2)


@pytest.mark.parametrize("name", SCORERS)
def test_scores_that_are_no_numbers_are_not_wanted(name):
    with pytest.raises(ScoreError, match=r"2 of 60 scores are NaN, first at positions \[3, 5\]"):
        wanted(name, undefined(make_signals(SCORERS[name].needs), [3, 5]))


def balanced_signals(labels):
    """Return nine candidates, three predicted of each class, with margins that rise from the first."""
    log_probs = torch.log_softmax(
        torch.eye(3)[torch.arange(9) % 3] * torch.arange(1.0, 10.0)[:, None] / 3, 1
    )
    of_labelled = Signals(np.arange(len(labels)), labels=torch.tensor(labels))
    return Signals(np.arange(100, 109), log_probs=log_probs, labelled=of_labelled)


def test_the_class_with_the_fewest_labels_is_asked_for_first():
    signals = balanced_signals([0, 0, 0, 0, 1, 1])
    chosen = query("class_balanced", signals, 7)
    # Two of class 2, then classes 1 and 2 in turn, the better score first, until all are level.
    assert (positions(signals, chosen) % 3).tolist() == [2, 2, 1, 2, 1, 0, 1]
    assert positions(signals, chosen)[:4].tolist() == [2, 5, 1, 8]


def test_a_class_without_candidates_left_is_passed_over():
    signals = balanced_signals([0, 1])
    assert sorted(query("class_balanced", signals, 9).indices) == list(range(100, 109))


def test_equal_scores_are_taken_in_any_order():
    alike = Signals(
        np.arange(20),
        log_probs=torch.log(torch.tensor([[0.6, 0.4]]).repeat(20, 1)),
        labelled=Signals(np.arange(1), labels=torch.tensor([1])),
    )
    assert len({query("class_balanced", alike, 1, seed).indices[0] for seed in range(40)}) > 10
