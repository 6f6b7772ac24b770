"""What the network of a batch predicts for the audit part: kept, so that later answers measure it too."""

import numpy as np
import pandas as pd

from alray.networks.network import FUSED
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring.evaluation import predict
from alray.scoring.metrics import LogProbs
from alray.studies.campaign.at_hand import AtHand
from alray.studies.campaign.loading import Loaded
from alray.studies.rounds.record import Record
from alray.studies.rounds.round_draws import RoundDraws
from alray.studies.rounds.stop_set import MOST, NOT_PREDICTED, StopSet
from alray.training.learner import Learner

MOST_PREDICTED = 10_000
"""Objects of the audit part, the first in its order, whose predictions are kept."""


def predicted_rows(
    learner: Learner | None,
    pool: PoolTensors,
    loaded: Loaded,
    hand: AtHand,
    before: pd.DataFrame,
    draws: RoundDraws,
) -> tuple[list[Record], Record]:
    """Return a row for each object of the audit part, and the columns of what stopping rules go by.

    Args:
        learner: The network; without one there are no rows.
        pool: The pool, or some of its objects.
        loaded: Which these are.
        hand: What is known; its classes are those of the network's outputs.
        before: The rows of the batch before.
        draws: The round's generators.
    """
    parts, classes = hand.parts, hand.classes
    objects = parts.in_order(MOST_PREDICTED)
    if learner is None or not len(objects):
        return [], NOT_PREDICTED
    with draws.seeded("dropout"):
        (found,) = predict(learner.network, pool, [loaded.at(objects)], (FUSED,))
    log_probs = np.asarray(found[FUSED])
    best = log_probs.argmax(1)
    ids = {row: each for each, row in parts.row.items()}
    rows: list[Record] = [
        {"id": ids[int(row)], "predicted": classes[code], "probability": float(np.exp(value))}
        for row, code, value in zip(objects, best, log_probs.max(1), strict=True)
    ]
    stops = _stop_columns(rows, log_probs, classes, before, draws)
    return rows, stops


def _stop_columns(
    rows: list[Record],
    log_probs: LogProbs,
    classes: tuple[str, ...],
    before: pd.DataFrame,
    draws: RoundDraws,
) -> Record:
    """Return the columns of the stop set, the first objects of the audit part that were predicted before too."""
    known = dict(zip(before["id"], before["predicted"], strict=True))
    codes = {name: code for code, name in enumerate(classes)}
    common: Indices = np.array(
        [number for number, row in enumerate(rows) if row["id"] in known], dtype=np.int64
    )[:MOST]
    if not len(common):
        return StopSet(draws.run).of([log_probs[:MOST]])
    last = np.array([codes[known[rows[number]["id"]]] for number in common], dtype=np.int64)
    return StopSet(draws.run, last).of([log_probs[common]])
