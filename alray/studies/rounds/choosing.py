"""The choice of a round: what a strategy takes of the candidates, by the network as it is."""

from dataclasses import dataclass, replace

import torch

from alray.networks.targets import Known
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring import engine
from alray.scoring.further_signals import with_further
from alray.strategies import Query, Strategy
from alray.strategies.base import is_pointwise
from alray.strategies.signals import Request, Signals
from alray.studies.rounds.round_draws import RoundDraws
from alray.studies.rounds.round_fit import trial_loss
from alray.training.learner import Learner


@dataclass(frozen=True)
class ToChooseBy:
    """What a choice goes by.

    Attributes:
        learner: The network after the last fit.
        pool: The pool.
        known: What there is to learn from.
        labelled: The labelled objects, in the order in which they were labelled.
    """

    learner: Learner
    pool: PoolTensors
    known: Known
    labelled: Indices


def choose(
    strategy: Strategy, by: ToChooseBy, candidates: Indices, k: int, draws: RoundDraws
) -> Query:
    """Return the strategy's choice of k of the (n,) candidates."""
    if not is_pointwise(strategy):
        return strategy.select(
            _signals(strategy, by, candidates, draws), k, draws.numpy("strategy")
        )
    masks, learner = committee_masks(strategy.needs, draws), by.learner
    scores = engine.scores_of(
        strategy, learner.network, by.pool, candidates, masks, learner.predictor
    )
    return strategy.choose(candidates, scores, k, draws.numpy("strategy"))


def committee_masks(needs: Request, draws: RoundDraws) -> torch.Generator | None:
    """Return what draws the members of a committee in a round; None where no committee is needed."""
    return draws.torch("committee") if needs.committee else None


def _signals(
    strategy: Strategy, by: ToChooseBy, candidates: Indices, draws: RoundDraws
) -> Signals:
    """Return the signals that a strategy needs."""
    needs, learner, pool = strategy.needs, by.learner, by.pool
    masks = committee_masks(needs, draws)
    found = Signals(candidates)
    if needs.anything:
        found = engine.score(learner.network, pool, candidates, needs, masks, learner.predictor)
    inputs = draws.numpy("input_dropout")
    found = with_further(found, learner.network, pool, by.known, needs, inputs)
    if not needs.trial_loss:
        return found
    return replace(found, trial_loss=trial_loss(learner, pool, by.labelled, draws))
