"""A campaign's choice from a pool that stays in its files: by the same rules as `alray.choose`."""

from collections.abc import Callable

import numpy as np

from alray.errors import SpecError
from alray.pools.objects import some_objects
from alray.pools.open_parts import OpenParts
from alray.pools.pool import Indices
from alray.strategies import Query
from alray.studies.campaign.at_hand import AtHand
from alray.studies.campaign.fitting import Learnt
from alray.studies.campaign.loading import Loaded
from alray.studies.choosing.choice import Choice
from alray.studies.choosing.rule import SHORTLIST, ChoiceSeed
from alray.studies.choosing.trained import TrainedNetwork
from alray.studies.choosing.work import ChoiceOptions, Choosing, LabelledObjects
from alray.studies.rounds.round_draws import RoundDraws
from alray.training.learner import Learner

Chooser = Callable[[Choosing], Choice]
"""Chooses from a pool in parts, in this process or on a cluster."""


def not_in_parts(_: Choosing) -> Choice:
    """Refuse: nothing was said of how parts are read."""
    raise SpecError(
        "this campaign reads its pool in parts: choose its next batch with alray.Campaign.next"
    )


def choose_in_parts(
    hand: AtHand,
    features: OpenParts,
    k: int,
    by: tuple[Learner, Loaded, Learnt],
    draws: RoundDraws,
    chooser: Chooser,
) -> Query:
    """Return the strategy's choice of k candidates of a pool that stays in its files.

    Args:
        hand: What is known.
        features: The pool's.
        k: How many.
        by: The network after the fit, the objects that were loaded for it, and what it has learnt from, by positions
            among these.
        draws: The batch's generators.
        chooser: Who reads the pool.
    """
    ids = hand.pool.known.ids
    learner, loaded, learnt = by
    barred = np.ones(len(ids), np.bool_)
    barred[hand.parts.candidates] = False
    spec = hand.spec
    trained = TrainedNetwork.of(
        learner, spec.model, len(hand.classes), loaded.modalities, spec.pool.dtype
    )
    labelled = LabelledObjects(
        tuple(some_objects(each, learnt.objects) for each in loaded.read),
        learnt.posterior.argmax(1),
    )
    options = ChoiceOptions(
        labelled=labelled,
        shortlist=max(SHORTLIST, k),
        seed=ChoiceSeed(draws.run.study_seed, draws.round),
    )
    candidates = features.without([str(each) for each in ids[barred]])
    chosen = chooser(Choosing(candidates, trained, draws.run.strategy, k, options))
    return Query(hand.parts.rows([str(each) for each in chosen.ids]), chosen.scores)


def compared_in_parts(hand: AtHand, k: int, rng: np.random.Generator) -> Indices:
    """Return the candidates that are compared to choose k to begin with: some at random of many, or none.

    Args:
        hand: What is known.
        k: How many are to be chosen.
        rng: Draws.
    """
    candidates = hand.parts.candidates
    if hand.spec.initial_selection == "random" or not k:
        return candidates[:0]
    most = max(SHORTLIST, k)
    if len(candidates) <= most:
        return candidates
    return np.sort(rng.choice(candidates, size=most, replace=False))
