"""The records of complete bases: what a study and its page are computed from."""

from typing import TypeAlias

import pandas as pd

from alray.analysis.correlation.summary import as_original
from alray.settings.correlation import CorrelationSpec
from alray.studies.correlation.protocol import (
    GROUPS_A_TASK,
    complete_bases,
    task_name,
    task_names,
)

Records: TypeAlias = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]
"""A study's bases, groups and outcomes."""


def tasks_of(outcomes: pd.DataFrame) -> "pd.Series[str]":
    """Return the name of the task that each row of the outcomes comes from."""
    keys = outcomes[["base", "grouping", "sorted_by", "seed", "group"]]
    names = [
        task_name(base, grouping, sorted_by, seed, group // GROUPS_A_TASK * GROUPS_A_TASK)
        for base, grouping, sorted_by, seed, group in keys.itertuples(index=False)
    ]
    return pd.Series(names, index=outcomes.index, dtype="str")


def complete_records(
    spec: CorrelationSpec, bases: pd.DataFrame, groups: pd.DataFrame, outcomes: pd.DataFrame
) -> Records:
    """Return those rows of the three that belong to complete bases, the outcomes as the settings' `compat` has them."""
    tasks = tasks_of(outcomes)
    complete = complete_bases(spec, bases["base"], set(tasks))
    wanted = {name for base in complete for name in task_names(spec, base)}
    outcomes = outcomes[tasks.isin(wanted)]
    if spec.compat == "original":
        outcomes = as_original(outcomes)
    bases, groups = (frame[frame["base"].isin(complete)] for frame in (bases, groups))
    return bases, groups, outcomes


def summarised_settings(spec: CorrelationSpec, summary: pd.DataFrame) -> CorrelationSpec:
    """Return the settings that a stored summary was computed with.

    They are the study's own, unless seeds, scores or groupings were added to it since and are not all done.
    """
    sorted_rows = summary[summary["grouping"] != "random"]
    return spec.model_copy(
        update={
            "fine_tune_seeds": int(summary["seeds"].iloc[0]),
            "scores": tuple(name for name in spec.scores if name in set(sorted_rows["score"])),
            "grouping": tuple(kind for kind in spec.grouping if kind in set(summary["grouping"])),
        }
    )
