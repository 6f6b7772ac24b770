"""The best objects of some rows of a pool, and of two such sets together: equal to the bit however a pool is cut."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alray.pools.objects import joined, some_objects
from alray.pools.pool import Indices, Modality, Texts


@dataclass(frozen=True, eq=False)
class Ranked:
    """Objects in the order in which they are wanted: by cost, equal costs by the draw of their ids.

    Attributes:
        costs: (n,) float64, the best is the smallest.
        draws: (n,) uint64, which depend on the ids alone; the smaller one comes first.
        ids: (n,) their ids.
        rows: (n,) the numbers of their rows in the whole pool.
        scores: (n,) float64, the strategy's; NaN where it has none.
        modalities: Their features as they are read, where the strategy compares objects; else none.
    """

    costs: npt.NDArray[np.float64]
    draws: npt.NDArray[np.uint64]
    ids: Texts
    rows: Indices
    scores: npt.NDArray[np.float64]
    modalities: tuple[Modality, ...] = ()

    def __len__(self) -> int:
        return len(self.costs)

    def worst(self, k: int) -> float:
        """Return the cost above which nothing can be among the k best any more; infinite while there are fewer."""
        return float(self.costs[k - 1]) if len(self) >= k else np.inf

    def best(self, k: int) -> "Ranked":
        """Return the k best, in order; all where there are fewer."""
        # Two of 2^64 draws are hardly ever equal: then the row decides.
        return self._some(np.lexsort((self.rows, self.draws, self.costs))[:k])

    def by_row(self) -> "Ranked":
        """Return them in the order of their rows in the pool."""
        return self._some(np.argsort(self.rows))

    def _some(self, objects: Indices) -> "Ranked":
        return Ranked(
            self.costs[objects],
            self.draws[objects],
            self.ids[objects],
            self.rows[objects],
            self.scores[objects],
            tuple(some_objects(modality, objects) for modality in self.modalities),
        )


def best_together(parts: Sequence[Ranked], k: int) -> Ranked:
    """Return the k best objects of at least one part, in order.

    It does not matter in which order parts are joined, nor how many at a time: the result is the same to the bit.
    """
    if len(parts) == 1:
        return parts[0].best(k)
    # Before features are joined: most of one side's may fall out.
    costs = np.concatenate([part.costs for part in parts])
    if len(costs) > k:
        limit = np.partition(costs, k - 1)[k - 1]
        parts = [part._some(np.flatnonzero(part.costs <= limit)) for part in parts]  # noqa: SLF001 -- of its kind
    by_modality = zip(*(part.modalities for part in parts), strict=True)
    modalities = tuple(joined(each) for each in by_modality)
    return Ranked(
        np.concatenate([part.costs for part in parts]),
        np.concatenate([part.draws for part in parts]),
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.scores for part in parts]),
        modalities,
    ).best(k)
