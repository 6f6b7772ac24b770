"""How alike the objects of a round's query are: their diversity, the density around them, duplicates among them.

All of it is about the pool's own standardised features, as the run sees them: they are the same for all arms of a seed
and for all rounds, which a network's features are not. An object may lack modalities. Two objects are compared by what
both have (Dixon 1979): the squared distance over the modalities in common, divided by what it is on average for two
random objects of the train part that have the same in common. So a squared distance of 1 is a usual one, and nothing
depends on values that are absent.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from alray.networks.tensors import Batch, PoolTensors
from alray.pools.pool import Indices
from alray.strategies.distances import Points
from alray.studies.sweep.records import Record

SAMPLE = 256
"""Objects of the train part that stand for all of it: one sample for each seed, common to its arms and rounds."""

NEIGHBOUR = 3
"""Density is measured by the distance to the third nearest object of the sample: its nearest hundredth."""

LOOKED_AT = 128
"""Of a larger query so many random objects are looked at for density and duplicates, so that costs grow with the query
and not with its square."""

NEAR = 0.1
"""Two objects nearer than this share of the usual distance are near duplicates. On the pools that come with alray few
nearest objects lie at 1 to 10 % of the usual distance: copies are nearer, and other objects are farther away."""

ROWS = 1024
"""Objects whose features are held at a time."""

NOT_MEASURED: Record = dict.fromkeys(
    ("query_diversity", "query_density", "query_duplicates"), float("nan")
)
"""What a round without a query has."""


class QueryDiagnostics:
    """Measures the queries of a run."""

    def __init__(self, pool: PoolTensors, rng: np.random.Generator) -> None:
        """Draw the sample."""
        self._pool = pool
        train = pool.pool.train
        sample = rng.choice(train, min(SAMPLE, len(train)), replace=False)
        self._usual = _usual_squares(pool.batch(sample))
        # Without two objects that differ there are no distances.
        if self._usual:
            self._sample = _Objects(pool, sample, self._usual)
            self._k = min(NEIGHBOUR, len(sample) - 1)
            self._to_neighbour = self._distances_to_neighbour(self._sample)

    def of(self, queried: Indices, rng: np.random.Generator) -> Record:
        """Return the columns of `NOT_MEASURED` for these objects; NaN where undefined.

        Memory is bounded: features are read in blocks. `rng` is drawn from for large queries only.
        """
        if not self._usual or not len(queried):
            return dict(NOT_MEASURED)
        looked_at = queried
        if len(queried) > LOOKED_AT:
            looked_at = rng.choice(queried, LOOKED_AT, replace=False)
        mine, spread = _Objects(self._pool, looked_at, self._usual), _Spread()
        is_copied = np.zeros(len(looked_at), dtype=np.bool_)
        for block in _blocks(queried):
            others = mine if looked_at is queried else _Objects(self._pool, block, self._usual)
            spread.add(others.batch)
            is_copied |= mine.have_copies_among(others)
        return {
            "query_diversity": spread.diversity(self._usual),
            "query_density": self._density(mine),
            "query_duplicates": float(is_copied.mean()),
        }

    def _density(self, objects: "_Objects") -> float:
        """Return the mean share of the sample's objects with the same modalities that lie in a sparser region.

        Objects whose pattern of modalities the sample lacks do not count. Ties count half.
        """
        distances, shares = self._distances_to_neighbour(objects), []
        for pattern in np.unique(objects.patterns):
            of_sample = np.sort(self._to_neighbour[self._sample.patterns == pattern])
            if len(of_sample):
                mine = distances[objects.patterns == pattern]
                nearer = np.searchsorted(of_sample, mine, "left")
                at_most = np.searchsorted(of_sample, mine, "right")
                shares.append(1 - (nearer + at_most) / (2 * len(of_sample)))
        return float(np.concatenate(shares).mean()) if shares else np.nan

    def _distances_to_neighbour(self, objects: "_Objects") -> Float[np.ndarray, " n"]:
        """Return the squared distance of each object to the nearest other ones of the sample, the k-th of them."""
        squares = objects.relative_squares(self._sample)
        itself = torch.from_numpy(objects.are(self._sample)).to(squares.device)
        nearest = squares.masked_fill_(itself, torch.inf).topk(self._k, dim=1, largest=False)
        found: Float[np.ndarray, " n"] = nearest.values[:, -1].cpu().numpy()
        return found


class _Spread:
    """The sums from which the mean squared distance of all pairs follows without looking at pairs."""

    def __init__(self) -> None:
        # By modality: the objects that have it, the sum of their features, and that of the features' squares.
        self._sums: dict[str, tuple[int, Tensor, Tensor]] = {}

    def add(self, batch: Batch) -> None:
        """Add objects."""
        for name, features in batch.features.items():
            x = features.flatten(1).double()
            n, total, squares = self._sums.get(name, (0, x.new_zeros(()), x.new_zeros(())))
            self._sums[name] = n + len(x), total + x.sum(0), squares + x.square().sum()

    def squares(self, name: str) -> tuple[float, float]:
        """Return n sum |x|^2 - |sum x|^2, which is the sum of |x_i - x_j|^2 over all pairs, and the number of pairs."""
        n, total, squares = self._sums[name]
        return max(0.0, float(n * squares - total.square().sum())), n * (n - 1) / 2

    def diversity(self, usual: Mapping[str, float]) -> float:
        """Return the mean squared distance over that of random pairs, over all that two objects have in common."""
        pairs = {name: self.squares(name) for name in usual}
        expected = sum(usual[name] * number for name, (_, number) in pairs.items())
        return sum(squares for squares, _ in pairs.values()) / expected if expected else np.nan


def _usual_squares(sample: Batch) -> dict[str, float]:
    """Return the mean squared distance of two objects by modality, without those in which no two differ."""
    spread = _Spread()
    spread.add(sample)
    found = {name: spread.squares(name) for name in sample.features}
    return {name: squares / pairs for name, (squares, pairs) in found.items() if squares > 0}


class _Objects:
    """Objects that are compared with others.

    Attributes:
        numbers: (n,) their positions in the pool.
        batch: Their features.
        patterns: (n,) which modalities each has.
        points: By modality their features (n, d), zeros where absent.
        has: (n, modalities) 1 where an object has a modality, else 0.
    """

    def __init__(self, pool: PoolTensors, objects: Indices, usual: Mapping[str, float]) -> None:
        self.numbers = objects
        self._usual = usual
        self.batch = pool.batch(objects)
        self.patterns = pool.patterns(objects)
        self.points, has = {}, []
        for name in usual:
            x, rows = self.batch.features[name].flatten(1), self.batch.rows[name]
            if rows is None:
                has.append(x.new_ones(len(objects)))
            else:
                has.append(x.new_zeros(len(objects)).index_fill_(0, rows, 1.0))
                x = x.new_zeros(len(objects), x.shape[1]).index_copy_(0, rows, x)
            self.points[name] = x, Points(x)
        self.has = torch.stack(has, dim=1)

    def are(self, others: "_Objects") -> Bool[np.ndarray, "n m"]:
        """Return where an object is the other one."""
        same: Bool[np.ndarray, "n m"] = self.numbers[:, None] == others.numbers
        return same

    def have_copies_among(self, others: "_Objects") -> Bool[np.ndarray, " n"]:
        """Return which objects have a near duplicate, with the same modalities, among others."""
        near = (self.relative_squares(others) < NEAR**2).cpu().numpy()
        alike = (self.patterns[:, None] == others.patterns) & ~self.are(others)
        found: Bool[np.ndarray, " n"] = (near & alike).any(axis=1)
        return found

    def relative_squares(self, others: "_Objects") -> Float[Tensor, "n m"]:
        """Return squared distances relative to the usual ones; infinity where two objects have nothing in common."""
        found = self.has.new_zeros(len(self.has), len(others.has))
        for number, (name, (_, points)) in enumerate(others.points.items()):
            squares = points.squared_distances(self.points[name][0])
            both = torch.outer(self.has[:, number], others.has[:, number])
            found.addcmul_(squares, both)
        usual = self.has.new_tensor(list(self._usual.values()))
        common = (self.has * usual) @ others.has.t()
        return found.div_(common).masked_fill_(common == 0, torch.inf)


def _blocks(objects: Indices) -> Iterator[Indices]:
    for start in range(0, len(objects), ROWS):
        yield objects[start : start + ROWS]
