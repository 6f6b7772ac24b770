"""Which variant of a sweep without rounds to take: variants ranked by their metric on the validation part.

The best one is picked by what it is then compared by, so every pair of variants is compared, in one test: what holds
for all pairs at once holds for those with whichever variant comes out best (as in Tukey's comparison of all pairs, by
the joint sign flip of `statistics.joint`).
"""

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from alray.analysis.sweep.arms import RANDOM
from alray.analysis.sweep.full_data import split_full_data
from alray.analysis.sweep.metrics import better_sign
from alray.errors import SpecError
from alray.statistics.joint import DRAWS, joint_sign_flip
from alray.statistics.paired import FEWEST_SEEDS, SIGNIFICANCE, excludes_zero, mean_interval

CHOICE_COLUMNS: Mapping[str, str] = {
    "settings": "values of the varied settings",
    "variant": "the variant as in `runs`; empty for the study's own settings",
    "arm": "the arm whose runs the row is about; others of the variant have the same fits",
    "seeds": "finished runs",
    "failed": "runs that failed; they are in no other column",
    "unfinished": "runs that have not ended; they are in no other column",
    "labels": "labels that the fits learn from",
    "metric": "the metric of the columns from here to test_high",
    "validation": "on the validation part, mean over seeds: what the variants are ranked by",
    "validation_low": "lower end of its 95 % t interval over seeds",
    "validation_high": "upper end",
    "difference": "validation minus that of the best variant, mean over the seeds that both have finished; null for "
    "the best",
    "difference_low": "lower end of its 95 % interval, which holds for all pairs of variants together; null with fewer "
    "than six common seeds, which bound nothing",
    "difference_high": "upper end",
    "difference_se": "standard error of the difference, over seeds",
    "p": "two-sided p of the difference, corrected for all pairs: the joint sign flip, which also makes the interval",
    "paired_seeds": "seeds that the variant and the best one have finished",
    "test": "on the test part, which has no part in the choice, mean over seeds; null with metric_split: validation",
    "test_low": "lower end of its 95 % t interval over seeds",
    "test_high": "upper end",
    "parameters": "trained numbers of the network; null where an older alray made the runs, or it has none",
    "seconds": "seconds of a fit, mean over seeds",
    "verdict": "best, worse (shown to be worse than the best) or open (not shown to differ from it)",
    "chosen": "the variant to take",
}
"""Columns of `findings/choice.csv`, in order, each with what it holds."""

MOST_NUMBERS = 20_000_000
"""Numbers of a table of patterns and pairs: with very many variants the test has fewer patterns of signs."""

Values = Float[np.ndarray, "variant seed"]


@dataclass(frozen=True, eq=False)
class _Fits:
    """The finished fits of one variant: a row per seed, how many runs it has besides, and whether it has no others."""

    arm: str
    variant: str
    rows: pd.DataFrame
    failed: int
    unfinished: int
    only: bool = True


def choose(
    rounds: pd.DataFrame,
    runs: pd.DataFrame,
    names: Mapping[str, str],
    rng: np.random.Generator,
    metric: str = "accuracy",
    metric_split: str = "test",
) -> pd.DataFrame:
    """Return a row per variant of a study without rounds, best first, with the columns of `CHOICE_COLUMNS`.

    Variants are ranked by their means over the seeds that all of them have finished. With six seeds or more the chosen
    one has the fewest parameters of those that are not shown to be worse than the best and lie within one standard
    error of it (of the difference, paired by seed: the rule of Breiman et al. 1984); else it is the best. The test part
    plays no role.

    Args:
        rounds: A row per run: its fit.
        runs: A row per run, with its status.
        names: Variant: its values of the varied settings, as a text.
        rng: Draws patterns of signs where there are many seeds.
        metric: One of `metrics.DECIDING` that was recorded on the validation part.
        metric_split: The part that the study's metrics are of.

    Raises:
        SpecError: The metric was not recorded on the validation part.
    """
    column = f"validation_{metric}"
    if column not in rounds or rounds[column].isna().all():
        raise SpecError(
            f"variants are ranked by {metric} on the validation part, and the records have no {column}; take another "
            "--metric, such as accuracy or macro_f1"
        )
    split = split_full_data(rounds, runs)
    fits = _fits_of(split.rounds, split.runs, column)
    rows = [_row(each, names, metric, column, metric_split) for each in fits]
    seeds = sorted({int(seed) for each in fits for seed in each.rows["seed"]})
    values = np.array(
        [each.rows.set_index("seed")[column].reindex(seeds).to_numpy(float) for each in fits]
    ).reshape(len(fits), len(seeds))
    order = _ranked(better_sign(metric) * values)
    rows = [rows[at] for at in order]
    _compare(rows, values[order], metric, rng)
    if rows and rows[0]["seeds"]:
        rows[_chosen(rows)]["chosen"] = True
    return _table(rows)


def _fits_of(rounds: pd.DataFrame, runs: pd.DataFrame, column: str) -> list[_Fits]:
    """Return each variant's fits once: its arms share them, unless one trains the network otherwise."""
    runs = runs.reindex(columns=[*dict.fromkeys([*runs.columns, "against", "parameters"])])
    finished = rounds.merge(
        runs.loc[runs["status"] == "finished", ["run_id", "parameters"]], on="run_id"
    )
    found = []
    for variant, of_variant in runs.groupby("variant", sort=False):
        known: list[dict[int, float]] = []
        against = of_variant["against"].fillna("")
        plain = (of_variant["strategy"] == RANDOM) & (against == "")
        arms = dict.fromkeys([*of_variant.loc[plain, "arm"], *of_variant["arm"]])
        for arm in arms:
            status = of_variant.loc[of_variant["arm"] == arm, "status"]
            rows = finished[finished["arm"] == arm].sort_values("seed")
            values = dict(zip(rows["seed"], rows[column], strict=True))
            if any(_agree(values, each) for each in known):
                continue
            known.append(values)
            failed = int((status == "failed").sum())
            unfinished = int((~status.isin(["finished", "failed"])).sum())
            found.append(_Fits(str(arm), str(variant), rows, failed, unfinished))
    times = Counter(each.variant for each in found)
    return [replace(each, only=times[each.variant] == 1) for each in found]


def _agree(one: Mapping[int, float], other: Mapping[int, float]) -> bool:
    """Return whether two arms of a variant have the same fits, as far as is known."""
    return all(one[seed] == other[seed] for seed in one.keys() & other.keys())


def _row(
    fits: _Fits, names: Mapping[str, str], metric: str, column: str, metric_split: str
) -> dict[str, Any]:
    rows = fits.rows
    settings = names.get(fits.variant) or fits.variant or "the study's own settings"
    row: dict[str, Any] = {
        "settings": settings if fits.only else f"{settings}, {fits.arm.partition(' [')[0]}",
        "variant": fits.variant,
        "arm": fits.arm,
        "seeds": len(rows),
        "failed": fits.failed,
        "unfinished": fits.unfinished,
        "metric": metric,
        "verdict": "open",
        "chosen": False,
        "paired_seeds": 0,
    }
    if len(rows):
        row["labels"] = int(rows["labels"].max())
        row |= mean_interval(rows[column].to_numpy(float)).columns("validation")
        if metric_split == "test" and metric in rows:
            row |= mean_interval(rows[metric].to_numpy(float)).columns("test")
        row["parameters"] = rows["parameters"].max()
        row["seconds"] = float(rows["fit_s"].mean())
    return row


def _ranked(values: Values) -> list[int]:
    """Return positions, the greatest mean first; a variant without a finished seed comes last."""
    known = np.isfinite(values)
    some = known.any(axis=1)
    common = known[some].all(axis=0) & bool(some.any())
    kept = values[:, common] if common.any() else values
    means = [
        float(np.mean(row[np.isfinite(row)])) if np.isfinite(row).any() else -math.inf
        for row in kept
    ]
    return sorted(range(len(values)), key=lambda at: -means[at])


def _compare(
    rows: Sequence[dict[str, Any]], values: Values, metric: str, rng: np.random.Generator
) -> None:
    """Compare every pair of variants, whose first one is the best, and put what holds against it into the rows."""
    if rows and rows[0]["seeds"]:
        rows[0] |= {"verdict": "best", "paired_seeds": rows[0]["seeds"]}
    if len(rows) < 2:
        return
    pairs = list(itertools.combinations(range(len(rows)), 2))
    # Those with the best come first: the later variant minus the earlier one.
    differences = np.array([values[later] - values[earlier] for earlier, later in pairs])
    draws = min(DRAWS, max(1_000, MOST_NUMBERS // len(pairs)))
    test = joint_sign_flip(differences, rng, draws)
    for at, row in enumerate(rows[1:]):
        known = differences[at][np.isfinite(differences[at])]
        low, high = (
            float(end) if math.isfinite(end) else math.nan for end in (test.low[at], test.high[at])
        )
        row |= {
            "paired_seeds": len(known),
            "difference": float(known.mean()) if len(known) else math.nan,
            "difference_low": low,
            "difference_high": high,
            "difference_se": _standard_error(known),
            "p": float(test.p[at]),
        }
        worse = better_sign(metric) * row["difference"] < 0
        if worse and row["p"] < SIGNIFICANCE and excludes_zero(low, high):
            row["verdict"] = "worse"


def _standard_error(values: Float[np.ndarray, " seed"]) -> float:
    n = len(values)
    return float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan


def _chosen(rows: Sequence[Mapping[str, Any]]) -> int:
    """Return the position of the variant to take."""
    best = rows[0]
    near = [
        at
        for at, row in enumerate(rows)
        if row["verdict"] == "open"
        and row["paired_seeds"] >= FEWEST_SEEDS
        and abs(row["difference"]) <= row["difference_se"]
        and row["parameters"] < best["parameters"]
    ]
    # Of equally large networks the better one comes first.
    return min(near, key=lambda at: (rows[at]["parameters"], at), default=0)


def _table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows), columns=list(CHOICE_COLUMNS))
    texts = dict.fromkeys(("settings", "variant", "arm", "metric", "verdict"), "str")
    counts = dict.fromkeys(("seeds", "failed", "unfinished", "paired_seeds"), "int64")
    kinds = dict.fromkeys(CHOICE_COLUMNS, "float64") | texts | counts
    return table.astype(kinds | {"labels": "Int64", "parameters": "Int64", "chosen": "bool"})
