"""Labels saved along the whole curve: at many target accuracies, and at quarters of the budget."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from alray.analysis.sweep.arms import Pair
from alray.statistics.curves import (
    Curves,
    Labels,
    LabelSaving,
    label_saving,
    label_saving_at_budget,
    labels_needed,
    monotone,
)

TARGETS = 40
SHARES = (0.25, 0.5, 0.75, 1.0)
SAVINGS = (
    *("arm", "against", "accuracy", "random_labels", "arm_labels", "saving", "low", "high"),
    *("reached", "censored", "pool_share_random", "pool_share_arm", "seeds", "exploratory"),
)
MILESTONES = (
    *("arm", "against", "share", "accuracy", "random_labels", "arm_labels"),
    *("saving", "low", "high", "seeds", "exploratory"),
)


def saving_at_budget(pair: Pair) -> LabelSaving | None:
    """Return the label saving at the end of the curves; None without accuracy or without a common seed."""
    if "accuracy" not in pair.metrics:
        return None
    return label_saving_at_budget(pair.labels, *pair.curves("accuracy"))


def savings(pairs: Iterable[Pair], pool_size: int | None) -> pd.DataFrame:
    """Return the label saving at target accuracies, equally spaced up to the highest that random's curve reaches.

    The curve is random's monotone mean over the paired seeds; it is left where it starts. Each interval is that of
    `curves.label_saving`, for the accuracy that random has with `random_labels`. So read it at "where random needs N
    labels": in simulations with 6 seeds it covers 94 to 98 % of those savings, from the first target to the last. As
    a statement about a fixed accuracy it leaves out how uncertain N is, and covers less where all curves start at an
    uncertain height. Intervals hold for one target at a time.

    Args:
        pairs: Arms with their random arms; one without accuracy, or with a value that is not finite, has no row.
        pool_size: Objects in the pool's train part.
    """
    rows = [
        _row(pair, label_saving(pair.labels, *pair.curves("accuracy"), random_labels))
        for pair in pairs
        if _usable(pair)
        for random_labels in target_labels(pair.labels, pair.curves("accuracy")[1])
    ]
    table = pd.DataFrame(rows, columns=list(SAVINGS))
    size = math.nan if pool_size is None else pool_size
    return table.assign(
        pool_share_random=table["random_labels"] / size, pool_share_arm=table["arm_labels"] / size
    )


def milestones(pairs: Iterable[Pair]) -> pd.DataFrame:
    """Return the label saving at the accuracies that random has with quarters of its budget.

    The budget is the last label count; a quarter before the first one has nulls.
    """
    rows = [
        {**_row(pair, _at_share(pair, share)), "share": share}
        for pair in pairs
        if _usable(pair)
        for share in SHARES
    ]
    return pd.DataFrame(rows, columns=list(MILESTONES))


def saving_columns(saved: LabelSaving) -> dict[str, float]:
    """Return the columns of a label saving that all frames of savings have in common."""
    return {
        "accuracy": saved.accuracy,
        "random_labels": saved.random_labels,
        "saving": saved.saving.estimate,
        "low": saved.saving.low,
        "high": saved.saving.high,
    }


def target_labels(labels: Labels, random: Curves) -> list[float]:
    """Return the labels with which random's monotone mean curve reaches equally spaced accuracies."""
    curve = monotone(random.mean(axis=0))
    if curve[0] == curve[-1]:
        return []
    targets = np.linspace(curve[0], curve[-1], TARGETS + 1)[1:-1]
    # Its end is a plateau: as in `label_saving_at_budget`, it is known best at the budget.
    needed = (labels_needed(labels, curve, float(target)) for target in targets)
    return [*needed, float(labels[-1])]


def _at_share(pair: Pair, share: float) -> LabelSaving | None:
    random_labels = share * float(pair.labels[-1])
    if random_labels < pair.labels[0]:
        return None
    return label_saving(pair.labels, *pair.curves("accuracy"), random_labels)


def _usable(pair: Pair) -> bool:
    if "accuracy" not in pair.metrics or len(pair.labels) == 1:
        return False
    return all(bool(np.isfinite(curves).all()) for curves in pair.curves("accuracy"))


def _row(pair: Pair, saved: LabelSaving | None) -> dict[str, Any]:
    named = {
        "arm": pair.arm.name,
        "against": pair.reference.name,
        "seeds": len(pair.seeds),
        "exploratory": pair.exploratory,
    }
    if saved is None:
        return named
    return {
        **named,
        **saving_columns(saved),
        "arm_labels": (1 - saved.saving.estimate) * saved.random_labels,
        "reached": saved.reached,
        "censored": saved.saving.low == -math.inf,
    }
