"""The table of stopping rules, in a terminal."""

import math

from rich.console import Console
from rich.text import Text

from alray.analysis.sweep.stopping_rules.words import explained, stopping_said
from alray.analysis.wording import Row, percentage, share, whole
from alray.cli.display.tables import Column, FittingTable, breakable
from alray.cli.visible import visible
from alray.reporting.stopping import Stopping


def print_stopping(console: Console, found: Stopping) -> None:
    """Print what is missing, a row per arm and rule, what the columns mean, and the findings in words."""
    for problem in found.problems:
        console.print(breakable(Text(problem, style="red"), console.width))
    table = found.replay.table
    if len(table):
        columns = [
            Column("arm", "name"),
            Column("rule", "name"),
            Column("stops"),
            Column("at\nlabels"),
            Column("lost"),
            Column("worst\nseed"),
            Column("spared"),
        ]
        if found.label_cost is not None:
            columns.append(Column(f"spared,\n{found.currency or 'money'}"))
        shown = FittingTable(columns, titles=2)
        for row in table.to_dict("records"):
            shown.add(*_cells(row, priced=found.label_cost is not None))
        console.print(shown)
        console.print(breakable(Text(explained(found.replay), style="dim"), console.width))
        console.print()
    console.print(breakable(Text(" ".join(stopping_said(found.replay))), console.width))


def _cells(row: Row, *, priced: bool) -> list[Text | str]:
    name = Text(visible(str(row["arm"])))
    if row["oracle"]:
        name.append(" (oracle)", style="italic")
    title: list[Text | str] = [name, visible(str(row["rule"]))]
    if not row["stopped"]:
        return [*title, "never", *[""] * (5 if priced else 4)]
    half = (row["lost_high"] - row["lost_low"]) / 2
    spared, _ = percentage(row["spared"], math.nan, math.nan)
    cells: list[Text | str] = [
        *title,
        f"{row['stopped']} of {row['seeds']}",
        whole(row["stop_labels"]),
        share(row["lost"]) if math.isnan(half) else f"{share(row['lost'])} \u00b1{share(half)}",
        share(row["lost_worst"]),
        spared,
    ]
    return [*cells, f"{row['spared_money']:,.2f}"] if priced else cells
