"""The table of what arms ask for: how alike the objects of a query are, and which arm has most of them too."""

from collections.abc import Sequence

import pandas as pd

from alray.analysis.sweep.query_measures import MEASURES
from alray.analysis.sweep.query_words import shared_most
from alray.analysis.wording import NOTHING, Row, interval, share, signed
from alray.reporting.sweep.style import ArmStyle, ArmStyles

QueryLine = tuple[ArmStyle, Sequence[tuple[str, str]]]
"""An arm with the text of each of its cells: value, and what stands below it."""


def query_columns(measures: pd.DataFrame, against: str) -> list[tuple[str, str]]:
    """Return heading and meaning of each column."""
    below = f"Below: difference to {against}, with its 95 % interval for all arms and measures together."
    meanings = {
        "query_diversity": "Squared distance of two objects of a query, relative to random objects, of the pool's own "
        f"features: below 1 they are more alike. {below}",
        "query_density": "Share of the pool that lies in sparser regions than a queried object: .5 as random objects, "
        f"more in crowded regions, less among outliers. {below}",
        "query_duplicates": "Share of queried objects with another in the same query at less than a tenth of the usual "
        f"distance. {below}",
    }
    recorded = [name for name in MEASURES if name in set(measures["measure"])]
    return [
        *((MEASURES[name], meanings[name]) for name in recorded),
        (
            "most in common with",
            "The arm with most of the same objects: share of the two arms' objects that both queried",
        ),
    ]


def query_lines(
    overlaps: pd.DataFrame, measures: pd.DataFrame, arms: ArmStyles
) -> list[QueryLine]:
    """Return each arm of which queries are known, with its cells."""
    shared = shared_most(overlaps, [arm.name for arm in arms.all])
    recorded = [name for name in MEASURES if name in set(measures["measure"])]
    rows = {(row["arm"], row["measure"]): row for row in measures.to_dict("records")}
    lines: list[QueryLine] = []
    for arm in arms.all:
        cells = [_cell(rows.get((arm.name, name))) for name in recorded]
        other = shared.get(arm.name)
        cells.append((f"{100 * other[1]:.0f} %", other[0]) if other else (NOTHING, ""))
        if any(value != NOTHING for value, _ in cells):
            lines.append((arm, cells))
    return lines


def _cell(row: Row | None) -> tuple[str, str]:
    if row is None:
        return NOTHING, ""
    difference, low, high = (
        row[name] for name in ("difference", "difference_low", "difference_high")
    )
    beside = "" if difference != difference else f"{signed(difference)} {interval(low, high)}"  # noqa: PLR0124 -- NaN
    return share(row["mean"]), beside.strip()
