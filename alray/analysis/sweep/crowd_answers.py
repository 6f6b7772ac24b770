"""What a crowd answered by the end of each arm's runs: what it cost, and how much of it was wrong."""

from collections.abc import Mapping

import pandas as pd

CROWD_COLUMNS: Mapping[str, str] = {
    "answers": "answers of a crowd bought so far",
    "cost": "what they cost",
    "skipped": "questions that assessors have skipped so far",
    "unanswered": "labelled objects that nobody has answered about, which are not learnt from",
    "wrong_labels": "share of the objects learnt from whose likeliest class by the answers is not the true one",
    "skill_error": "mean over assessors of the difference between their estimated and their true share of right "
    "answers, classes alike",
}
"""Columns of `rounds` where a crowd is asked, with their meaning."""


def crowd_answers(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return a row per arm that asked a crowd: arm, seeds, labels, and means over seeds at the last round.

    Args:
        rounds: A row per finished run and round; without a crowd it lacks these columns, or has nulls.
    """
    columns = ["arm", "seeds", "labels", *CROWD_COLUMNS]
    if not {*CROWD_COLUMNS} <= {*rounds.columns} or rounds["answers"].isna().all():
        return pd.DataFrame(columns=columns)
    asked = rounds[rounds["answers"].notna()].sort_values(["arm", "seed", "round"])
    last = asked.groupby(["arm", "seed"], sort=False).tail(1)
    grouped = last.groupby("arm", sort=False)
    table = grouped[["labels", *CROWD_COLUMNS]].mean().astype(float)
    table.insert(0, "seeds", grouped.size())
    order = [arm for arm in rounds["arm"].unique() if arm in table.index]
    return table.loc[order].reset_index()[columns]
