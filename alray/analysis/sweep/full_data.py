"""The model that has learnt from every label of the train part: the ceiling that learning curves approach."""

from dataclasses import dataclass

import pandas as pd

from alray.settings.sweep import FULL_DATA

METRICS = ("accuracy", "macro_f1", "nll")
"""What reports are about; any of them may be missing from curves made elsewhere."""


@dataclass(frozen=True, eq=False)
class FullDataSplit:
    """A study's records without those on full data, and what these have reached.

    Attributes:
        rounds: A row per run and round.
        runs: A row per run.
        ceilings: A row per variant with a finished run on full data: variant, labels, seeds, and the means over seeds of
            accuracy, macro_f1 and nll.
    """

    rounds: pd.DataFrame
    runs: pd.DataFrame
    ceilings: pd.DataFrame


def is_full_data(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Return whether each row belongs to a run on full data, whatever its variant."""
    return frame["arm"].map(lambda arm: str(arm).partition(" [")[0] == FULL_DATA).astype(bool)


def split_full_data(rounds: pd.DataFrame, runs: pd.DataFrame) -> FullDataSplit:
    """Take the runs on full data out of what strategies are compared by."""
    of_runs, of_rounds = is_full_data(runs), is_full_data(rounds)
    full, statuses = rounds[of_rounds], runs[of_runs]
    finished = statuses.loc[statuses["status"] == "finished", "run_id"]
    by_variant = full[full["run_id"].isin(finished)].groupby("variant", as_index=False)
    ceilings = by_variant.agg(
        labels=("labels", "max"),
        seeds=("seed", "nunique"),
        **{metric: (metric, "mean") for metric in METRICS},
    )
    return FullDataSplit(rounds[~of_rounds], runs[~of_runs], ceilings)
