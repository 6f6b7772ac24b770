"""The table of what a crowd answered."""

from collections.abc import Callable, Sequence

import pandas as pd

from alray.analysis.sweep.crowd_answers import CROWD_COLUMNS
from alray.analysis.wording import share
from alray.reporting.sweep.style import ArmStyle, ArmStyles

HEADINGS = {
    "answers": "answers",
    "cost": "cost",
    "skipped": "skipped",
    "unanswered": "unanswered",
    "wrong_labels": "wrong labels",
    "skill_error": "error of skills",
}


def crowd_columns() -> list[tuple[str, str]]:
    """Return heading and meaning of each column."""
    return [
        (HEADINGS[name], f"{text[:1].upper()}{text[1:]}, mean over seeds")
        for name, text in CROWD_COLUMNS.items()
    ]


def crowd_lines(crowd: pd.DataFrame, arms: ArmStyles) -> list[tuple[ArmStyle, Sequence[str]]]:
    """Return each arm that asked a crowd, with its cells."""
    rows = {row["arm"]: row for row in crowd.to_dict("records")}
    shown: dict[str, Callable[[float], str]] = {
        "answers": lambda value: f"{value:,.0f}",
        "cost": lambda value: f"{value:,.2f}",
        "skipped": lambda value: f"{value:,.0f}",
        "unanswered": lambda value: f"{value:,.1f}",
        "wrong_labels": share,
        "skill_error": share,
    }
    return [
        (arm, [shown[name](rows[arm.name][name]) for name in CROWD_COLUMNS])
        for arm in arms.all
        if arm.name in rows
    ]
