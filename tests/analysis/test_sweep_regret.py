"""What picking the arm that looked best costs: the sentence counts the seeds that the number rests on."""

import pytest

from alray.analysis.sweep.regret import regret_said
from alray.analysis.sweep.summary import summarise
from tests.helpers.intervals import generator
from tests.helpers.sweep_frames import study

ARMS = ("random", "margin", "bald:members=20")


def summary_of(gone, arm=ARMS[-1]):
    """Return the summary of three arms and eight seeds, without some seeds of an arm."""
    rounds, runs = study(strategies=ARMS)
    runs.loc[(runs["strategy"] == arm) & runs["seed"].isin(gone), "status"] = "failed"
    return summarise(rounds, runs, generator())


@pytest.mark.parametrize(
    ("gone", "arm", "seeds", "text"),
    [
        ((), "", 8, "best of 3 arms, over 8 seeds, loses"),
        (range(3, 8), ARMS[-1], 3, "best of 3 arms, over 3 seeds that all of them have, loses"),
        (range(3, 8), "margin", 3, "best of 3 arms, over 3 seeds that all of them have, loses"),
    ],
)
def test_the_seeds_that_all_arms_have_are_counted(gone, arm, seeds, text):
    summary = summary_of(gone, arm)
    (said,) = regret_said(summary.to_dict("records"))
    assert said.startswith("Picking margin because it looked " + text)
    assert summary["regret_seeds"].dropna().tolist() == [seeds]


def test_a_summary_without_their_number_says_none():
    rows = summary_of(()).drop(columns="regret_seeds").to_dict("records")
    (said,) = regret_said(rows)
    assert said.startswith("Picking margin because it looked best of 3 arms loses ")
