"""From measured queries to tables: one per number of candidates and processor, a row per strategy."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.harness.tables import Table
from benchmarks.strategies.rows import strategies


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the measurements in the order of the registry, small pools first."""
    if frame.empty:
        return frame
    places = {text: place for place, text in enumerate(strategies())}
    place = frame["strategy"].map(lambda text: places.get(text, len(places)))
    ordered = frame.assign(place=place).sort_values(
        ["objects", "processor", "place", "strategy", "query"], ignore_index=True
    )
    return ordered.drop(columns="place")


def as_tables(frame: pd.DataFrame) -> list[Table]:
    """Return a table per number of candidates and processor: seconds of two processors are no comparison."""
    if frame.empty:
        return []
    return [
        _table(f"{size:,} candidates x 256: {processor}", part)
        for (size, processor), part in frame.groupby(["objects", "processor"])
    ]


def _table(title: str, frame: pd.DataFrame) -> Table:
    queries: Sequence[int] = sorted(frame["query"].unique())
    columns = ["strategy", "signals"]
    columns += [f"{name} {query:,}" for query in queries for name in ("s", "MB")]
    lines = []
    for text, of_strategy in frame.groupby("strategy", sort=False):
        by_query = {row["query"]: row for row in of_strategy.to_dict("records")}
        signals = of_strategy["signals_s"].median()
        cells = [str(text), "" if np.isnan(signals) else f"{signals:.2f}"]
        for query in queries:
            cells += _cells(by_query[query]) if query in by_query else ["", ""]
        lines.append(cells)
    notes = [
        "signals: processor seconds of the pass that computes them, once a round; s: of the query, MB: at most beyond "
        "its inputs, for so many objects to query",
    ]
    failed = frame[~frame["ended"].isin(["finished", "not finished", "out of memory", "refused"])]
    notes += [
        f"{row['strategy']}, query {row['query']:,}: {row['ended']}"
        for _, row in failed.iterrows()
    ]
    if (frame["ended"] == "not finished").any():
        notes.append("> : not finished within so many seconds")
    if (frame["ended"] == "refused").any():
        notes.append("refused: it compares all candidates with all")
    return Table(title, columns, lines, notes)


def _cells(row: Mapping[Hashable, Any]) -> list[str]:
    if row["ended"] == "finished":
        return [f"{row['query_s']:.2f}", f"{row['megabytes']:,.0f}"]
    words = {
        "not finished": f"> {row['limit_s']:g}",
        "out of memory": "memory",
        "refused": "refused",
    }
    return [words.get(str(row["ended"]), "error"), ""]
