"""Learning curves made elsewhere, from a tidy CSV or Parquet table to the rounds and runs of a study."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from alray.analysis.sweep.arms import RANDOM
from alray.analysis.sweep.common_labels import on_common_labels
from alray.analysis.sweep.full_data import fill_full_data
from alray.analysis.sweep.metrics import DECIDING
from alray.analysis.wording import count
from alray.errors import StoreError
from alray.reporting.foreign_columns import separator_of, with_usual_columns

REQUIRED = ("arm", "seed", "labels")
_ABSENT = ("ece", "query_s", "fit_s", "eval_s")
_KEY = ["arm", "variant", "seed", "labels"]
_FLAGS = {"true": True, "1": True, "false": False, "0": False}

Column: TypeAlias = "pd.Series[Any]"
Values = npt.NDArray[np.float64]


def read_curves(
    path: str | Path, reference: str | None = RANDOM
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """Read a table with a row per arm, seed and label count, as `rounds` and `runs` of a study, and what to know of it.

    Where label counts differ within a variant, curves are taken at common ones, and a sentence says so.

    Columns: arm, seed, labels, and at least one of accuracy and macro_f1 (shares), nll (nats); optionally variant and
    oracle. Others are ignored. What others call these columns, percentages, and a table of one curve an arm without
    seeds are read too, which a sentence says (`foreign_columns`). What the table does not have is NaN, so `summarise`
    and `compare` take the two frames as they are (queries are unknown: give `compare` an empty frame). An arm called
    `full data` holds models that have learnt from all labels.

    Args:
        path: A file named `*.parquet`; any other is read as CSV with a header.
        reference: The arm that every other arm of its variant will be compared with; the table must have it. None where
            arms are not compared.

    Raises:
        StoreError: Naming file, column, row (the first one after the header is row 1) and value of what cannot be
            used.
    """
    path = Path(path)
    usual, read_as = with_usual_columns(_read(path), path, reference)
    table = _columns(usual, path)
    _check_unique(table, path)
    _check_arms(table, reference, path)
    table, notes = _on_common_labels(table, path)
    identity = _identity(table, path)
    runs = identity.drop_duplicates("run_id", ignore_index=True)
    runs = runs.assign(status="finished", error="", traceback="")
    return _rounds(table, identity), runs, (*read_as, *notes)


def _read(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        # Text as it stands: an arm may be called NA, and a wrong value is to be shown.
        return pd.read_csv(
            path, sep=separator_of(path), dtype=str, keep_default_na=False, skipinitialspace=True
        )
    except (OSError, ValueError, pa.ArrowException) as error:
        raise StoreError(f"{path} cannot be read as a table: {error}") from error


def _columns(raw: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the columns that are used, with their types."""
    metrics = [name for name in DECIDING if name in raw]
    missing = [name for name in REQUIRED if name not in raw]
    if missing or not metrics:
        lacking = missing or [f"one of {', '.join(DECIDING)}"]
        raise StoreError(
            f"{path} lacks {' and '.join(lacking)}: its columns are {', '.join(map(str, raw.columns))}"
        )
    if raw.empty:
        raise StoreError(f"{path} has no rows")
    parts: dict[str, Any] = {"arm": _texts(raw["arm"], path), "variant": ""}
    if "variant" in raw:
        parts["variant"] = raw["variant"].fillna("").astype(str)
    parts |= {name: _whole(raw[name], path) for name in ("seed", "labels")}
    parts["oracle"] = _flags(raw["oracle"], path) if "oracle" in raw else False
    parts |= {name: _metric(raw[name], path) for name in metrics}
    return fill_full_data(pd.DataFrame(parts))


def _texts(column: Column, path: Path) -> "pd.Series[str]":
    _refuse(column, path, (column.isna() | (column == "")).to_numpy(bool), "a name")
    return column.astype(str)


def _numbers(column: Column, path: Path) -> Values:
    values = pd.to_numeric(column, errors="coerce").to_numpy(float, na_value=math.nan)
    _refuse(column, path, ~np.isfinite(values), "a number")
    return np.asarray(values)


def _whole(column: Column, path: Path) -> npt.NDArray[np.int64]:
    values = _numbers(column, path)
    _refuse(column, path, (values != np.floor(values)) | (values < 0), "a whole number from 0")
    return values.astype(np.int64)


def _metric(column: Column, path: Path) -> Values:
    values = _numbers(column, path)
    if column.name != "nll":
        wanted = "a share from 0 to 1 (divide percentages by 100)"
        _refuse(column, path, (values < 0) | (values > 1), wanted)
    return values


def _flags(column: Column, path: Path) -> npt.NDArray[np.bool_]:
    flags = column.map(lambda value: _FLAGS.get(str(value).strip().lower()))
    _refuse(column, path, flags.isna().to_numpy(bool), "true or false")
    return flags.to_numpy(bool)


def _refuse(column: Column, path: Path, bad: npt.NDArray[np.bool_], wanted: str) -> None:
    if not bad.any():
        return
    row = int(np.flatnonzero(bad)[0])
    others = f" (and {count(int(bad.sum()) - 1, 'more row')})" if bad.sum() > 1 else ""
    value = column.iloc[row]
    shown = f"'{value}'" if isinstance(value, str) else str(value)
    raise StoreError(
        f"{path}, column {column.name}, row {row + 1}: {shown} is not {wanted}{others}"
    )


def _check_unique(table: pd.DataFrame, path: Path) -> None:
    twice = table.duplicated(_KEY).to_numpy()
    if not twice.any():
        return
    row = int(np.flatnonzero(twice)[0])
    *run, labels = table[_KEY].iloc[row]
    first = int(np.flatnonzero((table[_KEY] == table[_KEY].iloc[row]).all(axis=1))[0])
    raise StoreError(
        f"{path}, column labels, row {row + 1}: {_run(run)} has {labels} labels in row {first + 1} already"
    )


def _on_common_labels(table: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the table with label counts that agree within each variant, and a sentence where they did not."""
    metrics = [name for name in DECIDING if name in table]
    compared = table[~table["full_data"]]
    try:
        common, ranges = on_common_labels(compared, metrics)
    except ValueError as error:
        raise StoreError(
            f"{path}, column labels: {error}, so there is no label count at which both are known; leave one of them "
            "out, or give it rows that overlap"
        ) from None
    if not ranges:
        return table, ()
    notes = tuple(
        f"Label counts differ between {f'the runs of variant {variant}' if variant else 'runs'}: they are compared "
        f"from {low:,.0f} to {high:,.0f} labels, which all of them cover, with straight lines between the counts "
        "of a run."
        for variant, (low, high) in ranges.items()
    )
    return pd.concat([common, table[table["full_data"]]], ignore_index=True), notes


def _check_arms(table: pd.DataFrame, reference: str | None, path: Path) -> None:
    arms = list(dict.fromkeys(table["arm"]))
    if reference is not None and reference not in arms:
        raise StoreError(
            f"{path}, column arm: no arm is called {reference!r}, so there is nothing to compare with; name one of "
            f"{', '.join(arms)} to compare against"
        )
    mixed = table.groupby("arm", sort=False)["oracle"].nunique() > 1
    if mixed.any():
        raise StoreError(
            f"{path}, column oracle: arm {mixed.idxmax()!r} is an oracle in some rows only"
        )


def _run(run: Sequence[Any]) -> str:
    arm, variant, seed = run
    return f"arm {_named(arm, variant)!r}, seed {seed},"


def _named(arm: str, variant: str) -> str:
    return f"{arm} [{variant}]" if variant else arm


def _identity(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    names = [_named(*pair) for pair in zip(table["arm"], table["variant"], strict=True)]
    return pd.DataFrame(
        {
            "study": path.stem,
            "run_id": [f"{n}__seed-{s}" for n, s in zip(names, table["seed"], strict=True)],
            "arm": names,
            "strategy": table["arm"],
            "variant": table["variant"],
            "oracle": table["oracle"],
            "full_data": table["full_data"],
            "seed": table["seed"],
        }
    )


def _rounds(table: pd.DataFrame, identity: pd.DataFrame) -> pd.DataFrame:
    number = table["labels"].rank(method="dense").astype(np.int64) - 1
    rounds = identity.assign(round=number, labels=table["labels"])
    for name in (*DECIDING, *_ABSENT):
        rounds[name] = table.get(name, math.nan)
    return rounds.sort_values(["arm", "seed", "labels"], kind="stable", ignore_index=True)
