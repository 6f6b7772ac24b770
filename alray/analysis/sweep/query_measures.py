"""How alike the objects of arms' queries are: means over rounds, and what is shown to differ from the reference's."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from alray.analysis.sweep.arms import Pair
from alray.statistics.joint import joint_sign_flip
from alray.statistics.paired import mean_interval

MEASURES: Mapping[str, str] = {
    "query_diversity": "diversity",
    "query_density": "density",
    "query_duplicates": "near duplicates",
}
"""Columns of `rounds`, with their names in words."""

MEASURED = (
    *("arm", "measure", "seeds", "mean", "low", "high", "against", "paired_seeds"),
    *("difference", "difference_low", "difference_high", "p"),
)


def query_measures(
    rounds: pd.DataFrame, pairs: Mapping[str, Pair], rng: np.random.Generator
) -> pd.DataFrame:
    """Return a row per arm and measure that was recorded.

    Columns: arm, measure, seeds, mean, low, high (95 % t interval over seeds of a run's mean over queries); against,
    paired_seeds, difference (to the arm that it is compared with, seed by seed), difference_low, difference_high, p:
    by one joint sign flip over all arms and all measures at once; NaN where nothing bounds an end.

    Args:
        rounds: A row per finished run and round; studies from before these were recorded lack them, or have nulls.
        pairs: Arm: its pair with the arm that it is compared with.
        rng: For the sign flips.
    """
    measures = [name for name in MEASURES if name in rounds and rounds[name].notna().any()]
    if not measures:
        return pd.DataFrame(columns=list(MEASURED))
    # The order of rows must not decide how sums are rounded.
    ordered = rounds[rounds["round"] >= 1].sort_values(["arm", "seed", "round"])
    of_runs = ordered.groupby(["arm", "seed"])[measures].mean()
    rows = [
        {"arm": str(arm), "measure": name, **_mean(values)}
        for name in measures
        for arm, values in of_runs[name].dropna().groupby("arm")
    ]
    order = {str(arm): position for position, arm in enumerate(rounds["arm"].unique())}
    rows.sort(key=lambda row: order[str(row["arm"])])
    _compare(rows, ordered.set_index(["arm", "seed", "round"])[measures], pairs, rng)
    return pd.DataFrame(rows, columns=list(MEASURED))


def _mean(values: "pd.Series[float]") -> dict[str, object]:
    found = mean_interval(values.to_numpy(float))
    return {"seeds": found.n, "mean": found.estimate, "low": found.low, "high": found.high}


def _compare(
    rows: list[dict[str, object]],
    of_rounds: pd.DataFrame,
    pairs: Mapping[str, Pair],
    rng: np.random.Generator,
) -> None:
    """Add the paired differences, tested all at once."""
    compared = [row for row in rows if row["arm"] in pairs and pairs[str(row["arm"])].seeds]
    seeds = sorted({seed for row in compared for seed in pairs[str(row["arm"])].seeds})
    if not seeds:
        return
    differences = np.full((len(compared), len(seeds)), np.nan)
    for number, row in enumerate(compared):
        pair, measure = pairs[str(row["arm"])], str(row["measure"])
        # Of a study that has been gone on with, some rounds are recorded: those of both are compared.
        values = of_rounds[measure]
        by_round = values[pair.arm.name] - values[pair.reference.name]
        differences[number] = by_round.groupby("seed").mean().reindex(seeds).to_numpy(float)
    tested = joint_sign_flip(differences, rng)
    low, high = (np.where(np.isfinite(each), each, np.nan) for each in (tested.low, tested.high))
    for number, row in enumerate(compared):
        known = differences[number][np.isfinite(differences[number])]
        row |= {
            "against": pairs[str(row["arm"])].reference.name,
            "paired_seeds": len(known),
            "difference": mean_interval(known).estimate,
            "difference_low": float(low[number]),
            "difference_high": float(high[number]),
            "p": float(tested.p[number]),
        }
