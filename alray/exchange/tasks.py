"""What is to be labelled: a table of tasks, checked before a file is written of it."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from alray.errors import ExchangeError
from alray.pools.columns.metadata import name_some
from alray.pools.imports.json_lines import is_unicode

ID = "id"
PREDICTED, PROBABILITY, PRIORITY = "predicted", "probability", "priority"
ABOUT = (PREDICTED, PROBABILITY, PRIORITY)
"""Columns of tasks that say something about them; a column of the pool is shown under another name than these."""
KEY = "alray_id"
"""What the id is called in files of tools that have an `id` of their own."""

_IMAGE = re.compile(
    r"data:image/.*|[^?#]+\.(?:png|jpe?g|gif|webp|bmp|svg|tiff?)(?:[?#].*)?",
    re.IGNORECASE | re.DOTALL,
)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Task:
    """One object to label.

    Attributes:
        id: Of the object, as in the pool.
        shown: What the worker sees: a text per column that is shown.
        predicted: The class that the model predicts, None where there is none.
        probability: Of that class, None where it is not known.
        priority: Larger is first, None where it is not known.
    """

    id: str
    shown: dict[str, str]
    predicted: str | None = None
    probability: float | None = None
    priority: float | None = None


@dataclass(frozen=True)
class Tasks:
    """Objects to label, those with the largest priority first.

    Attributes:
        rows: A task each.
        classes: What a worker may answer.
        shown: The columns that are shown; where there are none, the id is shown.
        images: Those of them that hold images' addresses.
    """

    rows: tuple[Task, ...]
    classes: tuple[str, ...]
    shown: tuple[str, ...]
    images: frozenset[str]


def checked_tasks(frame: pd.DataFrame, classes: Sequence[str]) -> Tasks:
    """Return the tasks of a frame.

    Args:
        frame: A row per object: `id`; `predicted`, `probability` and `priority` where they are known; all other
            columns are shown.
        classes: What a worker may answer.

    Raises:
        ExchangeError: There is no row or no class, an id is missing or stands there twice, a predicted class is none
            of the classes, or a number is none.
    """
    if ID not in frame.columns:
        raise ExchangeError(
            f"tasks need a column {ID!r}; their columns are {name_some([*frame.columns])}"
        )
    if not len(frame):
        raise ExchangeError("there is no task to write; choose at least one object")
    names = tuple(dict.fromkeys(map(str, classes)))
    if not names or "" in names:
        raise ExchangeError(
            "tasks need the names of the classes that may be answered; name at least one"
        )
    ids = _texts(frame, ID)
    _require_ids(ids)
    shown = tuple(str(each) for each in frame.columns if each not in {ID, *ABOUT})
    columns = {each: _texts(frame, each) for each in shown} or {ID: ids}
    predicted = _texts(frame, PREDICTED) if PREDICTED in frame.columns else [""] * len(ids)
    unknown = sorted({each for each in predicted if each} - {*names})
    if unknown:
        raise ExchangeError(
            f"column {PREDICTED!r} of the tasks names {name_some(unknown)}, which is none of the classes "
            f"{name_some(names)}; add it to them"
        )
    probabilities = _numbers(frame, PROBABILITY)
    priorities = _numbers(frame, PRIORITY)
    rows = [
        Task(
            ids[row],
            {each: texts[row] for each, texts in columns.items()},
            predicted[row] or None,
            probabilities[row],
            priorities[row],
        )
        for row in range(len(ids))
    ]
    rows.sort(key=lambda task: -np.inf if task.priority is None else task.priority, reverse=True)
    images = frozenset(each for each, texts in columns.items() if _are_images(texts))
    return Tasks(tuple(rows), names, tuple(columns), images)


def shown_as(name: str, others: Collection[str]) -> str:
    """Return another name for a shown column: `shown_` before it, as often as it takes to be none of the others."""
    found = f"shown_{name}"
    while found in others:
        found = f"shown_{found}"
    return found


def plain_names(names: Sequence[str], taken: Sequence[str] = ()) -> dict[str, str]:
    """Return for each name one of letters, digits and underscores alone, all of them different whatever their case.

    Args:
        names: Columns of a pool, whatever they are called.
        taken: Names that may not be used.
    """
    found: dict[str, str] = {}
    used = {KEY, *(each.lower() for each in taken)}
    for name in names:
        bare = name if _WORD.fullmatch(name) else f"shown_{re.sub(r'[^A-Za-z0-9_]', '_', name)}"
        if bare.lower() in used:
            bare = f"shown_{bare}"
        plain, number = bare, 1
        while plain.lower() in used:
            number += 1
            plain = f"{bare}_{number}"
        used.add(plain.lower())
        found[name] = plain
    return found


def _texts(frame: pd.DataFrame, column: Any) -> list[str]:
    found = []
    for row, value in enumerate(frame[column].tolist()):
        if not pd.api.types.is_scalar(value):
            raise ExchangeError(
                f"column {column!r} of the tasks holds {type(value).__name__} in row {row} (counted from 0); show "
                "columns of text or numbers"
            )
        text = "" if pd.isna(value) else str(value)
        if not is_unicode(text):
            raise ExchangeError(
                f"column {column!r} of the tasks holds half a character in row {row} (counted from 0); mend the text"
            )
        found.append(text)
    return found


def _numbers(frame: pd.DataFrame, column: str) -> list[float | None]:
    if column not in frame.columns:
        return [None] * len(frame)
    found: list[float | None] = []
    for row, value in enumerate(frame[column].tolist()):
        if value is None or pd.isna(value):
            found.append(None)
            continue
        if not isinstance(value, (int, float)) or not np.isfinite(value):
            raise ExchangeError(
                f"column {column!r} of the tasks is {value!r} in row {row} (counted from 0); write a finite number, "
                "or nothing"
            )
        found.append(float(value))
    return found


def _require_ids(ids: list[str]) -> None:
    empty = [row for row, each in enumerate(ids) if not each]
    if empty:
        raise ExchangeError(
            f"column {ID!r} of the tasks is empty in {len(empty):,} rows ({name_some(empty)}, counted from 0); give "
            "every object an id"
        )
    if len({*ids}) < len(ids):
        twice = [each for each, count in Counter(ids).items() if count > 1]
        raise ExchangeError(
            f"column {ID!r} of the tasks holds {name_some(twice)} more than once; write each object once"
        )


def _are_images(texts: list[str]) -> bool:
    given = [each for each in texts if each]
    return bool(given) and all(_IMAGE.fullmatch(each) for each in given)
