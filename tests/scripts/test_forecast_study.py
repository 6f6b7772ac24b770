"""The study of forecasts: what it takes for a case, how it finds factors, and what it writes."""

import numpy as np
import pandas as pd
import pytest

from alray.statistics.forecast import factor_of, half_width
from studies import forecast_table
from tests.helpers.intervals import generator

LABELS = 300 + 100 * np.arange(13)


def rounds(pool="made", arms=("margin",), seeds=8):
    rng = generator(len(pool))
    parts = []
    for number, arm in enumerate(arms):
        for seed in range(seeds):
            value = 0.8 - (3 - 0.3 * number) * LABELS**-0.4
            value = value + rng.normal(0, 0.01) + rng.normal(0, 0.002, len(LABELS))
            made = {"arm": arm, "seed": seed, "labels": LABELS, "accuracy": value}
            parts.append(pd.DataFrame({**made, "macro_f1": value - 0.1}))
    return pd.concat(parts).assign(data=pool, sweep="one")


@pytest.fixture(scope="module")
def cases():
    few = rounds("b", seeds=3)
    made = pd.concat([rounds("a"), few, few.assign(sweep="another")], ignore_index=True)
    return forecast_table.all_cases(made)


def test_a_case_is_a_cut_an_end_and_some_seeds_and_every_arm_counts_once(cases):
    """Two metrics; five groups of eight seeds and one of three; three cuts with 3, 2 and 1 later ends."""
    assert cases.groupby("pool").size().to_dict() == {"a": 2 * 5 * 6, "b": 2 * 1 * 6}
    first = cases[(cases["cut"] == 0.25) & (cases["end"] == 1.0)]
    # 3 of 12 queried steps of 100 are known: 600 labels, and 1,500 at the end.
    assert set(first["ratio"]) == {1500 / 600}
    assert set(first["points"]) == {4}


def test_the_truth_is_the_mean_of_the_same_seeds(cases):
    table = rounds("a").pivot(index=["arm", "seed"], columns="labels", values="accuracy")
    case = cases.query(
        "pool == 'a' and arm == 'margin' and metric == 'accuracy' and cut == .5 and end == 1.0 and seeds == 8"
    ).iloc[0]
    means = table.loc["margin"].mean()
    assert case["gain"] == pytest.approx(means[1500] - means[900])


def test_intervals_are_those_of_forecasts(cases):
    made = forecast_table.with_intervals(cases)
    row = made[(made["seeds"] == 3) & (made["metric"] == "macro_f1")].iloc[0]
    of_laws = np.array([factor_of(row["ratio"], "class means") * row["growth"]])
    assert row["half"] == pytest.approx(half_width(np.array([row["sampling"]]), of_laws)[0])
    assert row["held"] == (abs(row["error"]) <= row["half"])


def test_the_needed_factor_is_what_holds_nine_of_ten_and_every_cell():
    """Without noise a case needs its error over its growth."""
    errors = np.linspace(0.01, 1.0, 100)
    made = pd.DataFrame({"pool": "a", "cut": 0.5, "error": errors, "sampling": 0.0, "growth": 1.0})
    assert forecast_table.needed_factor(made) == pytest.approx(0.9)
    hard = made.assign(pool="b", error=made["error"] + 1)
    both = pd.concat([made, hard], ignore_index=True)
    # 90 % of both is the 80 % of b; its own 85 % is more.
    assert forecast_table.needed_factor(both) == pytest.approx(1.85)
    assert forecast_table.held_by(both, 1.0) == pytest.approx(0.5)


def test_tables_and_page_are_written(cases, tmp_path):
    forecast_table.write_tables(cases, tmp_path)
    found = pd.read_csv(tmp_path / "factors.csv")
    assert set(found["metric"]) == {"accuracy", "macro_f1"}
    covered = pd.read_csv(tmp_path / "coverage.csv")
    assert covered["cases"].sum() == len(cases)
    assert covered["coverage"].between(0, 1).all()
    text = (tmp_path / "coverage.md").read_text()
    assert "72 cases" in text
    assert text.count("\n| accuracy |") + text.count("\n| macro_f1 |") == len(found.dropna()) + 24
