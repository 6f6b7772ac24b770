"""Signals of some objects alone: a shortlist of the candidates, and targets drawn from the pool.

What each member of a committee says takes members x classes numbers an object: 500 MB for 250,000 objects, 10 members
and 50 classes, and 1 MB for a shortlist of 500. The members are those of the candidates' pass, since all objects are
scored within one committee.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from alray.pools.pool import Indices
from alray.strategies import scores
from alray.strategies.base import given
from alray.strategies.selection import best
from alray.strategies.signals import Request, Signals

Scorer = Callable[[Indices], Signals]
"""What gives some objects' signals with `members`."""


def with_objects(
    signals: Signals,
    request: Request,
    train: Indices,
    with_members: Scorer,
    generator: torch.Generator | None,
) -> Signals:
    """Return candidates' signals with the shortlist and the targets that are asked for.

    Args:
        signals: With those of the committee.
        request: The request, whose committee is not None.
        train: (n,) objects to draw targets from.
        with_members: Scores them by the committee's members.
        generator: Draws targets and the order of ties.

    Raises:
        ScoreError: The committee's answers are NaN, so that there is no shortlist.
    """
    if generator is None:
        raise ValueError("a shortlist and targets need a generator")
    key = int(torch.randint(2**63 - 1, (), generator=generator))
    rng = np.random.Generator(np.random.Philox(key=key))
    targets: Signals | None = None
    if request.targets:
        number = min(request.targets, len(train))
        targets = with_members(np.sort(rng.choice(train, number, replace=False)))
    shortlist: Signals | None = None
    if request.shortlist:
        shortlist = with_members(_most_disagreed(signals, request.shortlist, rng))
    return replace(signals, targets=targets, shortlist=shortlist)


def _most_disagreed(signals: Signals, number: int, rng: np.random.Generator) -> Indices:
    """Return the candidates, ascending, of which the committee disagrees most."""
    n = len(signals.candidates)
    if n == 0:
        return signals.candidates
    disagreement = scores.bald(
        given(signals.committee_log_mean), given(signals.committee_mean_entropy)
    )
    chosen = best(disagreement.cpu().numpy(), min(number, n), rng, largest=True)
    return signals.candidates[np.sort(chosen)]
