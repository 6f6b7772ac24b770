"""The oracle that tries several strategies' batches."""

import dataclasses
import math

import numpy as np
import pytest

from alray.errors import SpecError
from alray.strategies import parse
from alray.strategies.best_of_batches import PROPOSERS
from tests.helpers.strategy_cases import K, N, make_signals


def chosen(loss_after, batches=12, k=K, n=N, seed=0):
    """Return the query, and the batches that were tried, in turn."""
    strategy = parse(f"best_of_batches:batches={batches}")
    tried = []

    def noted(batch):
        tried.append(batch.tolist())
        return loss_after(len(tried) - 1)

    signals = dataclasses.replace(make_signals(strategy.needs, n), trial_loss=noted)
    return strategy.select(signals, k, np.random.default_rng(seed)), tried


@pytest.mark.parametrize("best", range(12))
def test_the_batch_with_the_smallest_loss_is_taken_with_its_loss(best):
    query, tried = chosen(lambda number: float(number != best))
    assert len(tried) == 12
    assert query.indices.tolist() == tried[best]
    assert query.scores.tolist() == [0.0] * K


def test_the_first_batches_are_those_of_the_strategies_and_the_others_differ():
    rng = np.random.default_rng(0)
    signals = make_signals(parse("best_of_batches").needs)
    expected = [each.select(signals, K, rng).indices.tolist() for each in PROPOSERS]
    _, tried = chosen(float)
    assert tried[: len(PROPOSERS)] == expected
    assert len({tuple(sorted(batch)) for batch in tried}) == 12


def test_of_equals_the_first_is_taken_and_a_loss_that_is_no_number_never():
    query, tried = chosen(lambda _: 1.0)
    assert query.indices.tolist() == tried[0]
    query, tried = chosen(lambda number: 2.0 if number == 3 else math.nan)
    assert query.indices.tolist() == tried[3]
    query, tried = chosen(lambda _: math.nan)
    assert np.isnan(query.scores).all()


def test_where_few_candidates_are_left_every_batch_is_whole():
    query, tried = chosen(float, k=10, n=12)
    assert all(len(set(batch)) == 10 for batch in tried)
    assert len(query.indices) == 10


def test_a_single_batch_is_refused():
    with pytest.raises(SpecError, match="there is nothing to choose from"):
        parse("best_of_batches:batches=1")
