"""What the figures of a sweep are drawn from: its frames, cut down to what the eye can see."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from alray.reporting.figures import spread_labels
from alray.reporting.sweep.style import ArmStyles

POINTS = 200
"""Checkpoints of a curve that a page holds: more would not be seen, and every one costs time to load."""

SEED_POINTS = 100
"""The same for the curve of one seed."""

METRIC_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "accuracy": "accuracy",
        "macro_f1": "macro F1",
        "nll": "NLL (nats)",
        "ece": "calibration error (ECE)",
        "labelled_classes": "classes with a label",
        "rare_recall": "recall of the rarest classes",
    }
)
"""Metrics in words, with their units."""

WORSE_WHEN_LARGER = ("nll", "ece")
"""Metrics of which less is better."""


def metric_title(metric: str) -> str:
    """Return a metric in words, with its unit."""
    return METRIC_TITLES.get(metric, metric.replace("_", " "))


def better(metric: str) -> str:
    """Say in which direction a difference is good."""
    return "below" if metric in WORSE_WHEN_LARGER else "above"


def thinned(frame: pd.DataFrame, points: int = POINTS, column: str = "labels") -> pd.DataFrame:
    """Return the rows of at most so many values of a column, spread evenly, first and last among them."""
    values = np.sort(frame[column].dropna().unique())
    if len(values) <= points:
        return frame
    kept = values[np.unique(np.linspace(0, len(values) - 1, points).round().astype(int))]
    return frame[frame[column].isin(kept)]


def range_of(frame: pd.DataFrame, columns: tuple[str, ...], room: float = 0.04) -> list[float]:
    """Return the ends of an axis that holds all finite values of some columns, with some air."""
    values = frame[list(columns)].to_numpy(float)
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return [0.0, 1.0]
    low, high = float(values.min()), float(values.max())
    air = room * (high - low) or max(abs(high), 1.0) * room
    return [low - air, high + air]


def end_labels(
    curves: pd.DataFrame, axis: list[float], height: int, beyond: float
) -> pd.DataFrame:
    """Return rows that lead from the end of every curve to its label, which do not overlap.

    Args:
        curves: arm, strategy, variant, labels, mean; the labels of each variant stand in one panel.
        axis: Ends of the vertical axis.
        height: Pixels of the panel.
        beyond: Where labels stand on the horizontal axis.

    Returns:
        Two rows per arm: `leader_x`, `leader_y`, and the text `name` in the second.
    """
    last = curves.sort_values("labels").drop_duplicates("arm", keep="last")
    last = last[last["mean"].notna()]
    gap = (axis[1] - axis[0]) * 13 / height
    parts = []
    for _, of_panel in last.groupby("variant", sort=False):
        places = spread_labels(list(of_panel["mean"]), gap, axis[0] + gap / 2, axis[1] - gap / 2)
        start = of_panel.assign(
            leader_x=of_panel["labels"].astype(float), leader_y=of_panel["mean"]
        )
        end = of_panel.assign(leader_x=beyond, leader_y=places, name=of_panel["strategy"])
        parts += [start, end]
    keep = ["arm", "strategy", "variant", "leader_x", "leader_y", "name"]
    return pd.concat(parts).reindex(columns=keep) if parts else pd.DataFrame(columns=keep)


def class_shares(classes: pd.DataFrame, arms: ArmStyles) -> tuple[pd.DataFrame, str]:
    """Return how often each class was queried relative to its share, and what that share is of.

    Columns: arm, strategy, label, step, queried_share, share, doublings (log2 of the ratio, within -3 and 3). Where the
    pool's shares are not known, they are those that the reference arm of the variant queried over the whole study.
    """
    frame = arms.described(classes)
    against = "its share in the pool"
    share = frame["pool_share"]
    if share.isna().all():
        of = {arm.variant: arm.name for arm in arms.all if arm.reference}
        reference = frame[frame["arm"] == frame["variant"].map(of)]
        mean = reference.groupby(["variant", "label"])["queried_share"].mean().rename("expected")
        frame = frame.join(mean, on=["variant", "label"])
        share, against = frame["expected"], "random queries it"
    with np.errstate(divide="ignore", invalid="ignore"):
        doublings = np.log2(frame["queried_share"].to_numpy(float) / share.to_numpy(float))
    frame = frame.assign(share=share, doublings=np.clip(doublings, -3, 3))
    keep = ["arm", "strategy", "label", "step", "queried_share", "share", "doublings"]
    return frame.loc[np.isfinite(frame["doublings"]), keep], against


def most_shifted(shares: pd.DataFrame, most: int) -> list[str]:
    """Return the classes, at most so many, whose queried shares differ most from their own, rarest first."""
    size = shares.assign(size=shares["doublings"].abs() * np.sqrt(shares["share"]))
    mean = size.groupby("label")["size"].mean().nlargest(most)
    order = shares.groupby("label")["share"].mean().loc[mean.index].sort_values(kind="stable")
    return [str(label) for label in order.index]


def shorten(name: str, most: int = 26) -> str:
    """Return a name that fits beside an axis."""
    return name if len(name) <= most else f"{name[: most - 1]}\u2026"
