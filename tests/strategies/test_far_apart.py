"""Strategies that choose objects far apart, against their definitions written out in full."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from alray.errors import ScoreError
from alray.strategies import parse
from alray.strategies.base import given
from alray.strategies.distances import Points, draw_far, nearest_squared, squared_distances
from alray.strategies.signals import Signals
from tests.helpers.strategy_cases import make_signals


def query(text, signals, k, seed=0):
    return parse(text).select(signals, k, np.random.default_rng(seed))


def positions(signals, chosen):
    return np.searchsorted(signals.candidates, chosen.indices)


def features_of(signals) -> torch.Tensor:
    features: torch.Tensor = given(signals.features)
    return features


def gradients(signals):
    """Return (n, classes x width) every gradient of the last layer, in float64."""
    probs = signals.log_probs.double().exp()
    errors = probs - torch.eye(probs.shape[1], dtype=torch.float64)[probs.argmax(1)]
    return (errors[:, :, None] * signals.features.double()[:, None, :]).flatten(1).numpy()


@pytest.mark.parametrize("value", [4e18, 1e25, -1e25, math.inf])
@pytest.mark.parametrize("text", ["badge", "bait", "coreset", "cluster_margin", "alfa_mix"])
def test_features_whose_distances_are_not_finite_are_refused(text, value):
    signals = make_signals(parse(text).needs)
    features_of(signals)[3, 1] = value
    message = r"the features of 1 of 60 objects are .*not (be )?finite.*try a smaller training\.lr"
    with pytest.raises(ScoreError, match=message):
        query(text, signals, 5)


@pytest.mark.parametrize("text", ["badge", "bait", "coreset", "cluster_margin", "alfa_mix"])
def test_features_as_large_as_can_be_give_finite_scores(text):
    signals = make_signals(parse(text).needs)
    features_of(signals)[3, 1] = 3e18
    scores = query(text, signals, 5).scores
    assert not np.isinf(scores).any()
    assert np.isnan(scores).sum() == {"badge": 1, "alfa_mix": 5}.get(text, 0)


def test_badge_begins_with_the_largest_gradient_and_scores_are_squared_distances():
    signals = make_signals(parse("badge").needs)
    full = gradients(signals)
    chosen = query("badge", signals, 12)
    order = positions(signals, chosen)
    assert order[0] == np.square(full).sum(1).argmax()
    assert np.isnan(chosen.scores[0])
    for number in range(1, 12):
        apart = np.square(full[order[:number]] - full[order[number]]).sum(1).min()
        assert chosen.scores[number] == pytest.approx(apart, rel=1e-4)


def test_badge_draws_with_probabilities_proportional_to_squared_distances():
    signals = make_signals(parse("badge").needs, 8)
    full = gradients(signals)
    apart = np.square(full - full[np.square(full).sum(1).argmax()]).sum(1)
    counts, draws = np.zeros(8), 4_000
    for seed in range(draws):
        counts[positions(signals, query("badge", signals, 2, seed))[1]] += 1
    wanted = apart / apart.sum()
    assert np.abs(counts / draws - wanted).max() < 5 * np.sqrt(0.25 / draws)
    assert counts[np.square(full).sum(1).argmax()] == 0


def test_coreset_is_the_greedy_choice_by_all_distances():
    signals = make_signals(parse("coreset").needs)
    x, labelled = features_of(signals).double(), features_of(signals.labelled).double()
    covered, wanted = [*labelled], []
    for _ in range(12):
        nearest = torch.cdist(x, torch.stack(covered)).amin(1)
        wanted.append(int(nearest.argmax()))
        covered.append(x[wanted[-1]])
    chosen = query("coreset", signals, 12)
    assert positions(signals, chosen).tolist() == wanted
    assert (np.diff(chosen.scores) <= 1e-6).all()


@pytest.mark.parametrize("text", ["badge", "coreset"])
@pytest.mark.parametrize("alike", ["features", "pairs"])
def test_copies_are_chosen_last_and_never_twice(text, alike):
    """Where there are fewer different objects than the query has, the rest are distinct all the same."""
    signals = make_signals(parse(text).needs, 20)
    of = torch.zeros(20, dtype=torch.int64) if alike == "features" else torch.arange(20) // 2
    changed: dict[str, Any] = {"features": features_of(signals)[of]}
    if signals.log_probs is not None:
        changed["log_probs"] = signals.log_probs[of]
    same = Signals(signals.candidates, **changed, labelled=signals.labelled)
    chosen = query(text, same, 15)
    assert len(set(chosen.indices.tolist())) == 15
    different = len(set(of[positions(same, chosen)[: len(of.unique())]].tolist()))
    assert different == len(of.unique())


def test_more_objects_than_features_and_all_of_them():
    for text in ("badge", "coreset"):
        signals = make_signals(parse(text).needs, 9)
        assert sorted(query(text, signals, 9).indices) == signals.candidates.tolist()


def test_distances_in_blocks_are_those_at_once(monkeypatch):
    x, others = torch.randn(50, 3), torch.randn(7, 3)
    wanted = torch.cdist(x.double(), others.double()).square()
    torch.testing.assert_close(squared_distances(x, others).double(), wanted, rtol=1e-3, atol=1e-4)
    whole = nearest_squared(x, others)
    monkeypatch.setattr("alray.strategies.distances.BLOCK_NUMBERS", 21)
    torch.testing.assert_close(nearest_squared(x, others), whole)
    torch.testing.assert_close(whole.double(), wanted.amin(1), rtol=1e-3, atol=1e-4)
    assert nearest_squared(x, others[:0]).isinf().all()
    assert squared_distances(x[:1] + 100, x[:1] + 100).item() == 0


def test_each_pair_of_points_comes_once(monkeypatch):
    monkeypatch.setattr("alray.strategies.distances.SIDE", 4)
    x = torch.randn(11, 3, generator=torch.Generator().manual_seed(0))
    found = torch.full((11, 11), math.nan)
    for rows, columns, squared in Points(x).each_pair():
        assert found[rows, columns].isnan().all()
        found[rows, columns] = squared
        found[columns, rows] = squared.t()
    torch.testing.assert_close(found, torch.cdist(x, x).square(), rtol=1e-3, atol=1e-4)


def test_draws_go_on_where_no_distance_is_left():
    chosen = draw_far(
        np.arange(5), lambda _: torch.zeros(5), np.array([3]), 5, np.random.default_rng(0)
    )
    assert sorted(chosen.indices) == [0, 1, 2, 3, 4]
    assert chosen.indices[0] == 3
