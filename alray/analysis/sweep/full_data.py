"""The model that has learnt from every label of the train part: the ceiling that learning curves approach."""

from dataclasses import dataclass

import pandas as pd

from alray.analysis.sweep.metrics import DECIDING
from alray.analysis.sweep.variants import CROWD, without, without_variant
from alray.settings.sweep import FULL_DATA

BY_TRUE_LABELS = "with true labels, which no crowd would give"
"""What is said of full data beside arms that a crowd answers."""

_COLUMNS = ("run_id", "arm", "variant", "full_data", "seed", "round", "labels", "accuracy")


@dataclass(frozen=True, eq=False)
class FullDataSplit:
    """A study's records without its runs on full data, and what these have reached.

    Attributes:
        rounds: A row per run and round.
        runs: A row per run.
        ceilings: A row per variant with a finished run on full data: variant, labels, seeds, and the means over
            seeds of the metrics that were recorded. Such runs ask no crowd, so variants with other crowds share them.
        full: A row per finished run on full data: run_id, variant, seed, labels and the metrics.
    """

    rounds: pd.DataFrame
    runs: pd.DataFrame
    ceilings: pd.DataFrame
    full: pd.DataFrame


def fill_full_data(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of records whose column `full_data` has a value in every row; one without arms stays as it is.

    Rows from before the column was recorded, and tables of curves made elsewhere, have the arm's name only: it is
    `full data`, its variant left out.
    """
    if "arm" not in frame:
        return frame
    by_name = frame["arm"].map(lambda arm: without_variant(str(arm)) == FULL_DATA)
    recorded = frame.get("full_data", by_name)
    return frame.assign(full_data=recorded.where(recorded.notna(), by_name).astype(bool))


def split_full_data(rounds: pd.DataFrame, runs: pd.DataFrame) -> FullDataSplit:
    """Return the records of the runs that strategies are compared by, and the ceilings of those on full data."""
    # A study without a round may come without columns.
    if rounds.empty:
        rounds = pd.DataFrame(columns=list(_COLUMNS))
    rounds, runs = fill_full_data(rounds), fill_full_data(runs)
    of_rounds, of_runs = rounds["full_data"], runs["full_data"]
    full, statuses = rounds[of_rounds], runs[of_runs]
    finished = statuses.loc[statuses["status"] == "finished", "run_id"]
    full = _shared(full[full["run_id"].isin(finished)], runs.loc[~of_runs, "variant"])
    by_variant = full.groupby("variant", as_index=False)
    ceilings = by_variant.agg(
        labels=("labels", "max"),
        seeds=("seed", "nunique"),
        **{metric: (metric, "mean") for metric in DECIDING if metric in full},
    )
    return FullDataSplit(rounds[~of_rounds], runs[~of_runs], ceilings, full)


def finished_split(rounds: pd.DataFrame, runs: pd.DataFrame) -> FullDataSplit:
    """Return a study's records without rounds of runs that have not finished."""
    finished = rounds["run_id"].isin(runs.loc[runs["status"] == "finished", "run_id"])
    return split_full_data(rounds[finished], runs)


def _shared(full: pd.DataFrame, variants: "pd.Series[str]") -> pd.DataFrame:
    """Return the rows of runs on full data, again for each variant that differs from theirs in the crowd alone."""
    own = frozenset(full["variant"])
    others = [
        full[full["variant"] == without(str(variant), CROWD)].assign(variant=variant)
        for variant in variants.unique()
        if variant not in own and without(str(variant), CROWD) in own
    ]
    return pd.concat([full, *others], ignore_index=True) if others else full
