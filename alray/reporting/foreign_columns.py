"""Tables of learning curves as other people write them: their names of columns, percentages, tables without seeds.

What is read in another way than it is written is said in a sentence; what could mean two things is refused.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alray.analysis.sweep.metrics import DECIDING, LESS_IS_BETTER
from alray.errors import StoreError

OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "arm": ("strategy", "query_strategy", "method", "algorithm", "sampler", "acquisition"),
    "seed": ("random_seed", "run", "repeat", "repetition", "trial", "fold", "split"),
    "labels": (
        *("n_labels", "num_labels", "n_labeled", "n_labelled", "num_labeled", "num_labelled"),
        *("labeled", "labelled", "labeled_size", "n_samples", "num_samples", "train_size", "budget"),
    ),
    "accuracy": ("acc", "test_accuracy", "test_acc"),
    "macro_f1": ("f1_macro", "test_macro_f1"),
}  # fmt: skip
"""Column: what others call it; case, spaces and hyphens do not matter."""

SEPARATORS = ",;\t|"

_MELT = "pandas.melt(table, id_vars=['seed', 'labels'], var_name='arm', value_name='accuracy')"


def separator_of(path: Path) -> str:
    """Return what separates the columns of a text: that of `,`, `;`, tab and `|` that its first line has most of."""
    with path.open(encoding="utf-8", errors="replace") as text:
        first = text.readline()
    return max(SEPARATORS, key=first.count)


def with_usual_columns(
    raw: pd.DataFrame, path: Path, reference: str | None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a table with the columns that alray names, and sentences on what was read in another way.

    Args:
        raw: As it was read.
        path: Of the file, for messages.
        reference: The arm that others are compared with, to know a table with a column per arm; None where none is.

    Raises:
        StoreError: Two columns may be meant, there is no row of names, each arm has a column, or seeds are missing
            where there are several.
    """
    _check_header(raw, path)
    table, notes = _renamed(raw, path)
    if "arm" not in table and reference is not None and reference in table:
        raise StoreError(
            f"{path} has a column for each arm; make it a table with a row per arm, seed and label count, such as by "
            f"{_MELT}"
        )
    for name in DECIDING:
        if name in table and name not in LESS_IS_BETTER and _is_percent(table[name]):
            table = table.assign(**{name: pd.to_numeric(table[name], errors="coerce") / 100})
            notes.append(f"Column {name} is read as percentages.")
    if "seed" not in table and {"arm", "labels"} <= set(table.columns):
        key = [name for name in ("arm", "variant", "labels") if name in table]
        if table.duplicated(key).any():
            raise StoreError(
                f"{path} has several rows for an arm and a label count, and no column seed to tell which belong "
                "together; add one, the number of the run"
            )
        table = table.assign(seed=0)
        notes.append("There is no column seed, so each arm is one curve.")
    return table, tuple(notes)


def _renamed(raw: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, list[str]]:
    plain = {name: _plain(name) for name in raw.columns}
    names: dict[Any, str] = {}
    for wanted, others in OTHER_NAMES.items():
        if wanted in raw.columns:
            continue
        found = [name for name, text in plain.items() if text == wanted]
        found = found or [name for name, text in plain.items() if text in others]
        if len(found) > 1:
            raise StoreError(
                f"{path} has no column {wanted}, and {' and '.join(map(str, found))} may each be it; call one {wanted}"
            )
        names |= dict.fromkeys(found, wanted)
    notes = [f"Column {name} is read as {wanted}." for name, wanted in names.items()]
    return raw.rename(columns=names), notes


def _plain(name: object) -> str:
    return str(name).strip().lower().replace(" ", "_").replace("-", "_")


def _is_percent(column: "pd.Series[Any]") -> bool:
    """Return whether a column holds percentages: most of it is above 1, and nothing outside 0 to 100.

    One value above 1 among shares is a mistake, which is refused where values are checked.
    """
    values = pd.to_numeric(column, errors="coerce").to_numpy(float)
    if not len(values) or not np.isfinite(values).all():
        return False
    return bool(np.median(values) > 1 and values.min() >= 0 and values.max() <= 100)


def _check_header(raw: pd.DataFrame, path: Path) -> None:
    """Refuse a file whose first row are values."""
    numbers = pd.to_numeric(pd.Series([str(name) for name in raw.columns]), errors="coerce")
    if len(numbers) > 1 and numbers.notna().all():
        shown = ", ".join(map(str, raw.columns[:4]))
        raise StoreError(
            f"{path} has no row of column names: its first row is {shown}; put one above it that names arm, seed, "
            "labels and accuracy"
        )
