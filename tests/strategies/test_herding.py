"""Herding against its definition over all pairs, chosen greedily without short cuts."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from alray.errors import SpecError
from alray.strategies import distances, parse
from alray.strategies.base import given
from alray.strategies.herding import gaussian, smallest_distance
from alray.strategies.signals import Signals
from tests.helpers.strategy_cases import make_signals


def directions(signals):
    return functional.normalize(given(signals.pool_features).double(), dim=1)


def greedy(signals, weights, width, k):
    """Return the positions and gains of the definition."""
    x, labelled = directions(signals), directions(signals.labelled)
    near = torch.exp(-torch.cdist(x, x).square() / width**2)
    covered = torch.exp(-torch.cdist(x, labelled).square() / width**2).amax(1)
    chosen: list[int] = []
    gains: list[float] = []
    for _ in range(k):
        of_each = ((near - covered[:, None]).clamp_min(0) * weights[:, None]).mean(0)
        of_each[chosen] = -1
        chosen.append(int(of_each.argmax()))
        gains.append(float(of_each[chosen[-1]]))
        covered = torch.maximum(covered, near[:, chosen[-1]])
    return chosen, gains


def query(text, signals, k, seed=0):
    return parse(text).select(signals, k, np.random.default_rng(seed))


@pytest.mark.parametrize("width", [0.3, 1.0])
def test_max_herding_is_the_greedy_choice(monkeypatch, width):
    monkeypatch.setattr(distances, "SIDE", 7)
    signals = make_signals(parse("max_herding").needs)
    chosen = query(f"max_herding:width={width}", signals, 15)
    wanted, gains = greedy(signals, torch.ones(60, dtype=torch.float64), width, 15)
    assert np.searchsorted(signals.candidates, chosen.indices).tolist() == wanted
    np.testing.assert_allclose(chosen.scores, gains, rtol=1e-3, atol=1e-6)


def temperature(signals):
    """Return the best of many temperatures for the labelled objects."""
    log_probs, labels = given(signals.labelled.log_probs).double(), signals.labelled.labels
    tried = np.exp(np.linspace(np.log(0.05), np.log(20), 4000))
    return tried[
        np.argmin([float(functional.cross_entropy(log_probs / t, labels)) for t in tried])
    ]


def test_u_herding_counts_doubt_at_the_best_temperature(monkeypatch):
    monkeypatch.setattr(distances, "SIDE", 7)
    signals = make_signals(parse("u_herding").needs, seed=3)
    probs = torch.softmax(given(signals.log_probs).double() / temperature(signals), dim=1)
    top = probs.topk(2, dim=1).values
    width = torch.pdist(directions(signals.labelled)).min().item()
    assert smallest_distance(directions(signals.labelled).float()) == pytest.approx(
        width, rel=1e-3
    )
    wanted, gains = greedy(signals, 1 - (top[:, 0] - top[:, 1]), width, 8)
    chosen = query("u_herding", signals, 8)
    assert np.searchsorted(signals.candidates, chosen.indices).tolist() == wanted
    np.testing.assert_allclose(chosen.scores, gains, rtol=1e-2)


def test_the_kernel_has_normal_numbers_alone():
    """Numbers that are not normal, of distances some ten times the width, are slow to compute with."""
    squared = torch.linspace(0, 4, 1000)
    for width in (1e-3, 0.13, 0.2, 1.0):
        near = gaussian(width)(squared)
        assert near.min() > 1e6 * torch.finfo(torch.float32).tiny
        wanted = torch.exp(-squared.double() / width**2)
        torch.testing.assert_close(near.double(), wanted, rtol=1e-4, atol=1e-25)


def test_of_many_candidates_a_random_part_takes_part():
    signals = make_signals(parse("max_herding").needs)
    found = {tuple(query("max_herding:most=10", signals, 3, seed).indices) for seed in range(6)}
    assert len(found) > 1
    assert len(set(query("max_herding:most=10", signals, 30).indices.tolist())) == 30


def test_copies_among_the_labelled_do_not_make_the_kernel_vanish():
    assert smallest_distance(torch.ones(4, 3)) == 1.0
    pair = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert smallest_distance(pair) == pytest.approx(2**0.5)


def test_what_covers_nothing_more_is_chosen_last_and_once():
    signals = make_signals(parse("max_herding").needs, 20)
    of = torch.arange(20) // 10
    same = Signals(
        signals.candidates,
        pool_features=given(signals.pool_features)[of],
        labelled=signals.labelled,
    )
    chosen = query("max_herding", same, 20)
    assert sorted(chosen.indices) == signals.candidates.tolist()
    assert (chosen.scores[2:] < 1e-6).all()


@pytest.mark.parametrize("text", ["max_herding:width=0", "max_herding:most=0", "u_herding:most=0"])
def test_options_out_of_range_are_refused(text):
    with pytest.raises(SpecError, match="must be"):
        parse(text)
