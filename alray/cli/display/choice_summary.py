"""The table of variants at the end of a sweep without rounds."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich.console import Console
from rich.text import Text

from alray.analysis.sweep.choosing_words import choice_reading
from alray.analysis.sweep.metrics import metric_title
from alray.analysis.wording import NOTHING, Row, interval, share, signed
from alray.cli.display.tables import Column, FittingTable, breakable
from alray.cli.visible import visible
from alray.settings.location import StudyPath
from alray.studies.folder import ERRORS


def print_choice(
    console: Console,
    table: pd.DataFrame,
    settings: Mapping[str, Any],
    path: StudyPath,
    page: StudyPath | None = None,
    next_command: str = "",
) -> None:
    """Print the table of variants, what it says in words, where the results lie, and the next command."""
    if table["seeds"].sum() == 0:
        console.print(f"no run has finished; their errors are in {path}/{ERRORS}", soft_wrap=True)
        return
    title = metric_title(str(table["metric"].iloc[0]))
    several = table["labels"].nunique() > 1
    columns = [
        Column("variant", "name"),
        Column(f"validation\n{title}"),
        Column("against\nthe best"),
        Column(f"test\n{title}"),
        Column("param-\neters"),
        Column("seconds\na fit"),
    ]
    shown = FittingTable(columns + [Column("labels")] * several)
    for row in table.to_dict("records"):
        shown.add(*_cells(row), *[_whole(row["labels"])] * several)
    console.print(shown)
    seeds = int(table["seeds"].max())
    brackets = "; in brackets: 95 % intervals, for all pairs of variants together"
    has_intervals = table["difference_low"].notna().any()
    console.print(
        breakable(
            Text(f"means over {seeds} seeds{brackets * bool(has_intervals)}", style="dim"),
            console.width,
        )
    )
    console.print()
    for paragraph in choice_reading(table, settings):
        console.print(breakable(Text(paragraph), console.width))
        console.print()
    console.print(f"results: {path}", soft_wrap=True)
    if page is not None:
        console.print(f"page: {page}", soft_wrap=True)
    console.print(f"next: {next_command}", soft_wrap=True)


def _cells(row: Row) -> tuple[Text, str, str, str, str, str]:
    name = Text(visible(str(row["settings"])), style="bold" if row["chosen"] else "")
    seconds = row["seconds"]
    return (
        name,
        share(row["validation"]),
        _difference(row),
        share(row["test"]),
        _whole(row["parameters"]),
        NOTHING if math.isnan(seconds) else f"{seconds:.2f}",
    )


def _difference(row: Row) -> str:
    if row["verdict"] == "best":
        return "best"
    ends = interval(row["difference_low"], row["difference_high"], between=", ")
    return f"{signed(row['difference'])} {ends}".rstrip()


def _whole(value: Any) -> str:
    return NOTHING if pd.isna(value) else f"{int(value):,}"
