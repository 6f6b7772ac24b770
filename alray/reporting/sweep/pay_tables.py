"""Tables of what pays: other settings of the crowd at equal money, and budgets that are better than all labels."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from alray.analysis.sweep.axis import axis_of
from alray.analysis.sweep.crowd_choices import where_both
from alray.analysis.wording import NOTHING, Row, interval, p_value, percentage, signed
from alray.reporting.sweep.style import ArmStyle, ArmStyles

Line = tuple[ArmStyle, Sequence[tuple[str, str]]]
"""An arm, and its cells: value, and what stands below it."""


def choice_lines(choices: pd.DataFrame, arms: ArmStyles) -> list[Line]:
    """Return the arms with other settings of the crowd: see `crowd_choices`."""
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
        saved = percentage(row["labels_saved"], row["labels_saved_low"], row["labels_saved_high"])
    ends = interval(row["alc_difference_low"], row["alc_difference_high"])
    where = where_both(row, axis_of(row, currency))
    if row["begin"] > row["budget"]:
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
