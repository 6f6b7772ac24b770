"""Strategies that choose by a score and more, against their definitions written out."""

import numpy as np
import pytest
import torch

from alray.errors import ScoreError, SpecError
from alray.strategies import STRATEGIES, Stochastic, canonical, identity, parse
from alray.strategies.base import ScoreStrategy, given
from alray.strategies.committee import Bald
from alray.strategies.density import Density
from alray.strategies.objects import text_of
from alray.strategies.scorers import SCORERS, ScoreOption, scorer_of, wanted
from alray.strategies.signals import Signals
from tests.helpers.strategy_cases import make_signals, undefined


def query(text, signals, k, seed=0):
    return parse(text).select(signals, k, np.random.default_rng(seed))


def positions(signals, chosen):
    return np.searchsorted(signals.candidates, chosen.indices)


@pytest.mark.parametrize("name", SCORERS)
def test_wanted_scores_are_large_where_the_strategy_wants_an_object(name):
    signals = make_signals(scorer_of(name).needs)
    scores = wanted(scorer_of(name), signals)
    assert (scores >= 0).all()
    assert len(np.unique(scores)) == len(scores)
    best = positions(signals, query(name, signals, 12))
    assert sorted(np.argsort(-scores)[:12]) == sorted(best)


@pytest.mark.parametrize("beta", [0, 1, 3])
def test_density_is_the_score_times_the_mean_of_all_cosines(beta):
    text = f"density:score=entropy:beta={beta}"
    signals = make_signals(parse(text).needs)
    x = given(signals.features).double()
    cosines = torch.nn.functional.cosine_similarity(x[:, None], x[None], dim=2)
    scores = wanted(scorer_of("entropy"), signals) * cosines.mean(1).clamp_min(0).numpy() ** beta
    chosen = query(text, signals, 10)
    assert positions(signals, chosen).tolist() == np.argsort(-scores)[:10].tolist()
    np.testing.assert_allclose(chosen.scores, np.sort(scores)[::-1][:10], rtol=1e-6)


def test_density_refuses_what_is_no_weight():
    with pytest.raises(SpecError, match="beta must be a number of at least 0"):
        parse("density:beta=-1")


def test_density_says_how_many_features_are_no_numbers():
    signals = undefined(make_signals(parse("density").needs), [3, 5])
    with pytest.raises(ScoreError, match=r"the features of 2 of 60 objects are not finite"):
        query("density", signals, 2)


@pytest.mark.parametrize("name", SCORERS)
def test_scores_that_are_no_numbers_are_not_wanted(name):
    with pytest.raises(ScoreError, match=r"2 of 60 scores are NaN, first at positions \[3, 5\]"):
        wanted(scorer_of(name), undefined(make_signals(scorer_of(name).needs), [3, 5]))


def test_every_built_in_score_can_be_gone_by_and_is_named_where_users_look():
    kinds = {name: kind for name, kind in STRATEGIES.items() if issubclass(kind, ScoreStrategy)}
    assert dict(SCORERS) == kinds
    assert all(name in (ScoreOption.__doc__ or "") for name in SCORERS)


@pytest.mark.parametrize("name", SCORERS)
@pytest.mark.parametrize("by", ["density", "class_balanced"])
def test_what_a_score_asks_for_is_asked_for_with_it(by, name):
    strategy, scorer = parse(f"{by}:score={name}"), scorer_of(name)
    assert strategy.oracle is scorer.oracle
    assert strategy.loss_prediction == scorer.loss_prediction
    assert strategy.needs.committee == scorer.needs.committee
    assert strategy.needs.side_heads == scorer.needs.side_heads
    signals = make_signals(strategy.needs)
    assert len(set(query(f"{by}:score={name}", signals, 12).indices)) == 12


def test_a_score_without_limits_counts_by_the_share_that_is_no_better():
    losses = Signals(np.arange(4), true_loss=torch.tensor([3.0, 0.5, torch.inf, 0.5]))
    assert wanted(scorer_of("reverse_ideal_loss"), losses).tolist() == [0.5, 1.0, 0.25, 1.0]
    predicted = Signals(np.arange(4), predicted_loss=torch.tensor([-3.0, -0.5, 2.0, -0.5]))
    assert wanted(scorer_of("learning_loss"), predicted).tolist() == [0.25, 0.75, 1.0, 0.75]


def test_density_of_an_infinite_loss_is_a_number():
    features = torch.tensor([[1.0, 0], [1, 0], [1, 0], [-1, 0]])
    loss = torch.tensor([1.0, 2, 3, torch.inf])
    chosen = query(
        "density:score=ideal_loss", Signals(np.arange(4), true_loss=loss, features=features), 4
    )
    assert chosen.indices.tolist() == [2, 1, 0, 3]
    assert chosen.scores.tolist() == [1.5, 1.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("text", "expected", "in_full"),
    [
        # As they were before scores had options: runs keep their names.
        ("density:score=bald", None, "density:score='bald':beta=1.0"),
        ("class_balanced", None, "class_balanced:score='margin'"),
        ("density:members=10:score=bald", "density:score=bald", "density:score='bald':beta=1.0"),
        (
            "density:beta=2:members=20:score=bald",
            "density:score=bald:members=20:beta=2.0",
            """density:score="bald:members=20:committee='dropout'":beta=2.0""",
        ),
        (
            "class_balanced:score=learning_loss:weight=2",
            "class_balanced:score=learning_loss:weight=2.0",
            "class_balanced:score='learning_loss:margin=1.0:weight=2.0:detach_after=0.6'",
        ),
        (
            "density:stochastic=power:beta=2",
            "density:beta=2.0:stochastic=power",
            "density:score='margin':beta=2.0:stochastic='power':beta=1.0",
        ),
    ],
)
def test_options_of_the_score_stand_behind_it(text, expected, in_full):
    assert canonical(text) == (expected or text)
    assert canonical(canonical(text)) == canonical(text)
    assert identity(text) == in_full
    assert text_of(parse(text)) == canonical(text)


def test_a_strategy_given_as_an_object_takes_the_same_texts():
    strategy = Density(score="bald:committee=heads:members=20")
    assert strategy.scorer == Bald(20, "heads")
    assert strategy == parse("density:score=bald:members=20:committee=heads")
    assert text_of(Stochastic(strategy, "softmax")).endswith("committee=heads:stochastic=softmax")
    with pytest.raises(SpecError, match="leave out the beta of drawing, since Density has"):
        text_of(Stochastic(strategy, "softmax", 3.0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("density:score=badge", "no built-in score 'badge'; valid are: least_confidence, margin"),
        ("density:score=my_module:Mine", "'density:score=my_module:Mine': .* score 'my_module'"),
        ("class_balanced:score=margn", "did you mean 'margin'"),
        ("density:members=20", "no option 'members'; valid are: score, beta, stochastic"),
        ("density:score=bald:member=20", "did you mean 'members'"),
        ("density:score=bald:members=1", "'density:score=bald:members=1': members must be at"),
        ("class_balanced:score=bald:committee=all", "option committee"),
        ("class_balanced:stochastic=power", "no option 'stochastic'; valid are: score"),
    ],
)
def test_other_scores_and_options_are_refused(text, message):
    with pytest.raises(SpecError, match=message):
        parse(text)


def test_draws_by_density_are_as_likely_as_its_scores():
    strategy = parse("density:score=entropy:beta=2:stochastic=power")
    assert isinstance(strategy, Stochastic)
    signals, rng = make_signals(strategy.needs, 4), np.random.default_rng(0)
    scores = strategy.scored(signals)
    best = query("density:score=entropy:beta=2", signals, 4)
    assert best.scores.tolist() == np.sort(scores)[::-1].tolist()
    firsts = [strategy.choose(np.arange(4), scores, 1, rng).indices[0] for _ in range(3000)]
    shares = np.bincount(firsts, minlength=4) / 3000
    assert np.abs(shares - scores / scores.sum()).max() < 5 * np.sqrt(0.25 / 3000)


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
