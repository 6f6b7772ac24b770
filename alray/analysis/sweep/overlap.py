"""Which objects arms have in common: the overlap of what two arms of one seed queried."""

import math
from itertools import combinations

import numpy as np
import pandas as pd

from alray.statistics.paired import mean_interval

OVERLAPS = ("arm", "versus", "labels", "seeds", "overlap", "low", "high", "by_chance")


def overlaps(
    queries: pd.DataFrame, runs: pd.DataFrame, pool_size: int | None = None
) -> pd.DataFrame:
    """Return a row per ordered pair of arms of one variant that both have finished a seed.

    Columns: arm, versus, labels (bought after the initial ones, which arms of a seed share), seeds (common),
    overlap (Jaccard index: of the objects that at least one of the two queried the share that both did; mean over
    seeds), low, high (95 % t interval over seeds), by_chance (its expectation where one of the two chooses at random:
    then it is the same whatever the other does; NaN where the pool's size is unknown).

    Args:
        queries: A row per queried object of finished runs.
        runs: A row per run; gives the variant of each arm.
        pool_size: Objects of the train part.
    """
    chosen = queries[queries["round"] >= 1] if len(queries) else queries
    if chosen.empty:
        return pd.DataFrame(columns=list(OVERLAPS))
    variants = dict(zip(runs["arm"], runs["variant"], strict=True))
    order = {arm: position for position, arm in enumerate(variants)}
    initial = queries[queries["round"] == 0].groupby("run_id").size()
    found: dict[tuple[str, str], list[tuple[float, int, float]]] = {}
    for _, of_seed in chosen.groupby("seed"):
        sets, runs_of = _sets(of_seed)
        for first, second in combinations(sorted(sets, key=order.__getitem__), 2):
            if variants[first] == variants[second]:
                a, b = sets[first], sets[second]
                both = len(np.intersect1d(a, b, assume_unique=True))
                shared = both / (len(a) + len(b) - both)
                rest = (
                    None if pool_size is None else pool_size - int(initial.get(runs_of[first], 0))
                )
                expected = _by_chance(len(a), rest) if len(a) == len(b) else math.nan
                found.setdefault((first, second), []).append((shared, len(a), expected))
    rows = [_row(*pair, values) for pair, values in found.items()]
    mirrored = [row | {"arm": row["versus"], "versus": row["arm"]} for row in rows]
    return pd.DataFrame([*rows, *mirrored], columns=list(OVERLAPS))


def _sets(of_seed: pd.DataFrame) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return arm: the numbers of the objects that it queried, and arm: its run."""
    numbers = pd.Series(pd.factorize(of_seed["id"])[0], of_seed.index)
    sets, runs = {}, {}
    for arm, rows in of_seed.groupby("arm", sort=False):
        sets[str(arm)] = np.unique(numbers[rows.index].to_numpy())
        runs[str(arm)] = str(rows["run_id"].iloc[0])
    return sets, runs


def _row(arm: str, versus: str, values: list[tuple[float, int, float]]) -> dict[str, object]:
    shared, labels, expected = (
        np.array(column, dtype=float) for column in zip(*values, strict=True)
    )
    interval = mean_interval(shared)
    return {
        "arm": arm,
        "versus": versus,
        "labels": int(labels.max()),
        "seeds": len(shared),
        **interval.columns("overlap"),
        "low": interval.low,
        "high": interval.high,
        "by_chance": float(expected.mean()),
    }


def _by_chance(queried: int, rest: int | None) -> float:
    """Return the expected Jaccard index of a random set of so many of the rest and any other set of this size."""
    if rest is None or rest < queried:
        return math.nan
    from scipy.stats import hypergeom  # noqa: PLC0415 -- a third of a second that no sweep need wait for

    common = np.arange(max(0, 2 * queried - rest), queried + 1)
    chances = hypergeom.pmf(common, rest, queried, queried)
    return float((chances * common / (2 * queried - common)).sum())
