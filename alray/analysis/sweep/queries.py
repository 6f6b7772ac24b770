"""What strategies queried, round by round: classes and scores of the objects, and the seconds of a round."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

STEPS = 10
"""Parts into which a run's queried objects are split, in the order of their queries."""

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
CLASSES = ("arm", "label", "step", "queried_share", "pool_share")
SCORES = ("arm", "round", *QUANTILES)
ROUNDS = ("arm", "round", "labels", "query_s", "fit_s", "eval_s")


def class_shares(
    queries: pd.DataFrame, pool_classes: Mapping[str, int] | None = None
) -> pd.DataFrame:
    """Return for each arm, class and tenth (1 to 10) of the queried objects the share of the class among them.

    Initial labels are drawn at random, so they are left out. Tenths are taken run by run, and runs are pooled.

    Args:
        queries: A row per queried object.
        pool_classes: Class: objects in the pool's train part; without it `pool_share` is NaN.
    """
    chosen = queries[queries["round"] >= 1] if len(queries) else queries
    if chosen.empty:
        return pd.DataFrame(columns=list(CLASSES))
    arms = chosen["arm"].unique()
    chosen = chosen[["arm", "run_id", "round", "rank", "label"]]
    chosen = chosen.sort_values(["run_id", "round", "rank"], ignore_index=True)
    by_run = chosen.groupby("run_id")["rank"]
    step = by_run.cumcount() * STEPS // by_run.transform("size") + 1
    # A run of fewer than ten queries leaves tenths empty, which have no row.
    shares = pd.crosstab([chosen["arm"], step.rename("step")], chosen["label"], normalize="index")
    classes = sorted({*shares.columns, *(pool_classes or {})})
    shares = shares.reindex(arms, level="arm").reindex(columns=classes, fill_value=0.0)
    table = pd.Series(shares.stack(), name="queried_share").reset_index()
    in_pool = pd.Series(pool_classes, classes, dtype=float)
    return table.assign(pool_share=table["label"].map(in_pool / in_pool.sum()))[list(CLASSES)]


def score_quantiles(queries: pd.DataFrame) -> pd.DataFrame:
    """Return quantiles of the queried objects' scores per arm and round, seeds pooled; no row where chance chose."""
    scored = queries[queries["score"].notna()] if len(queries) else queries
    if scored.empty:
        return pd.DataFrame(columns=list(SCORES))
    grouped = scored.groupby(["arm", "round"], sort=False)["score"]
    table = grouped.quantile(np.array(list(QUANTILES.values()))).unstack()
    return table.set_axis(list(QUANTILES), axis=1).reset_index()


def round_means(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return means over seeds per arm and round: labels, seconds, and each head's learned sigma where recorded."""
    if rounds.empty:
        return pd.DataFrame(columns=list(ROUNDS))
    sigmas = [name for name in rounds if str(name).startswith("sigma_")]
    means = rounds.groupby(["arm", "round"], sort=False)[[*ROUNDS[2:], *sigmas]].mean()
    return means.reset_index()
