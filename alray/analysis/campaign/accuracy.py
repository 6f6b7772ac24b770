"""Accuracy on the audit part: of each batch's network, on all answers about it that are known by now."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from alray.statistics.proportion import Proportion, grouped_share

FEWEST = 10
"""Objects of the audit part from which on an interval holds as often as it says."""


def accuracy_of(
    predictions: pd.DataFrame,
    truth: Mapping[str, Mapping[str, float]],
    groups: Mapping[str, str] | None = None,
) -> tuple[int, Proportion]:
    """Return how many objects of the audit part have both, and the share of them that a network gets right.

    An object on which assessors are divided counts as right by the probability of the predicted class.

    Args:
        predictions: A row per object of the audit part, with `id` and `predicted`.
        truth: Id: the probability of each class by the answers, of asked objects of the audit part.
        groups: Id: group, of objects that are drawn together with others.
    """
    rows = predictions[predictions["id"].isin(truth.keys())]
    right = np.array(
        [
            truth[each].get(predicted, 0.0)
            for each, predicted in zip(rows["id"], rows["predicted"], strict=True)
        ],
        dtype=np.float64,
    )
    codes = None if not groups else _codes(rows["id"].tolist(), groups)
    return len(rows), grouped_share(right, codes)


def _codes(ids: Sequence[str], groups: Mapping[str, str]) -> np.ndarray:
    names = [f"group {groups[each]}" if each in groups else f"object {each}" for each in ids]
    return np.asarray(pd.factorize(pd.Series(names, dtype=object))[0], dtype=np.int64)
