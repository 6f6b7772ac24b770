"""The table of suspects as a file, CSV or Parquet."""

import os
from pathlib import Path

import pandas as pd

from alray.errors import SpecError, StoreError
from alray.pools.files.whole import write_frame
from alray.settings.files import expand_home

ENDINGS = (".csv", ".parquet")


def checked_target(text: str, *, overwrite: bool) -> Path:
    """Return the file of a table; refuse one that could not be written in the end.

    Raises:
        SpecError: It is no local file, has another ending, exists without `overwrite`, or its folder does not exist.
    """
    if "://" in text:
        raise SpecError(f"--out {text}: write a local file, and copy it there")
    path = Path(expand_home(text))
    if path.suffix not in ENDINGS:
        raise SpecError(f"--out {path}: write a table named .csv or .parquet")
    if path.is_dir():
        raise SpecError(f"--out {path}: is a folder; name a file in it")
    if path.exists() and not overwrite:
        raise SpecError(
            f"--out {path}: exists already; name another file, or replace it with --overwrite"
        )
    if not path.parent.is_dir():
        raise SpecError(f"--out {path}: the folder {path.parent} does not exist; make it first")
    if not os.access(path.parent, os.W_OK):
        raise SpecError(f"--out {path}: nothing can be written into {path.parent}; name another")
    return path


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table; the file appears whole.

    Raises:
        StoreError: It cannot be written.
    """
    try:
        write_frame(path, table)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from None
