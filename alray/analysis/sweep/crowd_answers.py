"""What was answered by the end of each arm's runs, by a crowd or to yes/no questions: its cost, and what is wrong."""

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

ANSWERED_COLUMNS: Mapping[str, str] = {
    "answers": "answers bought so far: of a crowd, to yes/no questions, or labels where an arm buys these beside them",
    "cost": "what they cost",
    "skipped": "questions that assessors of a crowd have skipped so far",
    "unanswered": CROWD_COLUMNS["unanswered"],
    "partly_labelled": "objects that were asked yes/no questions about and do not count as labelled yet",
    "wrong_labels": "share of wrong labels, by the likeliest class: of the objects learnt from where a crowd gives "
    "labels, of those that count as labelled where yes/no questions are asked",
    "skill_error": CROWD_COLUMNS["skill_error"],
}
"""Columns of the table, as far as an arm of the study has them, with their meaning."""


def crowd_answers(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return a row per arm that bought answers: arm, seeds, labels, and means over seeds at the last round.

    A number that does not apply to an arm is missing, and a column that applies to none is left out.

    Args:
        rounds: A row per finished run and round; where neither a crowd nor yes/no questions are asked, it lacks the
            columns, or has nulls.
    """
    first = ["arm", "seeds", "labels"]
    if "answers" not in rounds or rounds["answers"].isna().all():
        return pd.DataFrame(columns=[*first, *CROWD_COLUMNS])
    bought = rounds[rounds["answers"].notna()].sort_values(["arm", "seed", "round"])
    last = bought.groupby(["arm", "seed"], sort=False).tail(1)
    found = [name for name in ANSWERED_COLUMNS if name in last and last[name].notna().any()]
    grouped = last.groupby("arm", sort=False)
    table = grouped[["labels", *found]].mean().astype(float)
    table.insert(0, "seeds", grouped.size())
    order = [arm for arm in rounds["arm"].unique() if arm in table.index]
    return table.loc[order].reset_index()[[*first, *found]]
