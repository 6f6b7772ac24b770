"""The study of yes/no questions: the tables that it makes of stored records, by numbers that are known."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from studies import questions_prices, questions_table


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
    found = questions_prices.prices(rounds)
    half = found[found["labels of random"] == 0.5].set_index("arm")
    # 20 labels, 100 answers by halves, 75 by the model.
    assert half.loc["questions:passive", "price"] == pytest.approx(20 / 100)
    assert half.loc["questions:alpf", "price"] == pytest.approx(20 / 75)
    assert half["labels"].tolist() == pytest.approx([20, 20])
    assert set(found["against"]) == {"random"}
    table = questions_prices.price_table(found)
    assert "50 % (0.410)" in table
    assert "| questions:alpf | random |" in table
    # Curves begin with 10 labels, and a target is no lower than what they begin with.
    first = found[found["labels of random"] == 0.1]
    assert first["accuracy"].tolist() == pytest.approx([0.21, 0.21])
    assert first["price"].notna().all()


def test_an_accuracy_below_the_beginning_of_a_curve_has_no_price(rounds):
    above = rounds["accuracy"] + 0.05 * (rounds["arm"] == "questions:alpf")
    found = questions_prices.prices(rounds.assign(accuracy=above))
    at_once = found[(found["labels of random"] == 0.1) & (found["arm"] == "questions:alpf")]
    assert at_once["price"].isna().all()
    assert "|  |" in questions_prices.price_table(found)


def test_intervals_of_prices_hold_the_true_price_about_as_often_as_they_say():
    """Curves a + b log(n) with a shift per seed and arm: what is needed is known."""
    rng = np.random.default_rng(0)
    labels, held, trials = np.linspace(10, 100, 10), 0, 20
    for _ in range(trials):
        runs = []
        for seed in range(6):
            for arm, ratio in (("random", 1.0), ("questions:passive", 4.0)):
                curve = 0.2 + 0.1 * np.log(labels) + rng.normal(0, 0.01)
                asks = arm != "random"
                runs.append(run(arm, seed, labels * ratio, curve, labels, asks=asks))
        found = questions_prices.prices(pd.concat(runs))
        row = found[found["labels of random"] == 0.5].iloc[0]
        held += row["price_low"] < 0.25 < row["price_high"]
    assert held >= 16


def test_money_is_what_the_prices_say(rounds):
    noisy = rounds["accuracy"] + 0.01 * np.sin(7.0 * rounds.index)
    found = questions_prices.prices(rounds.assign(accuracy=noisy))
    paid = questions_prices.money(found)
    row = paid[(paid["labels of random"] == 0.5) & (paid["price of an answer"] == 0.1)].iloc[0]
    of_prices = found[(found["labels of random"] == 0.5) & (found["arm"] == row["arm"])].iloc[0]
    assert row["cost"] == pytest.approx(0.1 * of_prices["answers"])
    assert row["cost of labels"] == of_prices["labels"]
    assert row["saved"] == pytest.approx(1 - row["cost"] / row["cost of labels"])
    assert row["saved_low"] < row["saved"] < row["saved_high"]
    assert len(paid) == len(questions_prices.PRICES) * found["price"].notna().sum()
    # At its price an arm that asks saves nothing, and below it something.
    assert ((paid["saved"] > 0) == (paid["cost"] < paid["cost of labels"])).all()


def test_the_page_has_tables_and_a_figure_of_each_study(rounds, tmp_path, monkeypatch):
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "summary.parquet").touch()
    monkeypatch.setattr(questions_table, "load", lambda _: SimpleNamespace(rounds=rounds))
    done = CliRunner().invoke(questions_table.main, [str(tmp_path), str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"arms.csv", "prices.csv", "money.csv", "prices-some.svg", "README.md"}
    assert (tmp_path / "out" / "prices-some.svg").read_bytes().startswith(b"<svg")
    assert "](prices-some.svg)" in (tmp_path / "out" / "README.md").read_text()
    assert len(pd.read_csv(tmp_path / "out" / "money.csv")) == 8 * len(questions_prices.PRICES)


def test_without_a_study_nothing_is_written(tmp_path):
    done = CliRunner().invoke(questions_table.main, [str(tmp_path), str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "run scripts/studies/questions first" in done.output
    assert not (tmp_path / "out").exists()
