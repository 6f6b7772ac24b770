"""The study of yes/no questions: the tables that it makes of stored records, by numbers that are known."""

import numpy as np
import pandas as pd
import pytest

from studies import questions_table


def run(arm, seed, answers, accuracy, labels, *, asks=True):
    """Return the rounds of a run."""
    return pd.DataFrame(
        {
            "arm": arm,
            "seed": seed,
            "round": range(len(answers)),
            "answers": np.array(answers, dtype=float),
            "accuracy": accuracy,
            "labels": labels,
            "partly_labelled": 0.0 if asks else np.nan,
        }
    )


@pytest.fixture(scope="module")
def rounds():
    found = []
    for seed in (0, 1):
        shift = 0.02 * seed
        line = np.array([0.2, 0.4, 0.6, 0.8]) + shift
        found += [
            run("random", seed, [10, 20, 30, 40], line, [10, 20, 30, 40], asks=False),
            run("questions:passive", seed, [50, 100, 150, 200], line, [10, 20, 30, 40]),
            run("questions:alpf", seed, [50, 75, 100, 100], line, [10, 20, 40, 40]),
        ]
    return pd.concat(found, ignore_index=True)


def test_questions_to_label_all_and_accuracy_at_a_share_of_passives(rounds):
    found = questions_table.arms(rounds).set_index(["arm", "seed"])
    assert found["questions"].tolist() == [200, 100, 200, 100]
    assert found.loc[("questions:alpf", 1), "share"] == 0.5
    # 60 questions: a fifth of the way from 50 to 100, two fifths from 50 to 75.
    assert found.loc[("questions:passive", 0), "accuracy"] == pytest.approx(0.24)
    assert found.loc[("questions:alpf", 1), "accuracy"] == pytest.approx(0.22 + 0.4 * 0.2)
    table = questions_table.arm_table(found.reset_index())
    assert "| questions:passive | 200 |  | 0.250 |  |" in table
    assert (
        "| questions:alpf | 100 | 0.50 (0.50, 0.50) | 0.290 | +0.040 (+0.040, +0.040) |" in table
    )


def test_an_arm_that_has_not_labelled_all_has_no_number(rounds):
    cut = rounds[~((rounds["arm"] == "questions:passive") & (rounds["round"] == 3))]
    found = questions_table.arms(cut).set_index("arm")["questions"]
    assert found["questions:passive"].isna().all()


def test_the_price_at_which_both_cost_the_same_is_that_of_the_curves(rounds):
    found = questions_table.prices(rounds)
    half = found[found["labels of random"] == 0.5].set_index("arm")
    # 20 labels, 100 answers by halves, 75 by the model.
    assert half.loc["questions:passive", "price"] == pytest.approx(20 / 100)
    assert half.loc["questions:alpf", "price"] == pytest.approx(20 / 75)
    assert set(found["against"]) == {"random"}
    table = questions_table.price_table(found)
    assert "50 % (0.410)" in table
    assert "| questions:alpf | random |" in table
