"""Screening: scores in a low precision rank all candidates, and only the best of them are scored exactly."""

import math

import numpy as np
import numpy.typing as npt

from alray.pools.pool import Indices
from alray.settings.sweep import ScreenSpec


def is_exact_round(spec: ScreenSpec, round_number: int) -> bool:
    """Return whether all candidates are scored exactly in this round; the first round with a query is round 1."""
    return (round_number - 1) % spec.every == 0


def shortlist_size(spec: ScreenSpec, candidates: int, query: int) -> int:
    """Return the size of the shortlist: the share of the candidates, and at least a query."""
    return min(candidates, max(math.ceil(spec.share * candidates), query))


def shortlist(
    candidates: Indices, scores: npt.NDArray[np.float64], count: int, *, largest: bool
) -> Indices:
    """Return (count,) the candidates with the best scores, ascending by index.

    Args:
        candidates: (n,) pool indices.
        scores: (n,) their scores in a low precision.
        count: 1 <= count <= n.
        largest: Whether large scores are best.
    """
    cost = -scores if largest else scores
    return np.sort(candidates[np.argpartition(cost, count - 1)[:count]])


def recall(exact: Indices, shortlisted: Indices) -> float:
    """Return the share of the exact choice that is on the shortlist."""
    return float(np.isin(exact, shortlisted).mean())
