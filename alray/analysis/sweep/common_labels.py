"""Learning curves with different label counts, on counts that all of them have: those of the range that all cover."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

RUN = ["arm", "variant", "seed"]
"""Columns that name a curve."""


def _labels(value: float) -> str:
    return f"{value:,.0f} labels"


def on_common_labels(
    table: pd.DataFrame,
    metrics: Sequence[str],
    most: int | None = None,
    write: Callable[[float], str] = _labels,
) -> tuple[pd.DataFrame, dict[str, tuple[float, float]]]:
    """Return curves whose label counts agree within each variant, and variant: the range of those that did not.

    The range goes from the largest first count to the smallest last one. Its counts are all that any curve of the
    variant has in it, or equally spaced ones where these are too many; between two counts of its own a curve is a
    straight line. Curves that agree stay as they are.

    Args:
        table: A row per curve and label count: columns of `RUN`, labels, the metrics, and others that are constant
            along a curve.
        metrics: Columns to interpolate.
        most: The most counts of a range.
        write: How an error names a count; they may be amounts of money as well.

    Raises:
        ValueError: A variant's curves have no range in common; names the two that are furthest apart.
    """
    parts, ranges = [], {}
    for variant, of_variant in table.groupby("variant", sort=False):
        counts = of_variant.groupby(RUN, sort=False)["labels"].agg(frozenset)
        if counts.nunique() > 1:
            low, high = _common_range(of_variant, write)
            inside = of_variant["labels"].between(low, high)
            grid = np.unique(of_variant.loc[inside, "labels"].to_numpy())
            if most is not None and len(grid) > most:
                grid = np.linspace(low, high, most)
            curves = of_variant.groupby(RUN, sort=False)
            parts += [_at(grid, curve, metrics) for _, curve in curves]
            ranges[str(variant)] = low, high
        else:
            parts.append(of_variant)
    return pd.concat(parts, ignore_index=True), ranges


def _common_range(table: pd.DataFrame, write: Callable[[float], str]) -> tuple[float, float]:
    ends = table.groupby(RUN, sort=False)["labels"].agg(["min", "max"])
    low, high = float(ends["min"].max()), float(ends["max"].min())
    if low > high:
        named = [f"arm {arm!r}, seed {seed}," for arm, _, seed in ends.index]
        begins, stops = named[int(ends["min"].argmax())], named[int(ends["max"].argmin())]
        raise ValueError(f"{begins} begins at {write(low)}, and {stops} ends at {write(high)}")
    return low, high


def _at(grid: np.ndarray, curve: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Return a curve at these label counts, all within its own."""
    ordered = curve.sort_values("labels")
    first = ordered.iloc[[0]].drop(columns=["labels", *metrics])
    own = ordered["labels"].to_numpy(float)
    values = {name: np.interp(grid, own, ordered[name].to_numpy(float)) for name in metrics}
    repeated = first.loc[first.index.repeat(len(grid))].reset_index(drop=True)
    return repeated.assign(labels=grid, **values)
