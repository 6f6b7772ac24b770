"""From the rounds to the tables: medians, ratios, accuracies, and how far the targets are met."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from benchmarks.harness.tables import Table, verdict
from benchmarks.libraries import task
from benchmarks.libraries.competitors import TARGETS, Competitor

TIMES = ["processor_ms", "wall_ms", *(f"{name}_ms" for name in task.PHASES)]
COLUMNS = ["processor", "wall", *task.PHASES, "ratio", "accuracy (sd)", "vs plain"]
BASE = "plain"
"""The competitor that the others' accuracy is compared with, seed by seed."""


INTRODUCTION = """# One active-learning round, alray beside other libraries

Written by `scripts/bench libraries`; every counted round is in `libraries.csv`. Processor: {processor}.
One thread per process. Medians over {rounds} rounds of each of {seeds} seeds, competitors take turns of {TURN}, of
which the first is not counted.

A round: {OBJECTS:,} objects x {FEATURES} float32 in {CLASSES} classes (a seeded mixture of normals), {INITIAL:,}
labels at the start, score all unlabelled objects, query {QUERY}, fit one epoch at batch {BATCH} with Adam
{LEARNING_RATE} from the present weights, find the accuracy on {TEST:,} test objects. The network is
{FEATURES}-{HIDDEN}-{CLASSES}: Linear, ReLU, Dropout {DROPOUT}, Linear; all start from the same weights of a seed,
after {START_EPOCHS} epochs over its initial labels. BALD has {MEMBERS} members.

Times are milliseconds of processor time (`wall` of the clock); `ratio` is a competitor's round in rounds of
`{first}`. `vs plain` is the mean difference of the final accuracy to the plain loop with the same seed, and its
standard error.
"""


def introduction(rounds: pd.DataFrame, first: str, processor: str) -> str:
    """Return the text above the tables; `first` is the competitor that ratios refer to."""
    return INTRODUCTION.format(
        **vars(task),
        processor=processor,
        rounds=rounds["round"].nunique(),
        seeds=rounds["seed"].nunique(),
        first=first,
    )


def strategy_table(
    rounds: pd.DataFrame, strategy: str, competitors: Sequence[Competitor]
) -> Table:
    """Return a row per competitor: median times, and the accuracy after the last round; verdicts below."""
    summary = _summary(rounds, strategy)
    first = summary["processor_ms"].iloc[0]
    rows = [
        [
            str(name),
            *(f"{row[key]:.0f}" for key in TIMES),
            f"{row['processor_ms'] / first:.2f}",
            f"{row['accuracy']:.4f}" + ("" if np.isnan(row["sd"]) else f" ({row['sd']:.4f})"),
            "" if np.isnan(row["error"]) else f"{row['gap']:+.4f} ± {row['error']:.4f}",
        ]
        for name, row in summary.iterrows()
    ]
    notes = _verdicts(summary["processor_ms"], strategy, competitors)
    return Table(strategy, ["competitor", *COLUMNS], rows, notes)


def competitors_table(
    competitors: Sequence[Competitor], versions: Mapping[str, Mapping[str, str]]
) -> Table:
    """Return each competitor's versions and settings."""
    rows = [
        [
            one.name,
            ", ".join(f"{name} {number}" for name, number in versions[one.name].items()),
            one.settings,
        ]
        for one in competitors
    ]
    columns = ["competitor", "versions", "settings"]
    return Table("Competitors", columns, rows, text_columns=3)


def _summary(rounds: pd.DataFrame, strategy: str) -> pd.DataFrame:
    """Return a row per competitor, in their own order, with these columns besides the median times.

    `accuracy` and `sd` are mean and standard deviation over seeds, `gap` and `error` mean and standard error of the
    difference to the plain loop with the same seed, NaN where that did not run.
    """
    chosen = rounds[rounds["strategy"] == strategy]
    last = chosen[chosen["round"] == chosen["round"].max()]
    accuracy = last.pivot(index="contestant", columns="seed", values="accuracy")
    summary = chosen.groupby("contestant", observed=True)[TIMES].median()
    summary["accuracy"], summary["sd"] = accuracy.mean(axis=1), accuracy.std(axis=1)
    gaps = accuracy - (accuracy.loc[BASE] if BASE in accuracy.index else np.nan)
    summary["gap"] = gaps.mean(axis=1)
    summary["error"] = gaps.std(axis=1) / np.sqrt(gaps.shape[1])
    return summary


def _verdicts(
    milliseconds: "pd.Series[float]", strategy: str, competitors: Sequence[Competitor]
) -> list[str]:
    """Return a line per competitor of alray's and target: the ratio of the medians, beside the target."""
    lines = []
    for alray in (one for one in competitors if one.role == "alray"):
        for role, target in TARGETS[strategy].items():
            others = [one.name for one in competitors if one.role == role and one.has_target]
            if not others:
                continue
            fastest = str(milliseconds.loc[others].idxmin())
            ratio = milliseconds.loc[fastest] / milliseconds.loc[alray.name]
            caveat = "" if alray.same_network else " (another network)"
            lines.append(
                f"{strategy}: {fastest} / {alray.name} = {ratio:.2f}, target {target:g}: "
                f"{verdict(met=ratio >= target)}{caveat}"
            )
    return lines
