"""Tables of what pays: other settings of the crowd, another beginning, and budgets that are better than all labels."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from alray.analysis.sweep.axis import Axis, axis_in, axis_of
from alray.analysis.sweep.between_variants import is_apart, saved_texts, where_both
from alray.analysis.sweep.comparison import Comparison
from alray.analysis.wording import NOTHING, Row, interval, p_value, signed
from alray.reporting.sweep.style import ArmStyle, ArmStyles

Line = tuple[ArmStyle, Sequence[tuple[str, str]]]
"""An arm, and its cells: value, and what stands below it."""


@dataclass(frozen=True)
class Section:
    """A section about variants that are compared with each other.

    Attributes:
        anchor: Its name in the page's address.
        heading: The question that it answers.
        lead: What is compared with what.
        label: What its table is of, for who hears the page.
        axis: What the curves of its rows run along.
        lines: The rows.
    """

    anchor: str
    heading: str
    lead: str
    label: str
    axis: Axis
    lines: Sequence[Line]


_TEXTS: Mapping[str, tuple[str, str, str, str]] = {
    "crowd_choices": (
        "crowd-choices",
        "Which settings of the crowd pay?",
        "Each arm against the same strategy with the study's own settings, along the {axis} that both have spent.",
        "settings of the crowd",
    ),
    "initial_selections": (
        "initial-selections",
        "Does another beginning pay?",
        "Each arm against the same strategy whose initial objects were chosen otherwise, along the {axis} that both "
        "have.",
        "ways to choose the initial objects",
    ),
}
"""Frame of a comparison: anchor, heading, lead and label of its section."""


def choice_sections(found: Comparison, arms: ArmStyles) -> list[Section]:
    """Return the sections about variants that are compared with each other, those without a row left out."""
    sections = []
    for name, (anchor, heading, lead, label) in _TEXTS.items():
        frame: pd.DataFrame = getattr(found, name)
        axis = axis_in(frame.to_dict("records"), arms.axis.currency)
        lines = choice_lines(frame, arms)
        if lines:
            text = lead.format(axis=axis.title)
            sections.append(Section(anchor, heading, text, label, axis, lines))
    return sections


def choice_lines(choices: pd.DataFrame, arms: ArmStyles) -> list[Line]:
    """Return the arms of variants that are compared with each other: see `between_variants`."""
    rows = [row for row in choices.to_dict("records") if row["paired_seeds"]]
    return _lines(rows, arms, _choice)


def beyond_lines(summary: pd.DataFrame, arms: ArmStyles) -> list[Line]:
    """Return the arms with their best budget against all labels: see `beyond_full_data`."""
    rows = summary.to_dict("records")
    known = [row for row in rows if not math.isnan(row.get("full_data_gain", math.nan))]
    return _lines(known, arms, _beyond)


def _lines(rows: Sequence[Row], arms: ArmStyles, cells: Any) -> list[Line]:
    by_name = {row["arm"]: row for row in rows}
    currency = arms.axis.currency
    return [(arm, cells(by_name[arm.name], currency)) for arm in arms.all if arm.name in by_name]


def _choice(row: Row, currency: str) -> list[tuple[str, str]]:
    saved = (NOTHING, "")
    if not math.isnan(row["labels_saved"]):
        saved = saved_texts(row)
    ends = interval(row["alc_difference_low"], row["alc_difference_high"])
    where = where_both(row, axis_of(row, currency))
    if is_apart(row):
        where = "nothing in common"
    return [
        (str(row["against"]), ""),
        (where, ""),
        (signed(row["alc_difference"]), ends),
        (p_value(row["p"]), ""),
        saved,
    ]


def _beyond(row: Row, currency: str) -> list[tuple[str, str]]:
    ends = interval(row["full_data_gain_low"], row["full_data_gain_high"])
    best = axis_of(row, currency).amount(row["full_data_best"])
    return [(best, ""), (signed(row["full_data_gain"]), ends)]
