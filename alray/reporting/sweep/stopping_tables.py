"""The table of stopping rules on a sweep's page."""

import math
from collections.abc import Sequence

import pandas as pd

from alray.analysis.sweep.metrics import metric_title
from alray.analysis.wording import NOTHING, Row, interval, percentage, share, whole
from alray.reporting.sweep.style import ArmStyle, ArmStyles

StoppingLine = tuple[ArmStyle, str, Sequence[tuple[str, str]]]
"""An arm, a rule, and the text of each cell: value, and its interval or nothing."""


def stopping_columns(table: pd.DataFrame, currency: str) -> list[tuple[str, str]]:
    """Return heading and meaning of each column after those of arm and rule."""
    metric = "metric" if table.empty else metric_title(str(table["metric"].iloc[0]))
    columns = [
        (
            "stops",
            "Seeds that the rule stops before their last round, of those that it could be replayed on",
        ),
        (
            "at labels",
            "Labels where it stops, mean over seeds; a seed that it never stops counts with its end",
        ),
        (
            "lost",
            f"Mean {metric} at the arm's best budget, the labels at which its mean curve is best, less that where the "
            "rule stops; 95 % t interval over seeds",
        ),
        ("worst seed", "The same in the seed that loses most"),
        (
            "spared",
            "Share of the labels at the end that are not bought; 95 % t interval over seeds",
        ),
    ]
    if _priced(table):
        columns.append((f"spared, {currency or 'money'}", "What these labels would have cost"))
    return columns


def stopping_lines(table: pd.DataFrame, arms: ArmStyles) -> list[StoppingLine]:
    """Return each arm and rule, arm by arm, with its cells, without rules that never stop: a sentence names them."""
    stopping = table.groupby("rule")["stopped"].transform("sum") > 0
    rows = table[stopping].to_dict("records")
    priced = _priced(table)
    return [
        (arm, str(row["rule"]), _cells(row, priced=priced))
        for arm in arms.all
        for row in rows
        if row["arm"] == arm.name
    ]


def _priced(table: pd.DataFrame) -> bool:
    return bool(table["spared_money"].notna().any())


def _cells(row: Row, *, priced: bool) -> list[tuple[str, str]]:
    if not row["stopped"]:
        return [("never", ""), *[(NOTHING, "")] * (5 if priced else 4)]
    spared, _ = percentage(row["spared"], math.nan, math.nan)
    _, ends = percentage(row["spared"], max(0.0, row["spared_low"]), min(1.0, row["spared_high"]))
    cells = [
        (f"{row['stopped']} of {row['seeds']}", ""),
        (whole(row["stop_labels"]), ""),
        (share(row["lost"]), interval(row["lost_low"], row["lost_high"], share)),
        (share(row["lost_worst"]), ""),
        (spared, ends),
    ]
    return [*cells, (f"{row['spared_money']:,.2f}", "")] if priced else cells
