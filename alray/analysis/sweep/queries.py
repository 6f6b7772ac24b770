"""What strategies queried, round by round: classes and scores of the objects, and the seconds of a round."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
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
    pool = dict(pool_classes or {})
    classes = sorted(set(chosen["label"].unique()) | set(pool))
    arms = list(dict.fromkeys(chosen["arm"]))
    label = pd.Categorical(chosen["label"], categories=classes).codes.astype(np.int64)
    arm = pd.Categorical(chosen["arm"], categories=arms).codes.astype(np.int64)
    cell = (arm * STEPS + _steps(chosen)) * len(classes) + label
    shape = (len(arms) * STEPS, len(classes))
    counts = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    totals = counts.sum(axis=1)
    # A run of fewer than ten queries leaves tenths empty.
    filled = np.flatnonzero(totals)
    in_pool = np.array([pool.get(name, np.nan) for name in classes], float)
    return pd.DataFrame(
        {
            "arm": np.repeat(np.array(arms, object)[filled // STEPS], len(classes)),
            "label": np.tile(np.array(classes, object), len(filled)),
            "step": np.repeat(filled % STEPS + 1, len(classes)),
            "queried_share": (counts[filled] / totals[filled, None]).ravel(),
            "pool_share": np.tile(in_pool / np.nansum(in_pool), len(filled)) if pool else np.nan,
        }
    )


def _steps(chosen: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return the tenth, 0 to 9, of each queried object within its run."""
    run = pd.factorize(chosen["run_id"])[0]
    order = np.lexsort((chosen["rank"].to_numpy(), chosen["round"].to_numpy(), run))
    sizes = np.bincount(run)
    position = np.empty(len(run), np.int64)
    position[order] = np.arange(len(run)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return position * STEPS // sizes[run]


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
