"""ProbCover against its definition over all pairs."""

import numpy as np
import pytest
import torch

from alray.errors import SpecError
from alray.strategies import parse
from alray.strategies.cover import directions
from alray.strategies.probcover import IMPURE, pure_radius
from tests.helpers.strategy_cases import make_signals


def query(text, signals, k, seed=0):
    return parse(text).select(signals, k, np.random.default_rng(seed))


def test_each_choice_covers_the_most_that_is_not_covered_yet():
    signals = make_signals(parse("probcover").needs)
    x, labelled = (each.double() for each in directions(signals))
    radius = 0.6
    near = torch.cdist(x, x) < radius
    covered = (torch.cdist(x, labelled) < radius).any(1)
    chosen = query(f"probcover:radius={radius}", signals, 12)
    found = np.searchsorted(signals.candidates, chosen.indices)
    for position, score in zip(found, chosen.scores, strict=True):
        gains = (near & ~covered).sum(1)
        assert gains[position] == gains.max()
        assert score == pytest.approx(int(gains.max()) / 60)
        covered |= near[position]


def test_when_all_is_covered_the_rest_are_distinct_candidates():
    signals = make_signals(parse("probcover").needs)
    chosen = query("probcover:radius=2.1", signals, 60)
    assert sorted(chosen.indices) == signals.candidates.tolist()
    assert not chosen.scores.any()


@pytest.mark.parametrize("side", [512, 7])
def test_the_radius_is_the_largest_with_enough_pure_balls(monkeypatch, side):
    monkeypatch.setattr("alray.strategies.distances.SIDE", side)
    x = torch.randn(100, 4, generator=torch.Generator().manual_seed(0))
    numbers = (x[:, 0] > 0).long().numpy()
    distances = torch.cdist(x, x)
    other = torch.from_numpy(numbers[:, None] != numbers[None])

    def impure(radius):
        return float(((distances < radius) & other).any(1).float().mean())

    radius = pure_radius(x, numbers)
    assert impure(radius * 0.999) <= IMPURE < impure(radius * 1.001)
    assert pure_radius(x, np.zeros(100, dtype=np.int64)) == 2.0


def test_the_radius_is_found_where_none_is_given():
    signals = make_signals(parse("probcover").needs)
    chosen = query("probcover", signals, 5)
    assert len(set(chosen.indices.tolist())) == 5
    assert chosen.scores[0] > 0
    with pytest.raises(SpecError, match="radius must be a number of at least 0"):
        parse("probcover:radius=-1")
