"""The file of a tree of classes: columns class and parent."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from alray.errors import SpecError
from alray.settings.location import location_of
from alray.settings.questions import FROM_FEATURES, FROM_NAMES, QuestionsSpec
from alray.studies.sweep.question_plan import TreeRows

COLUMNS = ("class", "parent")


def read_tree(questions: QuestionsSpec | None) -> TreeRows | None:
    """Return the rows of the file that these settings name, None where they name none.

    Raises:
        SpecError: It cannot be read, or lacks a column or a name; names the file, the column and the row.
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
    try:
        frame = _read(path)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise SpecError(
            f"questions.tree: {file} cannot be read as a table: {str(error).splitlines()[0]}"
        ) from None
    missing = [name for name in COLUMNS if name not in frame]
    if missing:
        raise SpecError(
            f"{file}: there is no column {missing[0]}; its columns are {', '.join(map(str, frame.columns))}, and a "
            "tree has class and parent"
        )
    rows = [
        (_text(name), _text(parent))
        for name, parent in zip(frame["class"], frame["parent"], strict=True)
    ]
    unnamed = [number for number, (name, _) in enumerate(rows, 1) if not name]
    if unnamed:
        raise SpecError(f"{file}: column class is empty in row {unnamed[0]}")
    if not rows:
        raise SpecError(f"{file}: there are no rows")
    return rows


def _text(cell: object) -> str:
    return "" if cell is None or cell != cell else str(cell).strip()  # noqa: PLR0124 -- NaN


def _read(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    # Text as it stands: a class may be called NA or 007.
    return pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
