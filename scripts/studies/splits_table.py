"""Do 95 % intervals hold the truth in 95 % of studies, where each seed splits anew and where all share one split?

Reads sweeps of random and margin: PER_SEED, in which each seed has a split of its own, and ONE_SPLIT, a folder of
sweeps that have one split each. Their runs stand for all runs there are: what they give together is the truth, and a
study draws its seeds from them with replacement, so that no correction for a run's own share in the truth is needed.

A study on one split needs more seeds than a sweep of ONE_SPLIT has. Its curves are the mean curves of one split, drawn
towards the mean over the splits by as much as the noise of so few seeds spreads them, plus deviations of runs from
their split's mean, drawn from all splits. Both are done for random's curve and for margin's difference to it.

Writes split-coverage.csv into the folder OUT: a row per kind of split, number of seeds and quantity, with the share of
studies whose interval holds the truth, and the standard error of that share that stems from the number of studies.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

from alray.analysis.sweep.arms import RANDOM, arm_curves, reference_pairs
from alray.analysis.sweep.savings import milestones
from alray.analysis.sweep.summary import summarise
from alray.statistics.curves import area_under_curve
from studies.made_studies import Curves, Labels, curves_of, frames_of

ARM = "margin"
SEEDS = (6, 20)
EXPECTED = 0.95

Ends = dict[str, tuple[float, float, float]]
"""Quantity: its estimate and the ends of its interval."""

Both = dict[str, Curves]
"""Accuracies of random and of margin, row by row the same seed."""


def quantities(labels: Labels, both: Both) -> Ends:
    """Return what a study with these curves says, in alray's own words: summary and milestones."""
    rounds, runs = frames_of(labels, both)
    summary = summarise(rounds, runs, np.random.default_rng(0))
    pair = reference_pairs(arm_curves(rounds, runs), runs)[ARM]
    halves = milestones([pair])
    names = {
        "final accuracy": "accuracy",
        "ALC difference": "alc_difference",
        "labels saved at the budget": "labels_saved",
    }
    found = {
        quantity: _ends(summary[summary["arm"] == ARM], name) for quantity, name in names.items()
    }
    half = halves[halves["share"] == 0.5].rename(
        columns={"low": "saving_low", "high": "saving_high"}
    )
    return {**found, "labels saved at half of it": _ends(half, "saving")}


def _ends(row: pd.DataFrame, name: str) -> tuple[float, float, float]:
    estimate, low, high = (float(row[f"{name}{end}"].item()) for end in ("", "_low", "_high"))
    return estimate, low, high


def drawn_with_replacement(runs: Both, seeds: int, rng: np.random.Generator) -> Both:
    """Return a study whose seeds are drawn from those of all runs."""
    rows = rng.integers(len(runs[RANDOM]), size=seeds)
    return {arm: curves[rows] for arm, curves in runs.items()}


class OneSplit:
    """Studies that have one split each, made of sweeps that do; see the head of this module."""

    def __init__(self, labels: Labels, sweeps: Sequence[Both]) -> None:
        self._labels = labels
        random = np.stack([sweep[RANDOM] for sweep in sweeps])  # [split, seed, point]
        difference = np.stack([sweep[ARM] for sweep in sweeps]) - random
        self._random = _parts(random, random[..., -1])
        self._difference = _parts(difference, area_under_curve(labels, difference))

    @property
    def truth(self) -> Both:
        """The mean curves over all splits."""
        random, difference = self._random[0][None], self._difference[0][None]
        return {RANDOM: random, ARM: random + difference}

    def study(self, seeds: int, rng: np.random.Generator) -> Both:
        """Return a study of so many seeds on one split."""
        splits, per_split = self._random[2].shape[:2]
        split = rng.integers(splits)
        rows = rng.integers(splits, size=seeds), rng.integers(per_split, size=seeds)
        random, difference = (
            mean + of_split[split] + deviations[rows]
            for mean, of_split, deviations in (self._random, self._difference)
        )
        return {RANDOM: random, ARM: random + difference}


def _parts(curves: Curves, values: Curves) -> tuple[Curves, Curves, Curves]:
    """Return the mean curve, what each split adds to it, and what each run adds to its split's mean.

    Args:
        curves: (split, seed, point).
        values: (split, seed) the quantity by which it is known how far splits differ beyond the noise of their seeds.
    """
    seeds = curves.shape[1]
    of_splits = curves.mean(axis=1)
    mean = of_splits.mean(axis=0)
    noise = values.var(axis=1, ddof=1).mean() / seeds
    kept = math.sqrt(max(0.0, 1 - noise / values.mean(axis=1).var(ddof=1)))
    # Deviations from a mean of so few seeds are too small by this factor.
    deviations = (curves - of_splits[:, None]) * math.sqrt(seeds / (seeds - 1))
    return mean, kept * (of_splits - mean), deviations


def coverage(
    labels: Labels,
    truth: Both,
    study: Callable[[int, np.random.Generator], Both],
    studies: int,
) -> Iterator[dict[str, Any]]:
    """Yield a row per number of seeds and quantity."""
    for seeds in SEEDS:
        rng = np.random.default_rng(seeds)
        made = [quantities(labels, study(seeds, rng)) for _ in range(studies)]
        for quantity, (true, _, _) in quantities(labels, truth).items():
            found = [each[quantity] for each in made]
            share = float(np.mean([low <= true <= high for _, low, high in found]))
            yield {
                "seeds": seeds,
                "quantity": quantity,
                "truth": true,
                "mean_estimate": float(np.mean([estimate for estimate, _, _ in found])),
                "coverage": share,
                "standard_error": math.sqrt(share * (1 - share) / studies),
                "expected": EXPECTED,
                "studies": studies,
            }


def coverage_table(per_seed: Path, one_split: Path, studies: int) -> pd.DataFrame:
    """Return the rows of both kinds of split.

    Raises:
        click.ClickException: ONE_SPLIT holds fewer than two sweeps, or they differ in their label counts or seeds.
    """
    labels, runs = curves_of(per_seed, [RANDOM, ARM])
    sweeps = sorted(path.parent for path in one_split.glob("*/study.yaml"))
    made = [curves_of(sweep, [RANDOM, ARM]) for sweep in sweeps]
    shapes = {(tuple(grid), curves[RANDOM].shape) for grid, curves in made}
    if len(made) < 2 or len(shapes) > 1:
        raise click.ClickException(
            f"{one_split}: holds {len(made)} sweeps of {len(shapes)} shapes; two or more of one shape are needed"
        )
    splits = OneSplit(labels, [curves for _, curves in made])
    kinds = {
        "per seed": (runs, lambda seeds, rng: drawn_with_replacement(runs, seeds, rng)),
        "one for all seeds": (splits.truth, splits.study),
    }
    rows = [
        {"split": kind, **row}
        for kind, (truth, study) in kinds.items()
        for row in coverage(labels, truth, study, studies)
    ]
    return pd.DataFrame(rows)


@click.command(help=__doc__)
@click.argument("per_seed", type=Path)
@click.argument("one_split", type=Path)
@click.argument("out", type=Path)
@click.option("--studies", type=click.IntRange(1), default=1000, show_default=True)
def main(per_seed: Path, one_split: Path, out: Path, studies: int) -> None:
    table = coverage_table(per_seed, one_split, studies).round(4)
    out.mkdir(parents=True, exist_ok=True)
    table.to_csv(out / "split-coverage.csv", index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
