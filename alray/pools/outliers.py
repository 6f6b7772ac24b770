"""Find objects with values so large that standardised features of all others are nearly equal."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from alray.pools.columns.features import FeatureColumn
from alray.pools.columns.metadata import name_some
from alray.pools.pool import Indices, Texts

_FEWEST = 50
_SAMPLE = 2_000
_ROWS_AT_A_TIME = 16_384
_CRUSHED = 100
"""Times by which one object alone enlarges a feature's standard deviation over its interquartile range."""


def outlier_warnings(columns: Sequence[FeatureColumn], ids: Texts) -> list[str]:
    """Return a line for each modality in which a few objects leave no differences between the others."""
    lines = []
    for column in columns:
        # Columns with NaN are refused anyway, and bytes have no such values.
        if not len(column.unusable) and column.modality.features.dtype != np.uint8:
            rows = crushing_rows(column.modality.features)
            if len(rows):
                named = ids[np.isin(column.modality.rows, rows)]
                lines.append(
                    f"column {column.name!r} has values so large in {len(named):,} objects that features of all others "
                    f"look alike once they are standardised: {name_some(named)}; mend or remove these rows"
                )
    return lines


def crushing_rows(features: npt.NDArray[np.generic]) -> Indices:
    """Return the sorted rows with values far outside what most rows have: one alone decides the feature's deviation."""
    if len(features) < _FEWEST:
        return np.empty(0, np.int64)
    sample = features[:: max(1, len(features) // _SAMPLE)].astype(np.float64)
    low, middle, high = np.percentile(sample, [25, 50, 75], axis=0)
    limit = _CRUSHED * np.sqrt(len(features)) * (high - low)
    limit[high == low] = np.inf  # a rare value, as in sparse features, is no outlier
    found = [np.empty(0, np.int64)]
    for start, block in _blocks(features):
        # Without subtracting the middle, two quick passes are enough for nearly all blocks.
        largest = np.maximum(block.max(axis=0), -block.min(axis=0)).astype(np.float64)
        if (largest + np.abs(middle) > limit).any():
            beyond = np.abs(block.astype(np.float64) - middle) > limit
            found.append(start + np.flatnonzero(beyond.any(axis=1)))
    return np.concatenate(found)


def _blocks(
    features: npt.NDArray[np.generic],
) -> Iterator[tuple[int, npt.NDArray[np.floating]]]:
    for start in range(0, len(features), _ROWS_AT_A_TIME):
        yield start, np.asarray(features[start : start + _ROWS_AT_A_TIME], np.float32)
