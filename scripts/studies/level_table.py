"""Level and power of the joint sign-flip test, and coverage of its intervals, in simulated studies.

Differences to random have a spread of 1 and share half of their variance between arms, as the random arm is common.
They are `normal`; or differences of skewed values (`skewed arms`, exponential), which are symmetric, as differences of
equal arms are; or skewed themselves (`skewed differences`, skewness 1.4), for which a test by signs is not made. Means
are zero (none), or EFFECT times the spread for one arm (one) or for each (all).

Writes joint-test.csv into the folder OUT: a row per distribution, number of arms and seeds, and effect.
"""

import itertools
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import click
import numpy as np
import pandas as pd

from alray.statistics.joint import EXACT_SEEDS, Differences, joint_sign_flip
from alray.statistics.paired import SIGNIFICANCE

ARMS = (4, 13)
SEEDS = (5, 6, 8, 9, 12, 20)
EFFECT = 1.6

Draw = Callable[[np.random.Generator, int, int], Differences]
"""Draws differences (arm, seed) with mean 0 and variance 1."""


def _shared(draw: Callable[..., Differences], arms: int, seeds: int, sign: int) -> Differences:
    """Return what each arm has of its own plus, or minus, what all have in common; draws have a variance of 1."""
    return np.asarray((draw(size=(arms, seeds)) + sign * draw(size=(1, seeds))) / math.sqrt(2))


def _skewed(rng: np.random.Generator, arms: int, seeds: int) -> Differences:
    return _shared(rng.exponential, arms, seeds, 1) - math.sqrt(2)


DISTRIBUTIONS: Mapping[str, Draw] = {
    "normal": lambda rng, arms, seeds: _shared(rng.normal, arms, seeds, -1),
    "skewed arms": lambda rng, arms, seeds: _shared(rng.exponential, arms, seeds, -1),
    "skewed differences": _skewed,
}
AFFECTED: Mapping[str, Callable[[int], int]] = {
    "none": lambda _: 0,
    "one": lambda _: 1,
    "all": lambda arms: arms,
}


def simulated(
    distribution: str, arms: int, seeds: int, affected: int, rng: np.random.Generator, worlds: int
) -> dict[str, float]:
    """Return shares of simulated studies.

    false_claim: some arm without an effect has p < .05. power: arms with one that have p < .05 and the right sign, mean
    over them. coverage: the intervals of all arms hold their means. coverage_of_one: the same of each arm, mean.
    """
    draw = DISTRIBUTIONS[distribution]
    truth = np.where(np.arange(arms) < affected, EFFECT, 0.0)
    false, found, held = [], [], []
    for _ in range(worlds):
        differences = truth[:, None] + draw(rng, arms, seeds)
        test = joint_sign_flip(differences, rng)
        claimed = test.p < SIGNIFICANCE
        false.append(claimed[affected:].any())
        found.append(claimed[:affected] & (differences[:affected].mean(axis=1) > 0))
        held.append((test.low <= truth) & (truth <= test.high))
    return {
        "false_claim": float(np.mean(false)) if affected < arms else math.nan,
        "power": float(np.mean(found)) if affected else math.nan,
        "coverage": float(np.mean(np.all(held, axis=1))),
        "coverage_of_one": float(np.mean(held)),
    }


@click.command(help=__doc__)
@click.argument("out", type=Path)
@click.option("--worlds", type=click.IntRange(2), default=1000, show_default=True)
def main(out: Path, worlds: int) -> None:
    rows = []
    cases = itertools.product(DISTRIBUTIONS, ARMS, SEEDS, AFFECTED)
    for number, (distribution, arms, seeds, effect) in enumerate(cases):
        rng = np.random.default_rng(number)
        # Random patterns of signs take a hundred times as long as all patterns of few seeds.
        number_of_worlds = worlds if seeds <= EXACT_SEEDS else worlds // 2
        affected = AFFECTED[effect](arms)
        shares = simulated(distribution, arms, seeds, affected, rng, number_of_worlds)
        row = {"distribution": distribution, "arms": arms, "seeds": seeds, "effect": effect}
        rows.append({**row, **shares, "worlds": number_of_worlds})
        print(*rows[-1].values(), flush=True)
    out.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(rows)
    table.round(4).to_csv(out / "joint-test.csv", index=False)


if __name__ == "__main__":
    main()
