"""DropQuery against its definition, on planted disagreement and planted clusters."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from alray.errors import ScoreError, SpecError
from alray.scoring.further_signals import with_further
from alray.seeding import generator
from alray.strategies import parse
from alray.strategies.base import given
from alray.strategies.clusters import spread
from alray.strategies.signals import Signals
from tests.helpers.builders import one_run
from tests.helpers.experiments import POOL, complete


def query(signals, k, seed=0, text="drop_query"):
    return parse(text).select(signals, k, np.random.default_rng(seed))


def make(changes, features, times=3):
    """Return signals of objects of predicted class 1, of which so many predictions with inputs dropped differ."""
    n = len(changes)
    log_probs = torch.log(torch.tensor([0.2, 0.5, 0.3])).repeat(n, 1)
    dropped = torch.ones(n, times, dtype=torch.int64)
    for each, count in enumerate(changes):
        dropped[each, times - count :] = each % 2 * 2
    return Signals(
        np.arange(n) + 100, log_probs=log_probs, pool_features=features, dropped_classes=dropped
    )


def directions(groups, seed=0):
    """Return features near one of some directions, at any distance from zero."""
    rng = np.random.default_rng(seed)
    centres = np.linalg.qr(rng.normal(size=(8, 8)))[0][: max(groups) + 1]
    x = centres[groups] + 0.01 * rng.normal(size=(len(groups), 8))
    return torch.from_numpy(x * rng.uniform(1, 50, (len(groups), 1))).float()


@pytest.mark.parametrize(
    ("times", "numbers", "bar"),
    [
        (3, {3: 20, 2: 30, 1: 40, 0: 9}, 2),
        (3, {3: 20, 2: 29, 1: 40, 0: 9}, 1),
        (3, {3: 1, 2: 1, 1: 1, 0: 90}, 1),
        (4, {4: 20, 3: 30, 2: 40}, 3),
        (4, {4: 20, 3: 29, 2: 40, 1: 9}, 2),
        (4, {4: 20, 3: 1, 2: 28, 1: 9, 0: 60}, 1),
        (1, {1: 50, 0: 20}, 1),
    ],
)
def test_candidates_change_in_more_than_half_or_as_often_as_25_for_each_wanted_do(
    times, numbers, bar, monkeypatch
):
    """Two objects are wanted; `numbers` says how many objects change so often."""
    counts = [count for count, number in numbers.items() for _ in range(number)]
    clustered = []

    def spy(x, count, rng):
        clustered.extend(x[:, 0].int().tolist())
        return spread(x, count, rng)

    monkeypatch.setattr("alray.strategies.clusters.spread", spy)
    places = torch.arange(len(counts)).float()
    signals = make(counts, torch.stack([places, torch.ones(len(counts))], dim=1), times)
    query(signals, 2, text=f"drop_query:times={times}")
    assert clustered == [each for each, count in enumerate(counts) if count >= bar]


@pytest.mark.parametrize("k", [18, 19, 20, 40])
def test_what_changes_is_taken_where_it_is_less_than_wanted(k):
    signals = make([3] * 19 + [0] * 981, torch.randn(1000, 8))
    others = set()
    for seed in range(5):
        chosen = query(signals, k, seed)
        assert len(set(chosen.indices.tolist())) == k
        assert int((chosen.indices < 119).sum()) == min(k, 19)
        assert chosen.scores.tolist() == [1.0] * min(k, 19) + [0.0] * max(0, k - 19)
        others |= set(chosen.indices[19:].tolist())
    # Of 981 five draws have hardly one in common.
    assert len(others) >= 4 * max(0, k - 19)


def test_one_of_each_cluster_of_directions():
    groups = np.repeat(np.arange(4), (40, 20, 10, 5))
    signals = make([3] * 75, directions(groups))
    for seed in range(4):
        assert sorted(groups[query(signals, 4, seed).indices - 100]) == [0, 1, 2, 3]


def test_the_object_nearest_to_each_centre():
    x = directions(np.repeat(np.arange(3), (20, 15, 10)))
    unit = torch.nn.functional.normalize(x.double(), dim=1)
    chosen = spread(x, 3, np.random.default_rng(0))
    wanted = set()
    for part in torch.split(torch.arange(45), [20, 15, 10]):
        apart = (unit[part] - unit[part].mean(0)).norm(dim=1)
        wanted.add(int(part[apart.argmin()]))
    assert set(chosen.tolist()) == wanted


def test_equal_features_are_distinct_objects_all_the_same():
    for k in (1, 5, 30):
        signals = make([3] * 30, torch.ones(30, 4))
        assert len(set(query(signals, k).indices.tolist())) == k
    alike = {
        int(query(make([3] * 30, torch.ones(30, 4)), 1, seed).indices[0]) for seed in range(60)
    }
    assert len(alike) > 15


def test_scores_are_the_shares_of_predictions_that_change():
    chosen = query(make([3, 2, 3, 0], torch.randn(4, 3)), 4)
    shares = {100: 1.0, 101: 2 / 3, 102: 1.0, 103: 0.0}
    assert chosen.scores.tolist() == [shares[int(each)] for each in chosen.indices]


def test_undefined_probabilities_are_refused_by_name():
    signals = make([3] * 6, torch.randn(6, 3))
    log_probs = torch.full((6, 3), torch.nan)
    with pytest.raises(ScoreError, match="log-probabilities of 6 of 6 objects are not"):
        query(replace(signals, log_probs=log_probs), 2)


@pytest.mark.parametrize("option", ["times=0", "rate=0", "rate=1", "rate=nan"])
def test_options_that_cannot_be_are_refused(option):
    with pytest.raises(SpecError, match=option.partition("=")[0]):
        parse(f"drop_query:{option}")


def test_a_run_draws_masks_anew_each_round_by_a_purpose_of_its_own(monkeypatch):
    seen = []

    def spy(*arguments):
        state = arguments[-1].bit_generator.state
        seen.append((with_further(*arguments), state))
        return seen[-1][0]

    monkeypatch.setattr("alray.studies.rounds.choosing.with_further", spy)
    run = one_run(POOL, strategies=["drop_query:times=2"])
    complete(run)
    assert len(seen) == run.rounds == 3
    for number, (signals, state) in enumerate(seen, start=1):
        assert given(signals.dropped_classes).shape == (len(signals.candidates), 2)
        expected = generator(run.study_seed, run.seed, "input_dropout", number)
        assert repr(state) == repr(expected.bit_generator.state)
    assert len({repr(state) for _, state in seen}) == 3
