"""The signals of the strategies' contract tests; run as a module it prints each strategy's choice from them."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from alray.strategies import STRATEGIES, parse
from alray.strategies.scores import entropy, summarise_committee, true_loss
from alray.strategies.signals import LastLayer, Request, Signals

DRAWING = (
    "margin:stochastic=softrank",
    "bald:stochastic=power",
    "learning_loss:stochastic=softmax",
    "density:stochastic=power",
    "density:score=committee_entropy:stochastic=softrank",
)
"""Strategies that draw by scores."""
WRAPPING = (
    "density:score=bald:members=20",
    "density:score=learning_loss:weight=2.0",
    "class_balanced:score=committee_margin",
    "class_balanced:score=product_margin",
    "class_balanced:score=reverse_ideal_loss",
)
"""Strategies that go by another one's score."""
CASES = (
    *STRATEGIES,
    "bald:members=2:committee=heads",
    "committee_margin:committee=both",
    *WRAPPING,
    *DRAWING,
)
N, K, CLASSES = 60, 12, 4


def make_signals(needs: Request, n: int = N, classes: int = CLASSES, seed: int = 0) -> Signals:
    """Return random signals, but only those that are needed; candidates differ from their positions."""
    rng = np.random.default_rng(seed)
    candidates = np.sort(rng.permutation(10 * n)[:n])
    members = torch.log_softmax(torch.from_numpy(3 * rng.normal(size=(5, n, classes))).float(), 2)
    log_probs = members[0]
    labels = torch.from_numpy(rng.integers(0, classes, n))
    predicted = torch.from_numpy(rng.normal(size=n)).float()
    asked = needs.committee is not None
    features = torch.from_numpy(rng.normal(size=(n, 6))).float()
    of_targets = torch.log_softmax(
        torch.from_numpy(3 * rng.normal(size=(7, 5, classes))).float(), 2
    )
    labelled = None
    if needs.of_labelled is not None:
        labelled = make_signals(needs.of_labelled, 9, classes, seed + 1000)
        labelled = replace(labelled, labels=torch.from_numpy(rng.integers(0, classes, 9)))
    return Signals(
        candidates,
        log_probs=log_probs if needs.log_probs else None,
        committee_log_mean=summarise_committee(members)[0] if asked else None,
        committee_mean_entropy=entropy(members).mean(dim=0) if asked else None,
        members=members.transpose(0, 1) if needs.members else None,
        shortlist=Signals(candidates, members=members.transpose(0, 1))
        if needs.shortlist
        else None,
        targets=Signals(np.arange(7), members=of_targets) if needs.targets else None,
        predicted_loss=predicted if needs.predicted_loss else None,
        true_loss=true_loss(log_probs, labels) if needs.true_loss else None,
        features=features if needs.features else None,
        side_log_probs=_side_log_probs(n, classes, rng) if needs.side_heads else {},
        labelled=labelled,
        pool_features=2 * features if needs.pool_features else None,
        trial_loss=(lambda _: 1.0) if needs.trial_loss else None,
        dropped_classes=_dropped_classes(needs, n, classes, rng),
        last_layer=_last_layer(classes) if needs.last_layer else None,
    )


def _dropped_classes(
    needs: Request, n: int, classes: int, rng: np.random.Generator
) -> torch.Tensor | None:
    if needs.input_dropout is None:
        return None
    return torch.from_numpy(rng.integers(0, classes, (n, needs.input_dropout.times)))


def _side_log_probs(n: int, classes: int, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """Return those of two heads, of which each object lacks one at most."""
    lacks = rng.integers(0, 3, n)
    found = {}
    for number, name in enumerate(("image", "text")):
        values = torch.log_softmax(torch.from_numpy(rng.normal(size=(n, classes))).float(), 1)
        values[torch.from_numpy(lacks == number)] = torch.nan
        found[name] = values
    return found


def _last_layer(classes: int) -> LastLayer:
    weight = torch.randn(classes, 6, generator=torch.Generator().manual_seed(0))
    return LastLayer(weight, torch.zeros(classes))


def undefined(signals: Signals, rows: list[int]) -> Signals:
    """Return signals whose outputs of the network are NaN at some positions."""
    names = (
        "log_probs",
        "committee_log_mean",
        "committee_mean_entropy",
        "members",
        "predicted_loss",
        "true_loss",
        "features",
    )
    changed: dict[str, Any] = {}
    for name in names:
        value = getattr(signals, name)
        if value is not None:
            changed[name] = value.clone()
            changed[name][rows] = torch.nan
    if signals.shortlist is not None:
        changed["shortlist"] = undefined(signals.shortlist, rows)
    return replace(signals, **changed)


def choices() -> dict[str, list[int]]:
    """Return each strategy's choice."""
    chosen = {}
    for text in CASES:
        strategy = parse(text)
        query = strategy.select(make_signals(strategy.needs), K, np.random.default_rng(0))
        chosen[text] = query.indices.tolist()
    return chosen


if __name__ == "__main__":
    print(json.dumps(choices()))  # noqa: T201 -- read by the process that started this one
