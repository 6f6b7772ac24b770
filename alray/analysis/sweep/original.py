"""The published study's intervals of a sweep under `compat: original`, and what they are worth, in words."""

from collections.abc import Mapping

import pandas as pd

from alray.analysis.sweep.arms import arm_curves
from alray.analysis.sweep.full_data import split_full_data
from alray.analysis.sweep.metrics import DECIDING, metric_title
from alray.analysis.wording import joined, share
from alray.statistics.original import original_coverage, original_half_width

ORIGINAL_COLUMNS: Mapping[str, str] = {
    "arm": "the arm",
    "variant": "its varied settings",
    "metric": "the metric",
    "labels": "label count",
    "seeds": "finished runs, n",
    "mean": "mean over seeds",
    "low": "mean - 0.95 x population sd / sqrt(n); null for one seed",
    "high": "mean + the same",
    "coverage": "probability that this interval holds the mean, for normal values and n seeds",
}
"""Columns of `findings/original.csv`, in order, each with what it holds."""


def original_intervals(rounds: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Return the study's interval of each arm, metric and label count, with the columns of `ORIGINAL_COLUMNS`."""
    split = split_full_data(rounds, runs)
    frames = []
    for arm in arm_curves(split.rounds, split.runs):
        for metric in (name for name in DECIDING if name in arm.curves):
            values = arm.curves[metric]
            mean, half = values.mean(axis=0), original_half_width(values)
            described = {"arm": arm.name, "variant": arm.variant, "metric": metric}
            numbers = {
                "labels": arm.labels.astype(int),
                "seeds": len(arm.seeds),
                "mean": mean,
                "low": mean - half,
                "high": mean + half,
                "coverage": original_coverage(len(arm.seeds)),
            }
            frames.append(pd.DataFrame({**described, **numbers}))
    if not frames:
        return pd.DataFrame(columns=list(ORIGINAL_COLUMNS))
    return pd.concat(frames, ignore_index=True)[list(ORIGINAL_COLUMNS)]


def original_said(intervals: pd.DataFrame, metric: str = "accuracy") -> list[str]:
    """Return each arm's last mean with the study's interval, and how often such an interval holds the mean.

    Nothing is said of fewer than two seeds, which have no such interval.
    """
    of_metric = intervals[(intervals["metric"] == metric) & intervals["low"].notna()]
    last = of_metric.sort_values("labels", kind="stable").drop_duplicates("arm", keep="last")
    rows = last.loc[[at for at in of_metric.index if at in last.index]].to_dict("records")
    if not rows:
        return []
    stated = ", ".join(
        f"{row['arm']} {share(row['mean'])} +- {share((row['high'] - row['low']) / 2)}"
        for row in rows
    )
    coverages = {int(row["seeds"]): float(row["coverage"]) for row in rows}
    held = joined(
        [f"{100 * value:.0f} % of studies of {n} seeds" for n, value in sorted(coverages.items())]
    )
    return [
        f"As the published study states its numbers ({metric_title(metric)} at the end, mean +- 0.95 x population sd / "
        f"sqrt(n)): {stated}.",
        f"Such an interval holds the true mean in {held}, not in 95 %, and says nothing about differences between "
        "arms: those are in the table.",
    ]
