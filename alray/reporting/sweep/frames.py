"""What the figures of a sweep are drawn from: its frames, cut down to what the eye can see."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alray.analysis.sweep.metrics import better_sign
from alray.reporting.figures import spread_labels
from alray.reporting.sweep.style import ArmStyles

POINTS = 200
"""Checkpoints of a curve that a page holds: more would not be seen, and every one costs time to load."""

SEED_POINTS = 100
"""The same for the curve of one seed."""

MOST_TO_CEILING = 0.75
"""How far beyond the curves the axis goes for a ceiling, as a share of what the curves span."""

LEAST_SAVING = -100.0
"""Per cent: what lies below is drawn here."""


def better(metric: str) -> str:
    """Say in which direction a difference is good."""
    return "above" if better_sign(metric) > 0 else "below"


def thinned(frame: pd.DataFrame, points: int = POINTS, column: str = "labels") -> pd.DataFrame:
    """Return the rows of at most so many values of a column, spread evenly, first and last among them."""
    values = np.sort(frame[column].dropna().unique())
    if len(values) <= points:
        return frame
    kept = values[np.unique(np.linspace(0, len(values) - 1, points).round().astype(int))]
    return frame[frame[column].isin(kept)]


def range_of(frame: pd.DataFrame, columns: tuple[str, ...], margin: float = 0.04) -> list[float]:
    """Return the ends of an axis that holds all finite values of some columns, with a margin (a share of them)."""
    values = frame[list(columns)].to_numpy(float)
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return [0.0, 1.0]
    low, high = float(values.min()), float(values.max())
    padding = margin * (high - low) or max(abs(high), 1.0) * margin
    return [low - padding, high + padding]


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
        heights = spread_labels(list(of_panel["mean"]), gap, axis[0] + gap / 2, axis[1] - gap / 2)
        start = of_panel.assign(
            leader_x=of_panel["labels"].astype(float), leader_y=of_panel["mean"]
        )
        end = of_panel.assign(leader_x=beyond, leader_y=heights, name=of_panel["strategy"])
        parts += [start, end]
    keep = ["arm", "strategy", "variant", "leader_x", "leader_y", "name"]
    return pd.concat(parts).reindex(columns=keep) if parts else pd.DataFrame(columns=keep)


@dataclass(frozen=True, eq=False)
class CurveRows:
    """What the learning curves are drawn from.

    Attributes:
        rows: Means with their intervals, leaders and labels at the ends, and ceilings.
        means: The rows of means alone, with the number of seeds.
        ceilings: The ceilings that are drawn: variant, ceiling.
        labels: Ends of the horizontal axis; labels stand at its right end.
        values: Ends of the vertical axis.
    """

    rows: pd.DataFrame
    means: pd.DataFrame
    ceilings: pd.DataFrame
    labels: list[float]
    values: list[float]


def curve_rows(
    curves: pd.DataFrame,
    arms: ArmStyles,
    metric: str,
    ceilings: Mapping[str, float],
    height: int,
) -> CurveRows:
    """Return the means of a metric with the labels at their ends, in a panel of this height in pixels.

    Ceilings (by variant, what the model reaches with all labels) are left out where they would press the curves flat.
    """
    means = thinned(arms.described(curves[curves["metric"] == metric]))
    low, high = means["mean"].min(), means["mean"].max()
    reach = MOST_TO_CEILING * (high - low)
    near = {
        variant: value
        for variant, value in ceilings.items()
        if low - reach <= value <= high + reach
    }
    drawn = pd.DataFrame({"variant": list(near), "ceiling": list(near.values())})
    values = range_of(pd.concat([means, drawn]), ("mean", "ceiling"), 0.06)
    first, last = float(means["labels"].min()), float(means["labels"].max())
    end = last + 0.04 * (last - first)
    labels = end_labels(means, values, height, end)
    labels = labels.assign(text=labels["name"].map(shorten, na_action="ignore"))
    columns = ["arm", "strategy", "variant", "labels", "mean", "low", "high"]
    rows = pd.concat([means[columns], labels, drawn], ignore_index=True)
    return CurveRows(rows, means, drawn, [first, end], values)


def seed_rows(
    seeds: pd.DataFrame, curves: pd.DataFrame, arms: ArmStyles, metric: str
) -> pd.DataFrame:
    """Return panel, strategy, seed, labels, value: each arm's seeds, its mean, and that of its reference (no seed)."""
    frame = thinned(arms.described(seeds[seeds["metric"] == metric]), SEED_POINTS)
    means = thinned(arms.described(curves[curves["metric"] == metric]), SEED_POINTS)
    means = means.assign(value=means["mean"])
    parts = [frame.assign(panel=frame["arm"]), means.assign(panel=means["arm"])]
    for arm in arms.all:
        if arm.against:
            reference = means[means["arm"] == arm.against]
            parts.append(reference.assign(panel=arm.name))
    columns = ["panel", "strategy", "seed", "labels", "value"]
    return pd.concat(parts, ignore_index=True).reindex(columns=columns)


def saving_rows(savings: pd.DataFrame, arms: ArmStyles) -> tuple[pd.DataFrame, list[float]]:
    """Return labels saved in per cent, and the ends of their axis.

    Columns: arm, strategy, accuracy, saving, low, high, arrow (where the arm does not get there, else NaN),
    random_labels, arm_labels.
    """
    rows = arms.described(savings)
    rows = rows.assign(**{name: 100 * rows[name] for name in ("saving", "low", "high")})
    # Where nothing bounds the saving from below, the band goes down to the axis.
    bottom, top = range_of(rows, ("saving", "low", "high"), 0.06)
    bottom, top = max(bottom, LEAST_SAVING), max(top, 5.0)
    rows = rows.assign(
        low=rows["low"].clip(lower=bottom),
        high=rows["high"].clip(lower=bottom),
        saving=rows["saving"].where(rows["saving"] >= bottom),
        arrow=np.where(rows["reached"], np.nan, bottom),
    )
    columns = [
        *("arm", "strategy", "target", "saving", "low", "high", "arrow"),
        *("random_labels", "arm_labels"),
    ]
    return rows[columns].replace([np.inf, -np.inf], np.nan), [bottom, top]


def win_rows(wins: pd.DataFrame, arms: ArmStyles) -> pd.DataFrame:
    """Return a row per ordered pair of arms: how often the one is ahead, and how that is drawn.

    Columns: arm, versus, strategy, opponent, variant, wins, ties, losses, strength (of the colour), side (ahead or
    behind), text, lead (share of the label counts won minus those lost).
    """
    mirrored = wins.rename(
        columns={"arm": "versus", "versus": "arm", "wins": "losses", "losses": "wins"}
    )
    both = arms.described(pd.concat([wins, mirrored]).drop_duplicates(["arm", "versus"]))
    strategies = {arm.name: arm.strategy for arm in arms.all}
    lead = (both["wins"] - both["losses"]) / both[["wins", "ties", "losses"]].sum(axis=1)
    rows = both.assign(
        opponent=both["versus"].map(strategies),
        lead=lead,
        strength=0.85 * lead.abs(),
        side=np.where(lead >= 0, "ahead", "behind"),
        text=(100 * lead).round().map(lambda value: "" if value == 0 else f"{value:+.0f}"),
    )
    columns = [
        *("arm", "versus", "strategy", "opponent", "variant", "wins", "ties", "losses"),
        *("strength", "side", "text", "lead"),
    ]
    return rows[columns]


def time_rows(rounds: pd.DataFrame, arms: ArmStyles, parts: Mapping[str, str]) -> pd.DataFrame:
    """Return arm, part, seconds, position (of the part): means over rounds from 1 on, of columns named in `parts`."""
    later = arms.described(rounds[rounds["round"] >= 1])
    mean = later.groupby("arm", sort=False)[list(parts)].mean().reset_index()
    names = list(parts.values())
    rows = mean.rename(columns=parts).melt(["arm"], names, "part", "seconds")
    return rows.assign(position=rows["part"].map(names.index))


def class_shares(classes: pd.DataFrame, arms: ArmStyles) -> tuple[pd.DataFrame, str]:
    """Return how often each class was queried relative to its share, and what that share is of.

    Columns: arm, strategy, label, step, queried_share, share, doublings (log2 of the ratio, within -3 and 3). Where the
    pool's shares are not known, they are those that the arm which it is compared with queried over the whole study.
    """
    frame = arms.described(classes)
    against = "its share in the pool"
    share = frame["pool_share"]
    if share.isna().all():
        mean = frame.groupby(["arm", "label"])["queried_share"].mean().rename("expected")
        frame = frame.assign(reference=[arms.reference_of.get(arm, "") for arm in frame["arm"]])
        frame = frame.join(mean, on=["reference", "label"])
        share, against = frame["expected"], f"{arms.reference_title} queries it"
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


def shift_rows(shares: pd.DataFrame, shown: Sequence[str]) -> pd.DataFrame:
    """Return how often these classes were queried relative to their share, and how that is drawn.

    Columns: arm, label, step, queried_share, share, side (more or fewer), strength (of the colour), doublings.
    """
    rows = shares[shares["label"].isin(shown)]
    rows = rows.assign(
        side=np.where(rows["doublings"] >= 0, "more", "fewer"),
        strength=0.9 * rows["doublings"].abs() / 3,
    )
    columns = ["arm", "label", "step", "queried_share", "share", "side", "strength", "doublings"]
    return rows[columns]


def shorten(name: str, most: int = 26) -> str:
    """Return a name that fits beside an axis."""
    return name if len(name) <= most else f"{name[: most - 1]}\u2026"


def panel_titles(arms: ArmStyles) -> dict[str, str]:
    """Return titles of the panels of all arms, short enough to stand side by side."""
    return {arm.name: shorten(arm.name, 34) + " (oracle)" * arm.oracle for arm in arms.all}


def ends_of(rows: pd.DataFrame, column: str, digits: str) -> str:
    """Return each arm with its value at the largest label count, as text in this format."""
    last = rows[rows["labels"] == rows.groupby("arm")["labels"].transform("max")]
    values = zip(last["arm"], last[column], strict=True)
    return ", ".join(f"{arm} {value:{digits}}" for arm, value in values)
