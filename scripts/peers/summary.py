"""From the rounds to what is shown: medians, ratios, accuracies, and how far the targets are met."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from peers.contestants import TARGETS, Contestant
from peers.match import PHASES

TIMES = ["processor_ms", "wall_ms", *(f"{name}_ms" for name in PHASES)]
BASE = "plain"
"""Whose accuracy the others' is compared with, seed by seed."""


def summarise(rounds: pd.DataFrame, strategy: str) -> pd.DataFrame:
    """Return a row per contestant, in their own order: median times, and the accuracy after the last round.

    Columns besides the times: `accuracy` and `spread` (mean and standard deviation over seeds), `gap` and `gap_error`
    (mean and standard error of the difference to the plain loop with the same seed).
    """
    own = rounds[rounds["strategy"] == strategy]
    last = own[own["round"] == own["round"].max()]
    accuracy = last.pivot(index="contestant", columns="seed", values="accuracy")
    table = own.groupby("contestant", observed=True)[TIMES].median()
    table["accuracy"], table["spread"] = accuracy.mean(axis=1), accuracy.std(axis=1)
    if BASE in accuracy.index:
        gaps = accuracy - accuracy.loc[BASE]
        table["gap"] = gaps.mean(axis=1)
        table["gap_error"] = gaps.std(axis=1) / np.sqrt(gaps.shape[1])
    return table


def print_form(table: pd.DataFrame, strategy: str) -> list[str]:
    """Return lines of at most 80 columns."""
    heads = ("cpu ms", "wall", "query", "fit", "eval", "ratio", "accuracy (sd)")
    widths = (8, 7, 7, 5, 5, 7, 17)
    cells = [f"{head:>{width}}" for head, width in zip(heads, widths, strict=True)]
    lines = [f"{strategy:<20}" + "".join(cells)]
    base = table["processor_ms"].iloc[0]
    for name, row in table.iterrows():
        times = [f"{row[key]:>{width}.0f}" for key, width in zip(TIMES, widths, strict=False)]
        ratio = row["processor_ms"] / base
        lines.append(f"{name:<20}" + "".join(times) + f"{ratio:>7.2f}{with_spread(row):>17}")
    return lines


def with_spread(row: pd.Series) -> str:
    """Return a row's accuracy, and in brackets its standard deviation where there are several seeds."""
    spread = "" if np.isnan(row["spread"]) else f" ({row['spread']:.4f})"
    return f"{row['accuracy']:.4f}{spread}"


def verdicts(table: pd.DataFrame, strategy: str, contestants: Sequence[Contestant]) -> list[str]:
    """Return a line per contestant of alray's and target: the ratio of the medians, beside what it should be."""
    lines: list[str] = []
    for own in (one for one in contestants if one.role == "alray"):
        for role, target in TARGETS[strategy].items():
            others = [one.name for one in contestants if one.role == role and one.judged]
            if not others:
                continue
            fastest = table.loc[others, "processor_ms"].idxmin()
            ratio = table.loc[fastest, "processor_ms"] / table.loc[own.name, "processor_ms"]
            word = "met" if ratio >= target else "missed"
            caveat = "" if own.same_network else " (another network)"
            lines.append(
                f"{strategy}: {fastest} / {own.name} = {ratio:.2f}, target {target:g}: {word}{caveat}"
            )
    return lines
