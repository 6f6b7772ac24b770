"""Drawing by scores, against the probabilities that its paper names."""

import itertools
import math

import numpy as np
import pytest

from alray.errors import ScoreError, SpecError
from alray.strategies import Stochastic, canonical, identity, parse
from alray.strategies.base import is_pointwise
from alray.strategies.objects import text_of
from alray.strategies.uncertainty import Entropy, Margin
from tests.helpers.builders import make_pool, plan_of
from tests.helpers.own_modules import PowerMargin
from tests.helpers.strategy_cases import make_signals

MARGINS = np.array([0.1, 0.9, 0.4, 0.7])
DRAWS = 6_000


def drawing(text) -> Stochastic:
    strategy = parse(text)
    assert isinstance(strategy, Stochastic)
    return strategy


def shares(text, scores, k=2):
    """Return how often each ordered pair is drawn."""
    strategy, counts = parse(text), dict.fromkeys(itertools.permutations(range(4), k), 0)
    assert isinstance(strategy, Stochastic)
    rng = np.random.default_rng(0)
    for _ in range(DRAWS):
        chosen = strategy.choose(np.arange(4), scores, k, rng)
        assert chosen.scores.tolist() == scores[chosen.indices].tolist()
        counts[tuple(chosen.indices.tolist())] += 1
    return {pair: count / DRAWS for pair, count in counts.items()}


def wanted_shares(weights):
    """Return the probability of each ordered pair of draws without replacement."""
    total = sum(weights)
    return {
        (i, j): weights[i] / total * weights[j] / (total - weights[i])
        for i, j in itertools.permutations(range(4), 2)
    }


@pytest.mark.parametrize(
    ("options", "weights"),
    [
        ("power", 1 - MARGINS),
        ("power:beta=2", (1 - MARGINS) ** 2),
        ("power:beta=0", np.ones(4)),
        ("softmax:beta=3", np.exp(-3 * MARGINS)),
        ("softrank", 1 / np.array([1, 4, 2, 3])),
        ("softrank:beta=2", 1 / np.array([1, 4, 2, 3]) ** 2),
    ],
)
def test_small_margins_are_drawn_as_often_as_their_weights_say(options, weights):
    found = shares(f"margin:stochastic={options}", MARGINS)
    for pair, share in wanted_shares(weights).items():
        deviation = math.sqrt(share * (1 - share) / DRAWS)
        assert abs(found[pair] - share) < 5 * deviation, pair


def test_large_scores_are_drawn_where_large_ones_are_best():
    found = shares("entropy:stochastic=power", MARGINS)
    wanted = wanted_shares(MARGINS)
    assert found[1, 3] == pytest.approx(wanted[1, 3], abs=0.02)
    assert found[1, 3] > found[0, 2]


def test_equal_ranks_are_ordered_at_random():
    strategy = drawing("margin:stochastic=softrank:beta=50")
    scores = np.zeros(4)
    generators = [np.random.default_rng(seed) for seed in range(400)]
    first = [strategy.choose(np.arange(4), scores, 1, rng).indices[0] for rng in generators]
    assert np.bincount(first, minlength=4).min() > 60


def test_scores_stay_as_they_are_and_extremes_are_borne():
    scores = np.array([0.0, 1.0, 1.0, 0.5])
    before = scores.copy()
    chosen = drawing("margin:stochastic=power").choose(
        np.arange(4), scores, 4, np.random.default_rng(0)
    )
    assert sorted(chosen.indices) == [0, 1, 2, 3]
    assert set(chosen.indices[2:]) == {1, 2}
    assert scores.tolist() == before.tolist()


@pytest.mark.parametrize("kind", ["power", "softmax", "softrank"])
def test_what_is_no_number_is_refused_and_has_no_rank(kind):
    with pytest.raises(ScoreError, match=r"1 of 4 scores are NaN, first at positions \[2\]"):
        drawing(f"margin:stochastic={kind}").choose(
            np.arange(4), np.array([0.1, 0.9, np.nan, 0.7]), 2, np.random.default_rng(0)
        )


def test_power_refuses_negative_scores():
    with pytest.raises(ScoreError, match=r"at least 0, and there is -2; use stochastic=softmax"):
        drawing("tests.helpers.own_modules:PowerMargin:beta=2:stochastic=power").choose(
            np.arange(2), np.array([1.0, -2.0]), 1, np.random.default_rng(0)
        )


def test_what_the_strategy_says_of_itself_holds():
    drawn, plain = parse("ideal_loss:stochastic=softmax"), parse("ideal_loss")
    assert drawn.oracle is plain.oracle is True
    assert drawn.needs == plain.needs
    assert is_pointwise(drawn)
    assert not is_pointwise(parse("tests.helpers.own_modules:PowerMargin:beta=2"))
    learning = parse("learning_loss:weight=2:stochastic=softrank")
    assert learning.loss_prediction == parse("learning_loss:weight=2").loss_prediction
    signals = make_signals(drawn.needs)
    query = drawn.select(signals, 12, np.random.default_rng(1))
    assert (
        query.indices.tolist()
        != plain.select(signals, 12, np.random.default_rng(1)).indices.tolist()
    )


def test_texts_and_identities():
    text = "bald:beta=1:stochastic=power:members=20"
    assert canonical(text) == "bald:members=20:stochastic=power"
    assert identity(text) == "bald:members=20:committee='dropout':stochastic='power':beta=1.0"
    assert identity("margin") == "margin"
    assert text_of(Stochastic(Margin(), "softmax", 2.5)) == "margin:stochastic=softmax:beta=2.5"
    assert parse("entropy:stochastic=power") == Stochastic(Entropy(), "power")
    own = parse("tests.helpers.own_modules:PowerMargin:beta=2:stochastic=softmax")
    assert own == Stochastic(PowerMargin(beta=2.0), "softmax")


def test_a_screen_beside_it_is_refused():
    with pytest.raises(SpecError, match=r"stochastic=power: screen keeps the best scores"):
        plan_of(make_pool(), strategies=["margin:stochastic=power"], screen=True)
