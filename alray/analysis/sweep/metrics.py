"""The metrics that learning curves are drawn of: which decide, their names in words, and which way is better."""

from collections.abc import Mapping

import pandas as pd

DECIDING = ("accuracy", "macro_f1", "balanced_accuracy", "nll", "rare_recall")
"""Metrics that arms can be compared by, where they were recorded."""

TITLES: Mapping[str, str] = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "balanced_accuracy": "balanced accuracy",
    "nll": "NLL (nats)",
    "ece": "calibration error (ECE)",
    "labelled_classes": "classes with a label",
    "rare_recall": "recall of the rarest classes",
}
"""Metrics in words, with their units."""

LESS_IS_BETTER = frozenset({"nll", "ece"})


def evaluated(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the rounds in which metrics were computed: all but those whose metrics are all null.

    A study with `evaluate_every` has rows of the other rounds too. A frame without metrics stays as it is.
    """
    recorded = [name for name in DECIDING if name in rounds]
    return rounds.dropna(subset=recorded, how="all") if recorded else rounds


def metric_title(metric: str) -> str:
    """Return a metric in words, with its unit."""
    return TITLES.get(metric, metric.replace("_", " "))


def better_sign(metric: str) -> int:
    """Return 1 where a larger value is better, -1 where a smaller one is."""
    return -1 if metric in LESS_IS_BETTER else 1
