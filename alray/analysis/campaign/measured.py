"""The audit part's objects, and which of them each batch's network gets right: what a forecast is made from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from alray.analysis.campaign.accuracy import group_codes, right_of


@dataclass(frozen=True, eq=False)
class Measured:
    """Networks of a campaign on the same objects.

    Attributes:
        labels: (point,) labels that the networks have learnt from, rising.
        right: (object, point) the probability that a network is right, by the answers.
        groups: (object,) number of the group.
    """

    labels: Float[np.ndarray, " point"]
    right: Float[np.ndarray, "object point"]
    groups: Int[np.ndarray, " object"]


def measured(
    predictions: Mapping[int, pd.DataFrame],
    labels: Mapping[int, int],
    truth: Mapping[str, Mapping[str, float]],
    groups: Mapping[str, str],
) -> Measured:
    """Return all networks on the objects that each of them has predicted and that have answers.

    Of networks that have learnt from as many labels, as where nothing was answered between, the last one counts.

    Args:
        predictions: Batch: a row per object of the audit part, with `id` and `predicted`; none without a fit.
        labels: Batch: labels learnt from.
        truth: Id: the probability of each class by the answers.
        groups: Id: group.
    """
    last = {labels[batch]: batch for batch in sorted(predictions) if len(predictions[batch])}
    order = [last[number] for number in sorted(last)]
    tables = [
        dict(zip(p["id"], p["predicted"], strict=True))
        for p in map(predictions.get, order)
        if p is not None
    ]
    ids = [each for each in tables[-1] if all(each in table for table in tables)] if tables else []
    ids = [each for each in ids if each in truth]
    right = [right_of(ids, [table[each] for each in ids], truth) for table in tables]
    return Measured(
        np.array(sorted(last), dtype=np.float64),
        np.stack(right, axis=1) if right else np.empty((0, 0)),
        group_codes(ids, groups),
    )
