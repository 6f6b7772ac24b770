"""Pools of many Parquet files, written from the rows of a good pool."""

from pathlib import Path

import pyarrow as pa
import pytest

from alray.errors import PoolError
from tests.helpers.pools_fixtures import columns, read, write_table


def write(path: Path, table=None, rows=slice(None), **changed):
    """Write these rows of a good pool, with changes, and return the file's path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = pa.table(columns(**changed)) if table is None else table
    write_table(whole.slice(rows.start or 0, (rows.stop or len(whole)) - (rows.start or 0)), path)
    return str(path)


def shards(folder, names=("b.parquet", "a.parquet", "c.parquet"), **changed):
    """Write a pool of six objects as three files of two, which in this order are the pool."""
    for start, name in zip(range(0, 6, 2), names, strict=True):
        write(folder / name, rows=slice(start, start + 2), **changed)
    return str(folder)


def refusal(source, **settings):
    with pytest.raises(PoolError) as caught:
        read(str(source), **settings)
    return str(caught.value)
