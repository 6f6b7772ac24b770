"""The file of a tree of classes: columns class and parent."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from alray.errors import SpecError
from alray.pools.answer_cells import cell_texts, read_parquet
from alray.settings.location import location_of
from alray.settings.questions import FROM_FEATURES, FROM_NAMES, QuestionsSpec
from alray.studies.sweep.question_plan import TreeRows

COLUMNS = ("class", "parent")


def read_tree(questions: QuestionsSpec | None) -> TreeRows | None:
    """Return the rows of the file that these settings name, None where they name none.

    Raises:
        SpecError: It lacks a column or a name, or is no CSV file; names the file, the column and the row.
        PoolError: It is no Parquet file.
    """
    if questions is None or questions.tree in (FROM_FEATURES, FROM_NAMES):
        return None
    file = questions.tree
    path = location_of(file)
    if not isinstance(path, Path):
        raise SpecError(f"questions.tree: {path} is no local file; copy it here")
    if not path.is_file():
        raise SpecError(
            f"questions.tree: there is no file {file!r}; write the path of a CSV or Parquet file with the columns "
            f"class and parent, {FROM_NAMES}, or {FROM_FEATURES}"
        )
    rows = list(zip(*_columns(path, file), strict=True))
    unnamed = [number for number, (name, _) in enumerate(rows, 1) if not name]
    if unnamed:
        raise SpecError(f"{file}: column class is empty in row {unnamed[0]}")
    if not rows:
        raise SpecError(f"{file}: there are no rows")
    return rows


def _columns(path: Path, file: str) -> tuple[list[str], list[str]]:
    """Return the texts of both columns, "" where there is none."""
    table = read_parquet(path, file) if path.suffix == ".parquet" else _read_csv(path, file)
    names: list[str] = table.column_names
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise SpecError(
            f"{file}: there is no column {missing[0]}; its columns are {', '.join(names)}, and a tree has class and "
            "parent"
        )
    of_class, of_parent = (
        [(cell or "").strip() for cell in cell_texts(file, name, table.column(name))]
        for name in COLUMNS
    )
    return of_class, of_parent


def _read_csv(path: Path, file: str) -> Any:
    # Text as it stands: a class may be called NA or 007.
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (OSError, ValueError) as error:
        raise SpecError(
            f"questions.tree: {file} cannot be read as a table: {str(error).splitlines()[0]}"
        ) from None
