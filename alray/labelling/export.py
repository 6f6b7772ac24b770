"""Labels as a file: Parquet, or CSV that a spreadsheet opens without running anything."""

from pathlib import Path

import pandas as pd

from alray.errors import ExchangeError
from alray.exchange.cells import guarded
from alray.pools.files.whole import write_frame
from alray.settings.files import expand_home

ENDINGS = (".parquet", ".csv")


def check_ending(path: str | Path) -> Path:
    """Return where labels are to be written.

    Raises:
        ExchangeError: The name ends otherwise than files of labels do.
    """
    target = Path(expand_home(str(path)))
    if target.suffix.lower() not in ENDINGS:
        raise ExchangeError(
            f"{path}: labels are written as {' or '.join(ENDINGS)}; give the file such an ending"
        )
    return target


def write_labels(table: pd.DataFrame, path: str | Path) -> None:
    """Write labels whole; a file that is there is replaced.

    Raises:
        ExchangeError: The ending is another, or the file cannot be written.
    """
    target = check_ending(path)
    if target.suffix.lower() == ".csv":
        table = table.assign(
            **{name: table[name].map(guarded) for name in ("id", "label", "workers")}
        )
    try:
        write_frame(target, table)
    except OSError as error:
        raise ExchangeError(
            f"cannot write {path}: {error.strerror or error}; name another file"
        ) from None
