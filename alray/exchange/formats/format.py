"""What a format of files is: how it is read, and what is written of tasks."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from alray.exchange.notes import Note
from alray.exchange.tasks import Tasks

Found = tuple[pd.DataFrame, tuple[Note, ...]]
"""Answers as `answer_table` has them, and what was left out or is unusual."""


@dataclass(frozen=True)
class Format:
    """The files of one labelling tool.

    Attributes:
        about: What it is, in a few words.
        ending: What the name of its files usually ends with.
        read: Answers from a file; raises an AlrayError that names file, record and value.
        write: Of tasks the content of each file, by what its name ends with after the path's; "" is the path itself.
    """

    about: str
    ending: str
    read: Callable[[Path], Found]
    write: Callable[[Tasks], dict[str, bytes]]
