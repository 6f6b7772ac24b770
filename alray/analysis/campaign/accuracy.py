"""Accuracy on the audit part: of each batch's network, on all answers about it that are known by now."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from alray.statistics.proportion import Proportion, grouped_share


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
    ids = rows["id"].tolist()
    right = right_of(ids, rows["predicted"].tolist(), truth)
    codes = None if not groups else group_codes(ids, groups)
    return len(rows), grouped_share(right, codes)


def right_of(
    ids: Sequence[str], predicted: Sequence[str], truth: Mapping[str, Mapping[str, float]]
) -> Float[np.ndarray, " object"]:
    """Return for each object the probability that its predicted class is right, by the answers."""
    both = zip(ids, predicted, strict=True)
    return np.array([truth[each].get(name, 0.0) for each, name in both], dtype=np.float64)


def group_codes(ids: Sequence[str], groups: Mapping[str, str]) -> Int[np.ndarray, " object"]:
    """Return the number of each object's group; an object without one is its own."""
    names = [f"group {groups[each]}" if each in groups else f"object {each}" for each in ids]
    return np.asarray(pd.factorize(pd.Series(names, dtype=object))[0], dtype=np.int64)
