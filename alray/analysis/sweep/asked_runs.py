"""Which runs of a folder the last command has asked for: only those can change when it is given again."""

import pandas as pd


def asked_for(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of runs without those that are known not to be asked for any more, as of an arm given up."""
    if "asked" not in runs:  # an older alray wrote them
        return runs
    return runs[~runs["asked"].isin([False])]  # a null is of an older one, too


def count_failed(runs: pd.DataFrame) -> int:
    """Return how many runs have failed that were asked for."""
    return int((asked_for(runs)["status"] == "failed").sum())
