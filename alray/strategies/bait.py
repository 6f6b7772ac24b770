"""BAIT: batches whose Fisher information covers that of the whole pool (Ash et al. 2021)."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from alray.errors import SpecError
from alray.pools.pool import Indices
from alray.strategies.base import BatchStrategy, Query, given
from alray.strategies.checking import check_counts, check_distances, check_no_nan
from alray.strategies.fisher import Information, total_information
from alray.strategies.selection import best
from alray.strategies.signals import Request, Signals

LAMBDA = 1.0
"""What is added to the diagonal of the information matrix."""

LARGE = 1e4
"""Squared length of an input from which on gains are computed in float64: float32's error would be near 1 %."""

ROUNDING = 1e-5
"""Share of the largest gain below which gains do not differ: they come from sums in float32."""

MOST_BYTES = 10**9
"""Size of a matrix, of which up to six are held at once; inverting one of this size takes minutes."""


@dataclass(frozen=True)
class Bait(BatchStrategy):
    """Takes objects that leave the least of tr((1 + F_labelled + F_batch)^-1 F_all), F the last layer's information.

    Ash et al. 2021, algorithm 1: twice as many objects as wanted, each the one that lowers the trace most, of which
    those whose loss raises it least are given back. An object's information is (diag(p) - p p^T) kron h h^T with the
    layer's input h and the probabilities p; F_all is the sum over candidates and labelled objects. All are sums, as in
    the formula; the authors' code has means, by which the 1 on the diagonal weighs more.

    The matrices have (classes x width)^2 numbers, so h is projected to the `width` principal axes of all objects, about
    zero: nothing changes where h is no wider. To compare an object takes classes^2 width^2 operations, 80 microseconds
    for 50 classes and a width of 30: all of 250,000 for each of 40 steps would take a quarter of an hour. So each step
    compares an equal share of `comparisons` objects, drawn at random where there are more (Mirzasoleiman et al. 2015).
    Each of the 3 k steps also changes two of the matrices, which takes some 40 milliseconds: seconds for a query of 20,
    minutes for one of 2,000. A smaller `width` takes its square of the time. Matrices of more than 1 GB, of which up
    to six are held at once, are refused: from 373 classes on at a width of 30.

    Attributes:
        width: Numbers that are left of h.
        comparisons: Comparisons of an object with what is chosen so far, in all steps of a query that add, and in those
            that give back.
    """

    width: int = 30
    comparisons: int = 50_000

    def __post_init__(self) -> None:
        check_counts(self, "width", "comparisons")

    @property
    @override
    def needs(self) -> Request:
        return Request(log_probs=True, features=True, labelled=True)

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        labelled = given(signals.labelled)
        self.require_memory(given(signals.log_probs).shape[1], given(signals.features).shape[1])
        objects, known = _projected(signals, labelled, self.width)
        # Beside it 1 has to count in every direction, so it is summed in float64.
        of_labelled = total_information(*known.precise())
        everything = total_information(*objects).add_(of_labelled)
        of_labelled.diagonal().add_(LAMBDA)
        batch = _Batch(objects, Information(of_labelled, everything, objects.probs.shape[1]), rng)
        # Each may take a gigabyte.
        del of_labelled, everything
        wanted = min(2 * k, len(objects.probs))
        for _ in range(wanted):
            batch.add(max(1, self.comparisons // wanted))
        for _ in range(wanted - k):
            batch.give_back(max(1, self.comparisons // (wanted - k)))
        gains = np.array(list(batch.chosen.values()), dtype=np.float64)
        return Query(signals.candidates[list(batch.chosen)], gains)

    def require_memory(self, classes: int, inputs: int) -> None:
        """Refuse so many classes and inputs of the last layer where a matrix is larger than `MOST_BYTES`.

        Raises:
            SpecError: Says how large it is, and which width is none too many.
        """
        width = min(self.width, inputs)
        size = (classes * width) ** 2 * 8
        if size <= MOST_BYTES:
            return
        fits = math.isqrt(MOST_BYTES // 8) // classes
        raise SpecError(
            f"the strategy holds six matrices of (classes x width)^2 numbers: for {classes:,} classes and a width of "
            f"{width} each takes {size / 1e9:,.1f} GB, and {MOST_BYTES / 1e9:g} GB is the most; use "
            f"{f'bait:width={fits}, or ' if fits else ''}strategy badge"
        )


class _Objects(NamedTuple):
    """Objects: their probabilities (n, classes) and their inputs of the last layer (n, width)."""

    probs: Tensor
    inputs: Tensor

    def precise(self) -> "_Objects":
        """Return the same in float64."""
        return _Objects(self.probs.double(), self.inputs.double())

    def of(self, positions: Indices) -> "_Objects":
        """Return those at some positions."""
        part = torch.from_numpy(positions)
        return _Objects(self.probs[part], self.inputs[part])


class _Batch:
    """A batch in the making.

    Attributes:
        chosen: Position of each object, in the order in which they were added, and by how much it lowered the trace.
    """

    def __init__(
        self, objects: _Objects, information: Information, rng: np.random.Generator
    ) -> None:
        self._objects, self._information, self._rng = objects, information, rng
        self._large = float(objects.inputs.square().sum(1).max()) > LARGE
        self._left = np.ones(len(objects.probs), dtype=bool)
        self.chosen: dict[int, float] = {}

    def add(self, most: int) -> None:
        """Add the object that lowers the trace most, of at most so many that are compared."""
        position, gain = self._best(np.flatnonzero(self._left), most, removed=False)
        self._left[position] = False
        self.chosen[position] = gain
        self._change(position, removed=False)

    def give_back(self, most: int) -> None:
        """Give back the object without which the trace grows least, of at most so many that are compared."""
        position, _ = self._best(np.array(list(self.chosen)), most, removed=True)
        del self.chosen[position]
        self._change(position, removed=True)

    def _best(self, positions: Indices, most: int, *, removed: bool) -> tuple[int, float]:
        if len(positions) > most:
            positions = np.sort(self._rng.choice(positions, most, replace=False))
        part = self._objects.of(positions)
        if removed or self._large:
            part = part.precise()
        values = self._information.gains(*part, removed=removed).double().numpy()
        # What float32 does not tell apart is a tie, for which `best` draws.
        largest = np.abs(values[np.isfinite(values)]).max(initial=0.0)
        step = max(float(largest) * ROUNDING, np.finfo(np.float64).tiny)
        found = int(best(np.round(values / step), 1, self._rng, largest=not removed)[0])
        return int(positions[found]), float(values[found])

    def _change(self, position: int, *, removed: bool) -> None:
        self._information.change(
            self._objects.probs[position], self._objects.inputs[position], removed=removed
        )


def _projected(signals: Signals, labelled: Signals, width: int) -> tuple[_Objects, _Objects]:
    """Return candidates and labelled objects, their inputs projected to the principal axes of both together."""
    parts = []
    for each in (signals, labelled):
        inputs = given(each.features).cpu()
        probs = given(each.log_probs).cpu().exp()
        # The axes and gains are made of products of these, as distances are.
        check_distances("features", inputs)
        check_no_nan("probabilities", probs)
        parts.append(_Objects(probs, inputs))
    if parts[0].inputs.shape[1] > width:
        axes = _principal_axes([part.inputs for part in parts], width)
        parts = [_Objects(part.probs, part.inputs @ axes) for part in parts]
    return parts[0], parts[1]


def _principal_axes(parts: list[Tensor], count: int) -> Float[Tensor, "d count"]:
    """Return the directions of the largest sum of squares, about zero."""
    squares = torch.stack([part.t() @ part for part in parts]).double().sum(0)
    axes: Tensor = torch.linalg.eigh(squares).eigenvectors[:, -count:].to(parts[0])
    return axes
