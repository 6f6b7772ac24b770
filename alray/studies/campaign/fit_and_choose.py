"""A batch's fit, and the choice by it: the strategy's, or what there is to begin with before it can choose."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from alray.networks.tensors import PoolTensors, side_by_side
from alray.networks.threads import threads
from alray.pools.open_parts import OpenParts
from alray.pools.pool import Indices
from alray.strategies import parse
from alray.strategies.checking import check_query
from alray.strategies.cold_start import spread_out
from alray.studies.campaign.at_hand import AtHand
from alray.studies.campaign.choosing_in_parts import Chooser, choose_in_parts, compared_in_parts
from alray.studies.campaign.fitting import Learnt, fit, known_of, network_file
from alray.studies.campaign.loading import Loaded, load
from alray.studies.campaign.predicting import MOST_PREDICTED, predicted_rows
from alray.studies.rounds.choosing import ToChooseBy, choose
from alray.studies.rounds.record import Record
from alray.studies.rounds.round_draws import RoundDraws
from alray.training.learner import Learner

Scores = npt.NDArray[np.float64]

Picked = tuple[str, Indices, Scores, str]
"""Purpose, (k,) objects, (k,) scores, and what chose them."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """What a fit gave.

    Attributes:
        picked: The objects.
        by_strategy: Whether the strategy chose them.
        record: Columns of `rounds`: of the fit, and what stopping rules go by.
        predictions: What the network predicts for the audit part.
        network: The network's file, None without one.
    """

    picked: Picked
    by_strategy: bool
    record: Record
    predictions: list[Record]
    network: bytes | None


def fit_and_choose(
    hand: AtHand, k: int, draws: RoundDraws, before: pd.DataFrame, chooser: Chooser
) -> Chosen:
    """Fit a network on what there is to learn from, if that is enough, and choose k objects.

    Args:
        hand: What is known.
        k: How many, at most as many as there are candidates.
        draws: The batch's generators.
        before: What the network of the batch before predicted.
        chooser: Who reads a pool that stays in its files.
    """
    learnt, begin = hand.learnt, draws.numpy("initial")
    by_strategy = learnt.enough and len(learnt.objects) >= draws.run.initial
    compared = hand.parts.candidates
    if isinstance(hand.pool.features, OpenParts):
        compared = compared[:0] if by_strategy else compared_in_parts(hand, k, begin)
    needed = [compared]
    if learnt.enough:
        needed += [learnt.objects, hand.parts.in_order(MOST_PREDICTED)]
    learner, record = None, {"train_loss": math.nan, "epochs": None}
    with threads(hand.spec.threads):
        loaded = load(hand, np.concatenate(needed))
        tensors = PoolTensors(loaded.pool)
        here = replace(learnt, objects=loaded.at(learnt.objects))
        if learnt.enough:
            learner, record = fit(draws.run, tensors, known_of(here), draws)
        if by_strategy and learner is not None:
            picked = _by_strategy(hand, k, (learner, loaded, tensors, here), draws, chooser)
        else:
            features = compared, loaded.at(compared), tensors
            picked = _to_begin(hand, k, features, begin)
        predictions, stops = predicted_rows(learner, tensors, loaded, hand, before, draws)
    network = None if learner is None else network_file(learner, hand.classes)
    return Chosen(picked, by_strategy, record | stops, predictions, network)


def _by_strategy(
    hand: AtHand,
    k: int,
    by: tuple[Learner, Loaded, PoolTensors, Learnt],
    draws: RoundDraws,
    chooser: Chooser,
) -> Picked:
    """Return the strategy's choice."""
    candidates, name = hand.parts.candidates, draws.run.strategy_options
    strategy = parse(draws.run.strategy)
    if not k:
        return "strategy", candidates[:0], np.empty(0), name
    learner, loaded, tensors, learnt = by
    features = hand.pool.features
    if isinstance(features, OpenParts):
        query = choose_in_parts(hand, features, k, (learner, loaded, learnt), draws, chooser)
    else:
        all_known = ToChooseBy(learner, tensors, known_of(learnt), learnt.objects)
        with draws.seeded("strategy"):
            query = choose(strategy, all_known, candidates, k, draws)
    check_query(strategy, query, candidates, k)
    return "strategy", query.indices, np.asarray(query.scores, float), name


@torch.no_grad()
def _to_begin(
    hand: AtHand,
    k: int,
    compared: tuple[Indices, Indices, PoolTensors],
    rng: np.random.Generator,
) -> Picked:
    """Return objects to begin with, for which no network is asked.

    Args:
        hand: What is known.
        k: How many.
        compared: Those that are compared, by their positions in the pool and in the tensors, and these.
        rng: Draws.
    """
    kind, candidates = hand.spec.initial_selection, hand.parts.candidates
    if not k:
        chosen = candidates[:0]
    elif kind == "random":
        chosen = rng.choice(candidates, size=k, replace=False)
    else:
        objects, positions, tensors = compared
        chosen = objects[spread_out(kind, side_by_side(tensors.batch(positions)), k, rng)]
    return "initial", chosen, np.full(len(chosen), np.nan), kind
