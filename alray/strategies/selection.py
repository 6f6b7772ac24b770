"""Choosing k of n objects by score: exact, linear in n, ties broken by a seeded permutation, NaN refused."""

import numpy as np
import numpy.typing as npt

from alray.errors import ScoreError
from alray.pools.pool import Indices


def refuse_nan(scores: npt.NDArray[np.floating]) -> None:
    """Refuse (n,) scores of which some are NaN.

    Raises:
        ScoreError: Says how many, and the first positions.
    """
    undefined = np.flatnonzero(np.isnan(scores))
    if len(undefined):
        raise ScoreError(
            f"{len(undefined)} of {len(scores)} scores are NaN, first at positions "
            f"{undefined[:5].tolist()}: the model's outputs are not finite; try a smaller training.lr"
        )


def best(
    scores: npt.NDArray[np.floating], k: int, rng: np.random.Generator, *, largest: bool
) -> Indices:
    """Return the positions of the k best scores, best first, in O(n + k log k).

    Equal scores are ordered by a random permutation of all n positions, never by position: files are often sorted by
    class, and a network is certain of many objects to the last digit.

    Args:
        scores: (n,) without NaN; infinities are ranked.
        k: 0 <= k <= n.
        rng: Draws the permutation.
        largest: Whether large scores are best.

    Raises:
        ScoreError: Some scores are NaN; names their positions.
    """
    refuse_nan(scores)
    if not 0 <= k <= len(scores):
        raise ValueError(f"cannot choose {k} of {len(scores)} objects")
    if k == 0:
        return np.empty(0, dtype=np.int64)
    cost = -scores if largest else scores
    rank = rng.permutation(len(scores))
    threshold = np.partition(cost, k - 1)[k - 1]
    chosen = np.flatnonzero(cost < threshold)
    tied = np.flatnonzero(cost == threshold)
    missing = k - len(chosen)
    if missing < len(tied):
        tied = tied[np.argpartition(rank[tied], missing - 1)[:missing]]
    chosen = np.concatenate([chosen, tied])
    return chosen[np.lexsort((rank[chosen], cost[chosen]))]
