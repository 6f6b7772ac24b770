"""Read answers from a file of any labelling tool."""

from pathlib import Path

import pandas as pd

from alray.errors import ExchangeError
from alray.exchange.formats.detection import find_format
from alray.exchange.formats.format import Format
from alray.exchange.formats.registry import FORMATS
from alray.exchange.notes import Note
from alray.settings.base import nearest
from alray.settings.files import expand_home


def read_answers(
    path: str | Path,
    format: str | None = None,  # noqa: A002 -- what users call it
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Return the answers in a file, and what was left out or is unusual in it.

    Args:
        path: A labelling tool's export, or a long table.
        format: One of `FORMATS`; by default it is found by the file's content.

    Returns:
        A table as `alray.exchange.answers.answer_table` describes it, with at least one row, and a note per kind of
        thing that was left out.

    Raises:
        AlrayError: There is no such file or format, or it cannot be read, or holds no answer; names file, record,
            column and value.
    """
    file = Path(expand_home(str(path)))
    if not file.is_file():
        hint = "; copy it to this machine" if "://" in str(path) else "; check the path"
        raise ExchangeError(f"{path}: there is no such file{hint}")
    if not file.stat().st_size:
        raise ExchangeError(f"{path} is empty; export the answers again")
    chosen = format_named(format or find_format(file))
    table, notes = chosen.read(file)
    if table.empty:
        why = "; ".join(note.text for note in notes)
        raise ExchangeError(
            f"{path} has no answers{f' ({why})' if why else ''}; answer some tasks, and export them again"
        )
    return table, notes


def format_named(name: str) -> Format:
    """Return a format by its name.

    Raises:
        ExchangeError: There is none of that name.
    """
    if name not in FORMATS:
        near = nearest(name, FORMATS)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(FORMATS)}"
        raise ExchangeError(f"format {name!r} is not known; {hint}")
    return FORMATS[name]
