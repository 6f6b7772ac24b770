"""Screening: between full scorings only those objects are scored that the last full one leaves plausible."""

import math

import numpy as np
import numpy.typing as npt

from alray.pool import Indices
from alray.spec import ScreenSpec


def is_full(spec: ScreenSpec, round_number: int) -> bool:
    """Return whether all candidates are scored in this round; round 1 is the first with a query."""
    return (round_number - 1) % spec.every == 0


def kept(spec: ScreenSpec, candidates: int, query: int) -> int:
    """Return how many of the candidates stay plausible: the share, and enough for every query up to the next full scoring."""
    return min(candidates, max(math.ceil(spec.share * candidates), spec.every * query))


def plausible(
    candidates: Indices, scores: npt.NDArray[np.float64], count: int, *, largest: bool
) -> Indices:
    """Return (count,) the candidates with the best scores, ascending by index.

    Args:
        candidates: (n,) pool indices.
        scores: (n,) their scores, without NaN.
        count: 1 <= count <= n.
        largest: Whether large scores are best.
    """
    cost = -scores if largest else scores
    return np.sort(candidates[np.argpartition(cost, count - 1)[:count]])


def recall(exact: Indices, screened: Indices) -> float:
    """Return the share of the exact choice that a screen, as old as it ever gets, would have let through."""
    return float(np.isin(exact, screened).mean())
