"""The long table of answers: what the files of all labelling tools become."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pandas as pd

ANSWERED, SKIPPED, REJECTED = "answered", "skipped", "rejected"
STATUSES = (ANSWERED, SKIPPED, REJECTED)

TEXTS = ("task", "worker", "label", "status", "answer_id")
NUMBERS = ("seconds", "cost")
COLUMNS = ("task", "worker", "label", "status", "seconds", "cost", "time", "answer_id")


class Answer(NamedTuple):
    """One answer, a row of the table.

    Attributes:
        task: The id of the object in the pool.
        worker: Who answered, "" where the tool does not say.
        label: The class that was answered, None where none was.
        status: `answered`; `skipped`, by the worker; `rejected`, by whoever checks the answers.
        seconds: How long it took, NaN where the tool does not say.
        cost: What was paid for it, in the tool's currency, NaN where the tool does not say.
        time: When it was given or last changed, in UTC, None where the tool does not say.
        answer_id: The tool's own key of this answer, None where it has none. An answer that was changed in the tool
            keeps its key, so that together with the task it tells a correction from a second answer.
    """

    task: str
    worker: str = ""
    label: str | None = None
    status: str = ANSWERED
    seconds: float = np.nan
    cost: float = np.nan
    time: datetime | None = None
    answer_id: str | None = None


def answer_table(answers: Iterable[Answer]) -> pd.DataFrame:
    """Return answers as a table, in the order in which they come.

    Returns:
        A row per answer with `COLUMNS`: texts of dtype object, null where there is none; `seconds` and `cost` as
        float64; `time` as datetime64[us, UTC].
    """
    rows = list(answers)
    columns = {name: [row[number] for row in rows] for number, name in enumerate(Answer._fields)}
    found: dict[str, pd.Series] = {}
    for name in COLUMNS:
        if name in TEXTS:
            found[name] = pd.Series(columns[name], dtype=object)
        elif name in NUMBERS:
            found[name] = pd.Series(columns[name], dtype=np.float64)
        else:
            found[name] = pd.Series(columns[name], dtype="datetime64[us, UTC]")
    return pd.DataFrame(found)
