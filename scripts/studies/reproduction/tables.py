"""Tables of the page, as Markdown."""

from collections.abc import Sequence

import pandas as pd

from alray.analysis.wording import interval, share, signed


def markdown(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; bars within cells are escaped."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def correlation_table(table: pd.DataFrame) -> str:
    """Return a row for each design, score and dose of groups that are cut by the score."""
    rows = [
        [
            str(row["study"]),
            str(row["score"]),
            str(row["epochs"]),
            f"{signed(row['rho'], 2)} {interval(row['rho_low'], row['rho_high'], _two)}".strip(),
            share(row["icc"], 2),
            f"{signed(row['uplift'], 4)} ({row['queried']})",
            str(row["verdict"]),
        ]
        for row in table.to_dict("records")
    ]
    heading = ("design", "score", "epochs", "rho", "reliability", "uplift of a tenth", "verdict")
    return markdown(heading, rows)


def window_lines(table: pd.DataFrame) -> str:
    """Return a row for each design and noise of the simulation."""
    rows = [
        [
            str(row["design"]),
            f"{row['noise']:g}",
            f"{100 * row['significant']:.0f} %",
            f"{100 * row['printed']:.0f} %",
            share(row["median_rho"], 2),
        ]
        for row in table.to_dict("records")
    ]
    heading = ("design", "noise", "p < .05", "size of .25 or more", "median size")
    return markdown(heading, rows)


def _two(value: float) -> str:
    return signed(value, 2)
