"""From the competitors' reports to tables. Columns of frames are named as in the published CSV files."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from benchmarks.harness.tables import Table

TARGET_EFFICIENCY = 0.9


def row_of(name: str, workers: int, repetition: int, report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a competitor's seconds; `playing_s` is the time from the first job to the last record."""
    running = report["ended"] - report["first_job"]
    return {
        "contestant": name,
        "workers": workers,
        "repetition": repetition,
        "ray_init_s": report["ray_init"],
        "start_s": report["first_job"] - report["begun"],
        "first_round_s": report["first_round"] - report["begun"],
        "playing_s": running,
        "recorded_s": report["recorded"],
        "overhead": 1 - report["recorded"] / workers / running,
        "total_s": report["exited"] - report["begun"],
        "niceness": report["niceness"],
    }


def sweep_table(frame: pd.DataFrame, title: str, equal: str) -> Table:
    """Return medians by competitor."""
    medians = frame.groupby("contestant", sort=False).median(numeric_only=True)
    rows = [
        [
            str(name),
            f"{row['ray_init_s']:.1f}" if row["ray_init_s"] else "",
            *(
                f"{row[key]:.1f}"
                for key in ("start_s", "first_round_s", "playing_s", "recorded_s")
            ),
            f"{row['overhead']:.1%}",
            f"{row['total_s']:.1f}",
        ]
        for name, row in medians.iterrows()
    ]
    columns = ["seconds", "ray.init", "start", "1st round", "running", "recorded", "beyond", "all"]
    notes = [
        "start: from the command to the first job; running: from there to the last record; recorded: sum over rounds; "
        "beyond: share of the workers' running time in which they computed no round",
        *_efficiency(frame),
        equal,
    ]
    return Table(title, columns, rows, notes)


def _efficiency(frame: pd.DataFrame) -> list[str]:
    names = ["alray, 1 actor", "alray, 2 actors"]
    if not set(names) <= set(frame["contestant"]):
        return []
    one, two = (frame[frame["contestant"] == name].set_index("repetition") for name in names)
    efficiency = float((one["playing_s"] / two["playing_s"] / 2).median())
    machine = float((one["recorded_s"] / two["recorded_s"]).median())
    return [
        f"parallel efficiency of 2 actors {efficiency:.2f} (target {TARGET_EFFICIENCY}); rounds side by side take "
        f"{1 / machine:.2f} times as long",
    ]


def equality(names: Sequence[str], accuracies: Sequence[Mapping[str, float]]) -> str:
    """Return a sentence: did every competitor get the same accuracy in every run, to the bit?"""
    first = accuracies[0]
    gaps = {
        name: max(abs(found[run] - first[run]) for run in first)
        for name, found in zip(names, accuracies, strict=True)
        if found != first
    }
    start = f"final accuracies of the {len(first)} runs in {len(names)} sweeps: "
    if not gaps:
        return f"{start}equal to the bit"
    differences = "; ".join(f"{name} differs by up to {gap:.1e}" for name, gap in gaps.items())
    return f"{start}NOT EQUAL: {differences}"


def memory_table(frame: pd.DataFrame) -> Table:
    """Return megabytes by number of actors and kind of features."""
    rows = [
        [
            f"{row['dtype']}, {row['actors']} actor{'s' if row['actors'] > 1 else ''}",
            *(
                f"{row[key]:.0f}"
                for key in ("own_mb", "own_peak_mb", "share_mb", "pool_mb", "driver_peak_mb")
            ),
            f"{row['looks']}",
        ]
        for _, row in frame.iterrows()
    ]
    columns = [
        "features",
        "own",
        "at most",
        "of the pool",
        "pool",
        "driver's peak",
        "measurements",
    ]
    return Table(
        "Proportional memory of an actor in MB",
        columns,
        rows,
        [
            "own: beyond shared memory, of the actor that holds most, median over the measurements, and the most "
            "measured; of the pool: an actor's share; bald with ten members, pool icons"
        ],
    )


def accuracy_table(accuracies: Mapping[str, Sequence[float]]) -> Table:
    """Return the final accuracy by kind of features, paired by seed."""
    whole, half = (pd.Series(accuracies[kind]) for kind in ("float32", "float16"))
    rows = [
        [kind, f"{values.mean():.4f}", f"{values.std():.4f}"]
        for kind, values in (("float32", whole), ("float16", half))
    ]
    difference = half - whole
    error = difference.std() / len(difference) ** 0.5
    return Table(
        f"Final accuracy by features, {len(whole)} seeds",
        ["features", "mean", "sd of seeds"],
        rows,
        [f"float16 - float32, paired: {difference.mean():+.4f}, standard error {error:.4f}"],
    )
