"""The table of forecasts: what each arm reaches at the horizon, and the labels that each target takes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from alray.analysis.sweep.forecast import Outlook
from alray.analysis.sweep.metrics import metric_title
from alray.analysis.targets import about, target_text
from alray.analysis.wording import NOTHING, Row, interval, share
from alray.reporting.sweep.style import ArmStyle, ArmStyles
from alray.statistics.forecast import MEASURED_RATIO

Cells = Sequence[tuple[str, str]]
"""Text of every column, and what stands below it."""


@dataclass(frozen=True)
class OutlookTable:
    """The section of a page on forecasts.

    Attributes:
        explained: How forecasts are made and how far they hold.
        headings: Of all columns but the first.
        lines: An arm and its cells.
    """

    explained: str
    headings: Sequence[str]
    lines: Sequence[tuple[ArmStyle, Cells]]


EXPLAINED = (
    "A forecast is the mean of two laws of learning curves, PALM and the inverse power law. Its 90 % intervals are as "
    "wide as it took to hold nine of ten withheld ends of curves of accuracy and macro F1 of four pools, "
    f"up to {MEASURED_RATIO:.1f} times the labels that were known; a harder pool may leave them more often. They are "
    "of one label count at a time, and of the same way to query and to train."
)


def outlook_table(found: Outlook | None, arms: ArmStyles) -> OutlookTable | None:
    """Return the table, and None where no forecast was asked for or no arm has the metric."""
    if found is None or not (len(found.forecast) or found.failures):
        return None
    title = metric_title(found.metric)
    headings = [f"{title} at {found.horizon:,} labels"]
    headings += [f"labels to {title} {target_text(target)}" for target in found.targets]
    ends = found.forecast[found.forecast["labels"] == found.horizon]
    at_end = {row["arm"]: row for row in ends.to_dict("records")}
    needed = {(row["arm"], row["target"]): row for row in found.labels_needed.to_dict("records")}
    lines = []
    for arm in arms.all:
        if arm.name not in at_end and arm.name not in found.failures:
            continue
        cells = [_at_horizon(at_end.get(arm.name), found.failures.get(arm.name, ""))]
        cells += [_needed(needed[arm.name, target]) for target in found.targets]
        lines.append((arm, cells))
    return OutlookTable(EXPLAINED, headings, lines)


def _at_horizon(row: Row | None, reason: str) -> tuple[str, str]:
    if row is None:
        return NOTHING, reason
    return share(row["mean"]), interval(row["low"], row["high"], share)


def _needed(row: Row) -> tuple[str, str]:
    if row["answer"] == "cannot be forecast":
        return NOTHING, ""
    if row["answer"] == "not within reach":
        return "not within reach", f"by {row['horizon']:,}"
    ends = f"({about(row['low'])} to {about(row['high'])})"
    if math.isinf(row["high"]):
        ends = f"({about(row['low'])} or more)"
    if row["answer"] == "perhaps":
        return f"more than {row['horizon']:,}", ends
    return about(row["labels"]), ends
