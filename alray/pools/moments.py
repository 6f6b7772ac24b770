"""Mean and standard deviation of features over some rows, in float64, a chunk of the pool at a time."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from alray.pools.pool import Indices

ROWS_AT_A_TIME = 16_384
"""Rows that are converted to float64 at a time."""

SMALL_VARIANCE = 2.0**-10
"""Where a variance is smaller, it is computed from differences to the mean: squares have too few digits for it."""

Numbers = npt.NDArray[np.float64]
Rows = npt.NDArray[np.integer]


def moments(
    features: npt.NDArray[np.generic], rows: Rows, columns: Indices | None = None
) -> tuple[Numbers, Numbers]:
    """Return mean and standard deviation per feature over the given rows, of these columns or all of them.

    Equal numbers have a deviation of exactly 0: float64 holds sums of float32 without an error.
    """
    width = features.shape[1] if columns is None else len(columns)
    total = np.zeros(width)
    for block in _chunks(features, rows, columns):
        total += block.sum(axis=0)
    mean = total / len(rows)
    squares = np.zeros(width)
    for block in _chunks(features, rows, columns):
        squares += ((block - mean) ** 2).sum(axis=0)
    return mean, np.sqrt(squares / len(rows))


class Sums:
    """Sums over rows that come a few at a time, added up in the blocks of `moments`, so equal to its sums to the bit.

    Attributes:
        rows: How many came.
    """

    def __init__(self, width: int, mean: Numbers | None = None) -> None:
        """Begin with sums of (width,) features, or of their squared differences to a mean."""
        self.rows = 0
        self._mean = mean
        self._total = np.zeros(width)
        self._block = np.empty((ROWS_AT_A_TIME, width))
        self._filled = 0

    def add(self, features: npt.NDArray[np.generic]) -> None:
        """Add (n, width) rows."""
        self.rows += len(features)
        while len(features):
            some = features[: ROWS_AT_A_TIME - self._filled]
            self._block[self._filled : self._filled + len(some)] = some
            self._filled += len(some)
            features = features[len(some) :]
            if self._filled == ROWS_AT_A_TIME:
                self._close_block()

    def total(self) -> Numbers:
        """Return (width,) sums; nothing can be added afterwards."""
        if self._filled:
            self._close_block()
        return self._total

    def _close_block(self) -> None:
        block, self._filled = self._block[: self._filled], 0
        self._total += (block if self._mean is None else (block - self._mean) ** 2).sum(axis=0)


def moments_of_sets(
    features: npt.NDArray[np.generic], members: npt.NDArray[np.bool_]
) -> tuple[Numbers, Numbers]:
    """Return (sets, dimension) mean and standard deviation per feature over several sets of rows, in one pass.

    Those of a set are the same to the bit whatever the other sets are, and for any number of threads: features and
    squares are rounded to multiples of a power of two, small enough for all digits that matter, whose sums float64
    holds without an error in any order.

    Args:
        features: (rows, dimension) bytes, or numbers with a variance of 0 or about 1 over all rows.
        members: (sets, rows) which rows are in a set, at least one in each.
    """
    counts = members.sum(axis=1)[:, None]
    unit = _unit(features)
    total, squares = (np.zeros((len(members), features.shape[1])) for _ in range(2))
    for start in range(0, len(features), ROWS_AT_A_TIME):
        block = features[start : start + ROWS_AT_A_TIME].astype(np.float64)
        chosen = members[:, start : start + ROWS_AT_A_TIME].astype(np.float64)
        total += chosen @ np.rint(block / unit)
        squares += chosen @ np.rint(block**2 / unit)
    mean = total * unit / counts
    variance = squares * unit / counts - mean**2
    deviation = np.sqrt(np.maximum(variance, 0))
    if features.dtype != np.uint8:
        for number, of_set in enumerate(members):
            small = np.flatnonzero(variance[number] < SMALL_VARIANCE)
            if len(small):
                exact = moments(features, np.flatnonzero(of_set), small)
                mean[number, small], deviation[number, small] = exact
    return mean, deviation


def _unit(features: npt.NDArray[np.generic]) -> float:
    """Return the power of two of which rounded numbers are multiples, so that all sums of them are exact.

    Squares sum up to about the number of rows, where the variance is 1, and absolute values to no more.
    """
    if features.dtype == np.uint8:
        return 1.0
    return float(2.0 ** (math.ceil(math.log2(len(features))) - 51))


def _chunks(
    features: npt.NDArray[np.generic], rows: Rows, columns: Indices | None
) -> Iterator[Numbers]:
    for start in range(0, len(rows), ROWS_AT_A_TIME):
        block = features[rows[start : start + ROWS_AT_A_TIME]]
        yield (block if columns is None else block[:, columns]).astype(np.float64)
