"""Values in files of answers: texts, numbers and times, each checked, with its place named."""

import math
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from alray.errors import ExchangeError

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet takes for a formula."""

_LARGEST_WHOLE = 2**53


def guarded(text: str) -> str:
    """Return a text as a cell of a spreadsheet that no program runs as a formula.

    A cell that begins as a formula does gets an apostrophe before it, which spreadsheets take as "this is text"
    (OWASP, CSV injection). Negative whole numbers stay as they are.
    """
    bare = text.lstrip("'")
    starts = bare.startswith(FORMULA) and not (text[1:].isdecimal() and text.startswith("-"))
    return f"'{text}" if starts else text


def unguarded(text: str) -> str:
    """Return the text of which `guarded` made this cell."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(FORMULA) else text


def as_text(value: Any, place: str) -> str | None:
    """Return a value of a JSON record as text, None where there is none.

    Args:
        value: Text or a whole number.
        place: File, record and key, for messages.

    Raises:
        ExchangeError: It is another kind of value.
    """
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_WHOLE:
        value = int(value)
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise ExchangeError(f"{place} is {value!r}; write text or a whole number there")


def as_number(value: Any, place: str) -> float:
    """Return a number from 0 on, NaN where there is none.

    Raises:
        ExchangeError: It is something else.
    """
    if value is None or value == "":
        return math.nan
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if math.isnan(number):
        return math.nan
    if isinstance(value, bool) or not 0 <= number < math.inf:
        raise ExchangeError(
            f"{place} is {value!r}; write a number from 0 on, such as 1.5, or nothing"
        )
    return number


def as_time(value: Any, place: str) -> datetime | None:
    """Return a time of the form 2026-01-31T12:00:00 in UTC, None where there is none; without a zone it is UTC.

    Raises:
        ExchangeError: It is something else.
    """
    if value is None or value == "" or value is pd.NaT:
        return None
    try:
        # Not by pandas, which takes 5 for the fifth of this month, and now for now.
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (AttributeError, OverflowError, TypeError, ValueError):
        # In UTC the first and the last day of the calendar may lie outside of it.
        raise ExchangeError(
            f"{place} is {value!r}; write a time such as 2026-01-31T12:00:00Z, or nothing"
        ) from None
