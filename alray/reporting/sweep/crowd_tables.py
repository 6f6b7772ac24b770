"""The table of what a crowd answered, and what was answered to yes/no questions."""

from collections.abc import Callable, Sequence

import pandas as pd

from alray.analysis.sweep.crowd_answers import ANSWERED_COLUMNS
from alray.analysis.wording import NOTHING, share
from alray.reporting.sweep.style import ArmStyle, ArmStyles

HEADINGS = {
    "answers": "answers",
    "cost": "cost",
    "skipped": "skipped",
    "unanswered": "unanswered",
    "partly_labelled": "partly labelled",
    "wrong_labels": "wrong labels",
    "skill_error": "error of skills",
}

SHOWN: dict[str, Callable[[float], str]] = {
    "answers": lambda value: f"{value:,.0f}",
    "cost": lambda value: f"{value:,.2f}",
    "skipped": lambda value: f"{value:,.0f}",
    "unanswered": lambda value: f"{value:,.1f}",
    "partly_labelled": lambda value: f"{value:,.1f}",
    "wrong_labels": share,
    "skill_error": share,
}


def crowd_columns(crowd: pd.DataFrame) -> list[tuple[str, str]]:
    """Return heading and meaning of each column of `crowd_answers` that there is."""
    return [
        (HEADINGS[name], f"{text[:1].upper()}{text[1:]}, mean over seeds{_gaps(crowd[name])}")
        for name, text in ANSWERED_COLUMNS.items()
        if name in crowd
    ]


def crowd_lines(crowd: pd.DataFrame, arms: ArmStyles) -> list[tuple[ArmStyle, Sequence[str]]]:
    """Return each arm that bought answers, with its cells."""
    rows = {row["arm"]: row for row in crowd.to_dict("records")}
    names = [name for name in ANSWERED_COLUMNS if name in crowd]
    return [
        (arm, [_cell(name, rows[arm.name][name]) for name in names])
        for arm in arms.all
        if arm.name in rows
    ]


def _gaps(column: "pd.Series[float]") -> str:
    return f"; {NOTHING} where it does not apply" if column.isna().any() else ""


def _cell(name: str, value: float) -> str:
    return NOTHING if pd.isna(value) else SHOWN[name](value)
