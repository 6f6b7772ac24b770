"""Screening: a pass in 8-bit integers ranks all candidates, and only the best of them are scored exactly."""

import math

import numpy as np
import numpy.typing as npt

from alray.pools.pool import Indices
from alray.settings.sweep import ScreenSpec


def is_exact_round(spec: ScreenSpec, round_number: int) -> bool:
    """Return whether all candidates are scored exactly in this round, the first one with a query being round 1."""
    return (round_number - 1) % spec.every == 0


def shortlist_size(spec: ScreenSpec, candidates: int, query: int) -> int:
    """Return how many of the candidates are on the shortlist: the share, and at least a query."""
    return min(candidates, max(math.ceil(spec.share * candidates), query))


def shortlist(
    candidates: Indices, scores: npt.NDArray[np.float64], count: int, *, largest: bool
) -> Indices:
    """Return (count,) the candidates with the best scores, ascending by index.

    Args:
        candidates: (n,) pool indices.
        scores: (n,) their rough scores.
        count: 1 <= count <= n.
        largest: Whether large scores are best.
    """
    cost = -scores if largest else scores
    return np.sort(candidates[np.argpartition(cost, count - 1)[:count]])


def recall(exact: Indices, screened: Indices) -> float:
    """Return the share of the exact choice that the screen would have let through."""
    return float(np.isin(exact, screened).mean())
