"""The contract that every registered strategy keeps."""

import contextlib
import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from alray.errors import ScoreError
from alray.strategies import STRATEGIES, ScoreStrategy, Stochastic, Strategy, canonical, parse
from alray.strategies.scores import entropy, summarise_committee
from alray.strategies.signals import Committee, Signals
from tests.helpers.scoring import SIGNAL_NAMES
from tests.helpers.strategy_cases import (
    CASES,
    CLASSES,
    DRAWING,
    K,
    N,
    choices,
    make_signals,
    undefined,
)

RANGES = {
    "least_confidence": (0, 1 - 1 / CLASSES),
    "margin": (0, 1),
    "product_margin": (0, 1),
    "entropy": (0, math.log(CLASSES)),
    "bald": (0, math.log(CLASSES)),
    "learning_loss": (-math.inf, math.inf),
    "ideal_loss": (0, math.inf),
    "reverse_ideal_loss": (0, math.inf),
    "density": (0, math.log(CLASSES)),
}
"""Limits of the scores, which are the same for a committee."""
SCORING = [text for text in CASES if isinstance(parse(text), ScoreStrategy)]
BY_RANK = [text for text in SCORING if text not in DRAWING]
"""Strategies that take the best scores."""
RANDOM = (
    *DRAWING,
    "random",
    "badge",
    "cluster_margin",
    "typiclust",
    "probcover",
    "drop_query",
    "alfa_mix",
)
"""Strategies that draw."""
BETWEEN_EQUALS = ("galaxy",)
"""Strategies that draw between equally good objects alone, of which there are always some."""
QUICK = {"batch_bald": "batch_bald:samples=500"}
"""Options by which a strategy takes a third of the time for the same steps: all configurations, then drawn ones."""
BY_THE_NETWORK = [text for text in CASES if parse(text).needs.anything]
BY_LABELLED = ("bait", "coreset", "u_herding", "alfa_mix", "galaxy", "best_of_batches")
"""Strategies that use what the network makes of labelled objects."""
WITH_LABELLED = [text for text in CASES if parse(text).needs.of_labelled is not None]
every_strategy = pytest.mark.parametrize("text", CASES)
scoring_strategies = pytest.mark.parametrize("text", SCORING)
strategies_by_rank = pytest.mark.parametrize("text", BY_RANK)


def select(text, signals=None, k=K, seed=0):
    strategy = parse(text)
    shown = make_signals(strategy.needs) if signals is None else signals
    return strategy.select(shown, k, np.random.default_rng(seed))


def scoring(text) -> ScoreStrategy:
    strategy = parse(text)
    assert isinstance(strategy, ScoreStrategy)
    return strategy


def permuted(signals, order):
    """Return the same objects in another order; a shortlist has them all."""
    changed: dict[str, Any] = {
        name: value[order]
        for name in (*SIGNAL_NAMES, "pool_features", "dropped_classes")
        if (value := getattr(signals, name)) is not None
    }
    changed["side_log_probs"] = {
        head: values[order] for head, values in signals.side_log_probs.items()
    }
    if signals.shortlist is not None:
        changed["shortlist"] = permuted(signals.shortlist, order)
    return dataclasses.replace(signals, candidates=signals.candidates[order], **changed)


@every_strategy
def test_it_is_a_frozen_dataclass_with_a_docstring(text):
    strategy: Any = parse(text)
    named = strategy.of if isinstance(strategy, Stochastic) else strategy
    assert type(named) is STRATEGIES[text.partition(":")[0]]
    assert isinstance(strategy, Stochastic) is (text in DRAWING)
    assert isinstance(parse(text), Strategy)
    assert type(strategy).__doc__
    assert canonical(text) == text
    assert strategy == parse(text)
    assert hash(strategy) == hash(parse(text))
    for field in dataclasses.fields(strategy):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(strategy, field.name, None)


@every_strategy
@pytest.mark.parametrize(("n", "k", "classes"), [(N, K, CLASSES), (N, N, 3), (N, 1, 2), (1, 1, 2)])
def test_it_chooses_k_distinct_candidates(text, n, k, classes):
    signals = make_signals(parse(text).needs, n, classes)
    query = select(text, signals, k)
    assert query.indices.shape == query.scores.shape == (k,)
    assert len(np.unique(query.indices)) == k
    assert np.isin(query.indices, signals.candidates).all()
    assert np.issubdtype(query.indices.dtype, np.integer)
    assert query.scores.dtype == np.float64


def test_the_same_seed_chooses_the_same_in_a_fresh_process_too():
    command = [sys.executable, "-m", "tests.helpers.strategy_cases"]
    printed = subprocess.run(
        command, capture_output=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert json.loads(printed.stdout) == choices() == choices()


@every_strategy
def test_another_seed_matters_only_for_random_choice(text):
    orders = {tuple(select(text, seed=seed).indices.tolist()) for seed in range(5)}
    if text in BETWEEN_EQUALS:
        assert 1 < len(orders) <= 5
    else:
        assert len(orders) == (5 if text in RANDOM else 1)


@every_strategy
def test_ties_are_broken_at_random(text):
    """Where all objects are alike, each of 60 is among the 12 in a fifth of 60 draws."""
    text = QUICK.get(text, text)
    alike = permuted(make_signals(parse(text).needs), np.zeros(N, dtype=np.int64))
    signals = dataclasses.replace(alike, candidates=np.arange(N))
    if alike.shortlist is not None:
        shortlist = dataclasses.replace(alike.shortlist, candidates=np.arange(N))
        signals = dataclasses.replace(signals, shortlist=shortlist)
    taken = np.zeros(N)
    for seed in range(60):
        taken[select(text, signals, seed=seed).indices] += 1
    # Five standard deviations of a binomial; that one of 60 is never taken has a chance of one in ten thousand.
    assert np.abs(taken - 12).max() < 5 * math.sqrt(60 * 0.2 * 0.8)
    assert taken.min() > 0


@strategies_by_rank
def test_the_best_come_first_with_their_scores(text):
    strategy = scoring(text)
    signals = make_signals(strategy.needs)
    scores = strategy.score(signals).double().numpy()
    query = select(text, signals)
    positions = np.searchsorted(signals.candidates, query.indices)
    assert query.scores.tolist() == scores[positions].tolist()
    sign = -1 if strategy.largest else 1
    assert query.scores.tolist() == (sign * np.sort(sign * scores)[:K]).tolist()


@scoring_strategies
def test_permuting_the_pool_permutes_the_scores(text):
    strategy = scoring(text)
    signals = make_signals(strategy.needs)
    order = np.random.default_rng(1).permutation(N)
    moved = permuted(signals, order)
    torch.testing.assert_close(strategy.score(moved), strategy.score(signals)[order])
    if text in DRAWING:
        return
    assert select(text, moved).indices.tolist() == select(text, signals).indices.tolist()


@scoring_strategies
def test_scores_stay_in_their_range(text):
    strategy = scoring(text)
    low, high = RANGES[text.partition(":")[0].removeprefix("committee_")]
    assert strategy.lowest == (low if math.isfinite(low) else None)
    for seed in range(20):
        scores = strategy.score(make_signals(strategy.needs, seed=seed))
        assert (scores >= low).all()
        # Probabilities are float32.
        assert (scores <= high + 1e-6).all()


@scoring_strategies
def test_needs_names_the_signals_it_uses_and_no_others(text):
    strategy = scoring(text)
    assert strategy.needs.anything
    signals = make_signals(strategy.needs)
    given = [name for name in SIGNAL_NAMES if getattr(signals, name) is not None]
    assert given
    used = []
    for name in given:
        without: dict[str, Any] = {name: None}
        with contextlib.suppress(RuntimeError):
            strategy.score(dataclasses.replace(signals, **without))
            continue
        used.append(name)
    # A committee is one signal in two parts, of which some strategies use one.
    given = [name for name in given if name != "committee_mean_entropy" or name in used]
    assert used == given


@pytest.mark.parametrize("text", WITH_LABELLED)
def test_it_asks_no_more_of_labelled_objects_than_it_uses(text):
    signals = make_signals(parse(text).needs)
    assert signals.labelled is not None
    select(text, signals)
    for name in (*SIGNAL_NAMES, "pool_features"):
        if getattr(signals.labelled, name) is not None:
            without: dict[str, Any] = {name: None}
            labelled = dataclasses.replace(signals.labelled, **without)
            with pytest.raises(RuntimeError, match="does not name"):
                select(text, dataclasses.replace(signals, labelled=labelled))


def test_random_choice_needs_no_signals_and_has_no_scores():
    assert not parse("random").needs.anything
    assert np.isnan(select("random").scores).all()


@every_strategy
def test_oracles_use_labels_and_a_predicted_loss_is_trained_for(text):
    strategy = parse(text)
    assert strategy.oracle == (strategy.needs.true_loss or strategy.needs.trial_loss)
    assert (strategy.loss_prediction is not None) == strategy.needs.predicted_loss


@every_strategy
def test_committees_are_those_of_the_options(text):
    committee = parse(text).needs.committee
    expected = {
        "bald:members=2:committee=heads": Committee(2, "heads"),
        "committee_margin:committee=both": Committee(10, "both"),
        "density:score=bald:members=20": Committee(20),
    }
    is_committee = any(word in text for word in ("committee", "bald", "epig"))
    assert committee == expected.get(text, Committee() if is_committee else None)


CERTAIN, DOUBTFUL = 7, 23
"""Two objects that stand out: the model is right and certain about one, and undecided about the other."""


def telling_signals():
    """Return signals by which every strategy should choose the same object first, `reverse_ideal_loss` the other."""
    members = torch.log_softmax(torch.eye(CLASSES)[torch.zeros(2, N, dtype=torch.int64)] * 3, 2)
    members[:, CERTAIN] = torch.log_softmax(torch.eye(CLASSES)[0] * 12, 0)
    # Each member is rather certain of another class, and their mean is undecided.
    members[0, DOUBTFUL] = torch.log(torch.tensor([0.48, 0.48, 0.02, 0.02]))
    members[1, DOUBTFUL] = torch.log(torch.tensor([0.02, 0.02, 0.48, 0.48]))
    alone = members[0].clone()
    alone[DOUBTFUL] = -math.log(CLASSES)
    loss = torch.ones(N)
    loss[CERTAIN], loss[DOUBTFUL] = 0.0, 2.0
    return Signals(
        np.arange(N),
        log_probs=alone,
        committee_log_mean=summarise_committee(members)[0],
        committee_mean_entropy=entropy(members).mean(dim=0),
        predicted_loss=loss,
        true_loss=loss,
    )


@strategies_by_rank
def test_it_prefers_the_right_end(text):
    expected = CERTAIN if text == "reverse_ideal_loss" else DOUBTFUL
    assert select(text, telling_signals(), k=1).indices.tolist() == [expected]


@pytest.mark.parametrize("text", DRAWING)
def test_what_draws_prefers_the_right_end_too_and_records_the_scores(text):
    """All directions are alike, so density is 1. At random each object would come first in 5 of 300 draws."""
    signals = dataclasses.replace(telling_signals(), features=torch.ones(N, 3))
    scores = scoring(text).score(signals).double().numpy()
    firsts = []
    for seed in range(300):
        query = select(text, signals, k=1, seed=seed)
        assert query.scores[0] == scores[query.indices[0]]
        firsts.append(query.indices[0])
    counts = np.bincount(firsts, minlength=N)
    # The weakest preference is that of a predicted loss of 2 to 1 and 0: 13 draws, beside 5 and 2.
    assert counts[DOUBTFUL] > counts[CERTAIN]
    assert counts[DOUBTFUL] > np.median(counts)


@pytest.mark.parametrize("rows", [[3], range(N)], ids=["one row", "all rows"])
@pytest.mark.parametrize("text", BY_THE_NETWORK)
def test_outputs_of_the_network_that_are_no_numbers_are_refused(text, rows):
    signals = undefined(make_signals(parse(text).needs), list(rows))
    with pytest.raises(ScoreError, match=r"not finite.*try a smaller training.lr"):
        select(text, signals)


@pytest.mark.parametrize("text", BY_LABELLED)
def test_so_are_those_of_labelled_objects(text):
    signals = make_signals(parse(text).needs)
    assert signals.labelled is not None
    labelled = undefined(signals.labelled, [3])
    with pytest.raises(ScoreError, match=r"not finite.*try a smaller training.lr"):
        select(text, dataclasses.replace(signals, labelled=labelled))
