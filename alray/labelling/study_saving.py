"""What a study says about savings, as a campaign keeps it: labels that random choice needed for an arm's accuracy."""

from typing import Any

import numpy as np

from alray.analysis.sweep.arms import RANDOM, arm_curves, reference_pairs
from alray.analysis.sweep.full_data import split_full_data
from alray.pools.builtin import pool_name
from alray.statistics.curves import label_saving, monotone
from alray.studies.sweep.results import Sweep

POINTS = 40
"""Label counts of the arm that are kept."""


def needed_at_random(study: Sweep, arm: str, strategy: str) -> dict[str, Any]:
    """Return `study, pool, strategy, seeds` and `needed`, rows of `labels, accuracy, random, low, high`.

    Each row says how many labels random choice needed for the accuracy of the arm at that many labels, on the seeds
    that both have finished, with a 95 % interval that holds for one label count at a time (`curves.label_saving` with
    the arms in exchanged roles). What was not reached, or has no end, is infinite. No rows without a random arm.
    """
    found: dict[str, Any] = {
        "study": study.path.name,
        "pool": pool_name(study.settings.pool.source),
        "strategy": strategy,
        "seeds": 0,
        "needed": [],
    }
    split = split_full_data(study.rounds, study.runs)
    pair = reference_pairs(arm_curves(split.rounds, split.runs), split.runs, RANDOM).get(arm)
    if pair is None or "accuracy" not in pair.metrics or len(pair.labels) < 2:
        return found
    curves, at_random = pair.curves("accuracy")
    if not (np.isfinite(curves).all() and np.isfinite(at_random).all()):
        return found
    mean = monotone(curves.mean(axis=0))
    kept = np.unique(np.linspace(0, len(pair.labels) - 1, POINTS).round().astype(int))
    for point in kept:
        labels = float(pair.labels[point])
        match = label_saving(pair.labels, at_random, curves, labels)
        saved, of_arm = match.saving, match.random_labels
        row: list[float | None] = [labels, float(mean[point])]
        # 1 - N_random / N_arm: its lower end is the most labels that random choice may have needed.
        row += [_known((1 - each) * of_arm) for each in (saved.estimate, saved.high, saved.low)]
        found["needed"].append(row)
    return {**found, "seeds": len(pair.seeds)}


def _known(labels: float) -> float | None:
    """Return a number that JSON has: None stands for what has no end, or is not known."""
    return labels if np.isfinite(labels) else None
