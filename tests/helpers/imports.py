"""Sources of other formats, imported as pools."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from alray.errors import PoolError
from alray.pools.files.parquet import open_pool
from alray.pools.importing import Target, WriteSummary, import_pool
from alray.pools.imports.source import ImportOptions
from tests.helpers.pools_fixtures import read


def run(source: Path, options: ImportOptions | None = None, **target: Any) -> WriteSummary:
    """Import a source into the file out.parquet beside it."""
    settings = Target(source.with_name("out.parquet"), **target)
    return import_pool(source, settings, options or ImportOptions(), lambda _done, _total: None)


def refusal(source: Path, options: ImportOptions | None = None, **target: Any) -> str:
    with pytest.raises(PoolError) as caught:
        run(source, options, **target)
    assert not source.with_name("out.parquet").exists()
    return str(caught.value)


def imported(source: Path, options: ImportOptions | None = None, **target: Any) -> Any:
    """Return the pool that a source becomes."""
    return read(str(run(source, options, **target).path))


def draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def table_of(path: Path) -> Any:
    """Return a written file as a table; PyArrow's own reader reads null rows of fixed-size lists since 26 only."""
    file = open_pool(str(path))
    return pa.table({name: file.column(name) for name in file.schema.names})
