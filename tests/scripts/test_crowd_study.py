"""The study of strategies under a crowd: what it runs, and the page that it makes of stored sweeps."""

import re

import pandas as pd
import pytest
from click.testing import CliRunner

from alray import api
from alray.cli import main as alray
from studies import crowd_table
from tests.helpers.studies import settings

CROWD = {"assessors": 6, "answers": 2, "rate": 0.2, "cost": 0.05}


@pytest.fixture(scope="module")
def stored(pool, tmp_path_factory):
    """Return a folder with both sweeps of one pool, small."""
    work = tmp_path_factory.mktemp("work")
    arms = {"strategies": ["random", "margin"], "seeds": 2}
    right = {**CROWD, "answers": 1, "rate": 0.0, "skill_spread": 0.0}
    noisy = {"crowd": CROWD, "vary": {"crowd.answers": [2, 1]}, "rounds": 2}
    for name, more in (("right", {"crowd": right, "rounds": 4}), ("noisy", noisy)):
        api.sweep(settings(pool, name=f"icons-{name}", **arms, **more), results=work)
    return work


@pytest.fixture(scope="module")
def out(stored, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    done = CliRunner().invoke(
        crowd_table.main, ["--page-only", "--work", str(stored), "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert "openclipart-right has not been run, and is left out" in done.output
    return out


def test_its_commands_are_ones_that_alray_takes_and_all_arms_end_at_one_sum(tmp_path):
    _, _, module, *options = crowd_table.command("openclipart", "noisy", tmp_path)
    assert module == "alray"
    done = CliRunner().invoke(alray, [*options, "--dry-run"])
    assert done.exit_code == 0, done.output
    text = " ".join(done.output.split())
    found = re.findall(r"\[answers=([15])[^]]*\] .*?150 \+ (\d+) x 25 = ([\d,]+)", text)
    assert {*found} == {("1", "84", "2,250"), ("5", "12", "450")}
    assert "then 24 rounds of 25 to 750" in text
    assert "24 arms x 8 seeds = 192 runs" in text
    assert 2250 * 1 == 750 * 3 == 450 * 5


@pytest.mark.parametrize("pool", crowd_table.POOLS)
def test_where_nobody_errs_arms_end_at_the_same_sum(pool):
    right, noisy = (crowd_table.protocol(pool, kind) for kind in crowd_table.KINDS)

    def labels(own):
        return own["initial"] + own["rounds"] * own["query"]

    assert labels(right) == crowd_table.ANSWERS * labels(noisy)
    assert right["rounds"] % 2 == noisy["rounds"] % 2 == 0, "every second round is evaluated"


def test_the_page_has_a_row_for_each_setting_with_the_recorded_numbers(out, stored):
    text = (out / "README.md").read_text()
    summary = pd.read_csv(out / "summary.csv")
    assert len(summary) == 2 + 4
    assert set(summary["setting"]) == {
        "right, 1 answer",
        "noisy, 2 answers, one_coin",
        "noisy, 1 answer, one_coin",
    }
    random = summary[(summary["strategy"] == "random") & (summary["setting"] == "right, 1 answer")]
    (row,) = random.to_dict("records")
    assert row["wrong_labels"] == 0
    assert f"| right, 1 answer | {row['labels']:,.0f} | 0.0 | {row['accuracy']:.3f} |" in text
    assert summary.loc[summary["setting"].str.startswith("noisy"), "wrong_labels"].max() > 0
    choices = pd.read_csv(out / "choices.csv")
    assert set(choices["setting"]) == {"noisy, 1 answer, one_coin"}
    assert set(choices["strategy"]) == {"random", "margin"}
    assert "| against noisy, 2 answers, one_coin | random | margin |" in text


def test_of_a_pool_that_is_not_stored_what_was_published_stays(out, stored, tmp_path):
    words = ["--page-only", "--work", str(stored), "--out", str(tmp_path)]
    renamed = tmp_path / "summary.csv", tmp_path / "choices.csv"
    for path in renamed:
        text = (out / path.name).read_text()
        path.write_text(text.replace(",icons\n", ",openclipart\n"))
    before = [path.read_text() for path in renamed]
    done = CliRunner().invoke(crowd_table.main, words)
    assert done.exit_code == 0, done.output
    assert "left out" not in done.output
    for path, kept in zip(renamed, before, strict=True):
        _, *of_icons = (out / path.name).read_text().splitlines()
        assert path.read_text().splitlines() == [*kept.splitlines(), *of_icons]
    page = (out / "README.md").read_text()
    icons = page.partition("## icons")[2]
    both = (tmp_path / "README.md").read_text()
    assert both.partition("## openclipart")[2] == f"{icons}\n## icons{icons}"


def test_what_is_said_counts_the_intervals_that_leave_out_zero():
    def rows(setting, strategy, *ends):
        return [
            {
                "setting": setting,
                "strategy": strategy,
                "alc_difference_low": low,
                "alc_difference_high": high,
            }
            for low, high in ends
        ]

    nan = float("nan")
    summary = pd.DataFrame(
        rows("right, 1 answer", "margin", (0.01, 0.02))
        + rows("noisy, 1 answer, majority", "margin", (-0.01, 0.02), (0.001, 0.02), (nan, nan))
        + rows("noisy, 1 answer, majority", "entropy", (-0.02, -0.01))
        + rows("noisy, 1 answer, majority", "random", (nan, nan))
    )
    choices = pd.DataFrame(rows("noisy, 5 answers, majority", "margin", (-0.02, -0.01), (-1, 1)))
    assert crowd_table.said(summary, choices, "noisy, 3 answers, one_coin") == [
        "In 1 right setting margin is shown to be better than random in 1, and to be worse in 0.",
        "In 3 noisy settings margin is shown to be better than random in 1, and to be worse in 0.",
        "In 1 noisy setting entropy is shown to be better than random in 0, and to be worse in 1.",
        "`noisy, 5 answers, majority` is shown to be better than `noisy, 3 answers, one_coin` for 0 of 2 strategies, "
        "and worse for 1.",
    ]


def test_without_any_study_nothing_is_written(tmp_path):
    options = ["--page-only", "--work", str(tmp_path), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(crowd_table.main, options)
    assert done.exit_code == 1
    assert "there is no study below" in done.output
    assert not (tmp_path / "out").exists()
