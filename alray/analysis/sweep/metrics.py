"""The metrics that learning curves are drawn of: which decide, their names in words, and which way is better."""

from collections.abc import Mapping

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


def metric_title(metric: str) -> str:
    """Return a metric in words, with its unit."""
    return TITLES.get(metric, metric.replace("_", " "))


def better_sign(metric: str) -> int:
    """Return 1 where a larger value is better, -1 where a smaller one is."""
    return -1 if metric in LESS_IS_BETTER else 1
