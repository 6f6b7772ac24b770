"""Write a file so that a reader sees all of it or nothing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a hidden name beside a path to write to; it becomes the path at the end, and goes where something fails.

    Raises:
        OSError: The file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write a table whole: CSV where the name ends so, else Parquet.

    Raises:
        OSError: It cannot be written.
    """
    with whole_file(path) as temporary:
        if path.suffix.lower() == ".csv":
            frame.to_csv(temporary, index=False)
        else:
            frame.to_parquet(temporary, index=False)
