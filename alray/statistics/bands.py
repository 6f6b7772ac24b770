"""A band around a mean curve that holds the whole true curve, not one point of it."""

import math

import numpy as np
from jaxtyping import Float

from alray.statistics.curves import Curve, Curves
from alray.statistics.paired import LEVEL, pointwise


def simultaneous_half_width(
    differences: Curves, rng: np.random.Generator, draws: int = 1_000
) -> Curve:
    """Return half the width of a band around the mean curve that holds the whole true curve with probability `LEVEL`.

    A sup-t band (Montiel Olea and Plagborg-Moller 2019): c s(N) / sqrt(n), c the quantile of the greatest
    studentised difference over all points. It is drawn from Gaussian curves with the correlations of the residuals
    (Gaussian multipliers, one per seed and simulated seed), studentised anew in each draw: with six seeds the spread
    is as uncertain as the mean, so multipliers on the mean alone, or sign flips (32 patterns), give too narrow a
    band. s(N)^2 is the variance averaged over a tenth of the points around N, in the draws too: with each point's own
    variance the smallest of many decides c, 9 instead of 4 at 200 points and 6 seeds.

    In simulations with 6 and 10 seeds and 60 points it covers 93 to 98 % of whole curves.

    Never narrower than the pointwise interval. Zero where all seeds agree exactly (the common start); NaN where a
    value is not finite, and for one seed.
    """
    n, points = differences.shape
    _, half = pointwise(differences)
    known = np.isfinite(half)
    if not (half[known] > 0).any():
        return half
    residuals = differences[:, known] - differences[:, known].mean(axis=0)
    spread = residuals.std(axis=0, ddof=1)
    window = _window(int(known.sum()), points)
    scale = np.sqrt(spread**2 @ window)
    # A spread that is large by accident must not be taken for a large true one: all get their neighbours'.
    factors = residuals * np.divide(scale, spread, out=np.zeros_like(scale), where=half[known] > 0)
    quantile = _greatest_quantile(factors / math.sqrt(n - 1), window, rng, draws)
    band = np.where(half[known] > 0, quantile * scale / math.sqrt(n), 0.0)
    half[known] = np.maximum(half[known], band)
    return half


def _greatest_quantile(
    factors: Curves,
    window: Float[np.ndarray, "point point"],
    rng: np.random.Generator,
    draws: int,
) -> float:
    """Return the quantile of max |studentised mean| of Gaussian curves with covariance factors' factors."""
    n = len(factors)
    simulated = rng.normal(size=(draws, n, n)) @ factors  # [draw, seed, point]
    means = simulated.mean(axis=1)
    scales = np.sqrt(simulated.var(axis=1, ddof=1) @ window)
    spread = scales.max(axis=0) > 0
    studentised = np.abs(means[:, spread]) / scales[:, spread] * math.sqrt(n)
    return float(np.quantile(studentised.max(axis=1), LEVEL))


def _window(known: int, points: int) -> Float[np.ndarray, "point point"]:
    """Return weights that average over a tenth of the points, and at least the two neighbours; columns sum to 1."""
    reach = max(1, points // 20)
    positions = np.arange(known)
    near = (np.abs(positions[:, None] - positions) <= reach).astype(float)
    return np.asarray(near / near.sum(axis=0))
