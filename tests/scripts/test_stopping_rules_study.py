"""The study that judges stopping rules over finished sweeps."""

import pandas as pd
import pytest
from click.testing import CliRunner

from alray import api, load
from studies import stopping_rules_table
from tests.helpers.studies import settings


@pytest.fixture(scope="module")
def made(pool, tmp_path_factory):
    """Return the folder that is written about two small sweeps, and what was printed."""
    work = tmp_path_factory.mktemp("work")
    for name, arms in (("one", ["random", "ideal_loss"]), ("two", ["random", "margin"])):
        api.sweep(settings(pool, name=name, strategies=arms, seeds=2), results=work)
    out = work / "out"
    words = [str(work / "one"), str(work / "two"), "--out", str(out), "--rule", "kappa"]
    words += ["--rule", "fixed_rounds:rounds=2"]
    done = CliRunner().invoke(stopping_rules_table.main, words)
    assert done.exit_code == 0, done.output
    return out, done.output


def test_oracles_are_left_out_and_every_other_run_is_judged(made):
    stops = pd.read_csv(made[0] / "stops.csv")
    assert set(stops["arm"]) == {"random", "margin"}
    assert set(stops["rule"]) == {"kappa", "fixed_rounds:rounds=2", "hindsight"}
    assert len(stops) == 3 * (2 + 4)


def test_the_table_holds_shares_and_means_over_studies_and_seeds(made):
    stops = pd.read_csv(made[0] / "stops.csv")
    table = stopping_rules_table.judged(stops).set_index("rule")
    fixed = table.loc["fixed_rounds:rounds=2"]
    assert (fixed["runs"], fixed["stopped"]) == (6, 1.0)
    of_rule = stops[stops["rule"] == "fixed_rounds:rounds=2"]
    assert (of_rule["round"] == 2).all()
    units = of_rule.groupby(["study", "seed"])["lost"].mean()
    assert fixed["lost"] == pytest.approx(units.mean())
    assert fixed["lost_worst"] == pytest.approx(of_rule["lost"].max())
    page = (made[0] / "README.md").read_text()
    assert "| fixed_rounds:rounds=2 | 6 | 100 % |" in page
    assert "Sweeps:\n\n- one: `alray.sweep(...)`\n- two: `" in page


def test_hindsight_is_the_first_budget_near_the_best_of_the_mean_curve(pool, made):
    stops = pd.read_csv(made[0] / "stops.csv")
    found = stops[(stops["rule"] == "hindsight") & (stops["study"] == "two")]
    rounds = load(made[0].parent / "two").rounds
    for arm, rows in found.groupby("arm"):
        mean = rounds[rounds["arm"] == arm].groupby("labels")["accuracy"].mean()
        near = mean.index[mean >= mean.max() - 0.01]
        assert rows["stop_labels"].tolist() == [near[0]] * 2


def test_what_is_to_be_trusted_is_what_the_intervals_show():
    columns = ("rule", "stopped", "lost", "lost_high", "spared")
    rows = [
        ("careful", 0.5, 0.004, 0.009, 0.1),
        ("hasty", 1.0, 0.005, 0.012, 0.6),
        ("never", 0.0, 0.0, 0.001, 0.0),
        ("hindsight", 1.0, 0.009, 0.01, 0.3),
    ]
    said = stopping_rules_table.to_trust(pd.DataFrame(rows, columns=[*columns]), 0.01)
    assert "ruled out (by the interval's upper end) for: careful (spares 10 %). Hind" in said
    assert "It is not for: hasty (loses .005, spares 60 %)." in said
    assert said.endswith("Never stop here, at their defaults: never.\n")


def test_what_is_no_study_is_refused(tmp_path):
    done = CliRunner().invoke(
        stopping_rules_table.main, [str(tmp_path), "--out", str(tmp_path / "out")]
    )
    assert done.exit_code == 2
    assert "no study.yaml" in done.output
