"""How many paired seeds it takes for the joint test to show a difference."""

import bisect
import math

import numpy as np
from jaxtyping import Float

from alray.statistics.joint import Differences, sign_patterns
from alray.statistics.paired import SIGNIFICANCE

POWER = 0.8

NUMBERS = (6, 7, 8, 9, 10, 12, 14, 17, 20, 24, 29, 35, 42, 50, 60, 72, 86, 100)
"""Numbers of seeds that are tried: the answer is good to a fifth, as far as one study knows its own spread."""

_STUDIES, _EXACT, _PATTERNS = 400, 10, 512


def seeds_for_power(differences: Differences, arm: int, rng: np.random.Generator) -> int | None:
    """Return how many paired seeds would show an arm's difference in four studies of five; None beyond 100.

    Studies of n seeds are simulated with the means and covariances that the differences have, as normal variables,
    and tested by the rule that decides: the joint sign flip of all arms (`joint.joint_sign_flip`). So the answer holds
    if the difference is as large as seen, which is generous to an arm that was picked because its difference is the
    largest.

    Args:
        differences: (arm, seed), all finite.
        arm: The arm whose difference is to be shown.
        rng: For the simulation.
    """
    seeds = differences.shape[1]
    mean = differences.mean(axis=1)
    if seeds < 2 or mean[arm] == 0:
        return None
    residuals = (differences - mean[:, None]) / math.sqrt(seeds - 1)

    def power_of(number: int) -> float:
        return _power(mean, residuals, arm, number, rng)

    # Power rises with the number of seeds: a few numbers need to be tried.
    position = bisect.bisect_left(NUMBERS, POWER, key=power_of)
    return NUMBERS[position] if position < len(NUMBERS) else None


def _power(
    mean: Float[np.ndarray, " arm"],
    residuals: Differences,
    arm: int,
    seeds: int,
    rng: np.random.Generator,
) -> float:
    """Return the share of simulated studies with so many seeds in which the joint test shows the arm's difference."""
    draws = rng.normal(size=(_STUDIES, residuals.shape[1], seeds))
    values = mean[:, None] + residuals @ draws  # [study, arm, seed]
    norms = np.sqrt((values**2).sum(axis=2))
    norms[norms == 0] = math.inf
    observed = np.abs(values[:, arm].sum(axis=1)) / norms[:, arm]
    greatest = (
        np.abs(values @ sign_patterns(seeds, rng, _EXACT, _PATTERNS).T) / norms[:, :, None]
    ).max(axis=1)
    p = (greatest >= observed[:, None] - 1e-9).mean(axis=1)
    return float((p < SIGNIFICANCE).mean())
