"""The study that ranks all strategies: what it runs, and the page that it makes of stored sweeps."""

import math

import pandas as pd
import pytest
from click.testing import CliRunner

from alray import api, load
from alray.cli import main as alray
from alray.statistics.curves import area_under_curve
from alray.statistics.mean_ranks import blocks_of, rank_arms
from studies import strategies_table
from tests.helpers.studies import settings

ARMS = ["random", "margin", "typiclust"]


@pytest.fixture(scope="module")
def stored(pool, tmp_path_factory):
    """Return a folder with two of the studies, small."""
    work = tmp_path_factory.mktemp("work")
    for name, query in (("openclipart-20", 5), ("icons-200", 10)):
        spec = settings(pool, name=name, strategies=ARMS, seeds=6, query=query, rounds=3)
        api.sweep(spec, results=work)
    return work


@pytest.fixture(scope="module")
def page(stored, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    options = ["--page-only", "--work", str(stored), "--out", str(out)]
    done = CliRunner().invoke(strategies_table.main, options)
    assert done.exit_code == 0, done.output
    assert "icons-20 has not been run, and is left out" in done.output
    return out


def test_no_strategy_that_needs_labels_takes_part():
    found = strategies_table.strategies()
    assert found[0] == "random"
    assert {"badge", "galaxy", "bait", "u_herding"} < {*found}
    assert not {"ideal_loss", "reverse_ideal_loss", "best_of_batches"} & {*found}


@pytest.mark.parametrize("name", ["openclipart-20", "openclipart-200"])
def test_its_commands_are_ones_that_alray_takes(name, tmp_path):
    _, _, module, *options = strategies_table.command(name, tmp_path)
    assert module == "alray"
    done = CliRunner().invoke(alray, [*options, "--dry-run"])
    assert done.exit_code == 0, done.output
    assert f"to {300 + 1200:,}" in done.output


def test_areas_are_those_of_the_recorded_curves(stored):
    study = load(stored / "openclipart-20")
    table = strategies_table.areas("openclipart-20", study, "macro_f1")
    assert len(table) == 18
    row = table[(table["arm"] == "margin") & (table["seed"] == 3)].iloc[0]
    curve = study.rounds[(study.rounds["arm"] == "margin") & (study.rounds["seed"] == 3)]
    curve = curve.sort_values("labels")
    expected = area_under_curve(
        curve["labels"].to_numpy(float), curve["macro_f1"].to_numpy()[None]
    )
    assert row["value"] == pytest.approx(expected[0])
    assert (row["pool"], row["setting"]) == ("openclipart", "query 20")


def test_the_page_has_both_metrics_and_says_only_what_ranks_show(page):
    text = (page / "README.md").read_text()
    for metric in ("accuracy", "macro_f1"):
        assert f"](ranks-{metric}.svg)" in text
        assert (page / f"ranks-{metric}.svg").read_bytes().startswith(b"<svg")
    ranks = pd.read_csv(page / "ranks.csv")
    best = ranks[ranks["metric"] == "accuracy"].iloc[0]
    assert f"{best['arm']} has the best mean rank ({best['mean_rank']:.1f} of 3" in text
    assert "over 12 blocks of pool and seed" in text


def test_what_is_worth_using_is_counted_by_intervals_that_leave_out_zero(page):
    summary = pd.read_csv(page / "summary.csv")
    assert (summary["query_seconds"] >= 0).all()
    # Planted: margin is better in both, by both metrics; typiclust worse in one by accuracy.
    margin, typical = (summary["arm"] == arm for arm in ("margin", "typiclust"))
    summary["alc_difference_low"], summary["alc_difference_high"] = -0.1, 0.1
    summary.loc[margin, "alc_difference_low"] = 0.01
    one = typical & (summary["study"] == "icons-200") & (summary["metric"] == "accuracy")
    summary.loc[one, "alc_difference_high"] = -0.01
    summary.loc[margin, "query_seconds"] = 0.5
    text = strategies_table.worth_using(summary, ["typiclust", "margin", "random"])
    assert "in each of 2 studies by accuracy and by macro F1" in text
    assert ": margin (0.5 s). In how many" in text
    first, second = text.splitlines()[-2:]
    assert first.startswith("| typiclust | better in 0, worse in 1 | better in 0, worse in 0 |")
    assert second == "| margin | better in 2, worse in 0 | better in 2, worse in 0 | 0.5 to 0.5 |"
    assert "## What is worth using" in (page / "README.md").read_text()


def test_too_few_blocks_are_said_to_show_nothing(stored):
    frame = strategies_table.areas("icons-200", load(stored / "icons-200"), "accuracy")
    few = frame[frame["seed"] < 3]
    text = strategies_table.ranks_said(rank_arms(blocks_of(few, "these pools")), "accuracy")
    assert "3 blocks cannot show which arms differ" in text
    assert "7 or more can" in text


def test_differences_are_bold_exactly_where_their_interval_leaves_out_zero(page, stored):
    assert len(pd.read_csv(page / "summary.csv")) == 2 * 2 * 3
    text = (page / "README.md").read_text()
    summary = strategies_table.summary_of("icons-200", load(stored / "icons-200"), "accuracy")
    compared = summary[summary["alc_difference"].notna()]
    assert len(compared) == 2
    for _, row in compared.iterrows():
        low, mid, high = (row[f"alc_difference{end}"] for end in ("_low", "", "_high"))
        written = f"{mid:+.4f} ({low:+.4f}, {high:+.4f})"
        assert written in text
        assert (f"**{written}**" in text) is bool(low > 0 or high < 0)


def test_without_any_study_nothing_is_written(tmp_path):
    options = ["--page-only", "--work", str(tmp_path), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(strategies_table.main, options)
    assert done.exit_code == 1
    assert "there is no study below" in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((-0.0082, -0.000023), "**-0.0040 (-0.0082, -0.00002)**"),
        ((-0.0082, 0.000023), "-0.0040 (-0.0082, +0.0000)"),
        ((-0.0082, 0.0), "-0.0040 (-0.0082, +0.0000)"),
        ((math.nan, math.nan), "-0.0040"),
    ],
)
def test_a_bold_cell_shows_that_its_interval_leaves_out_zero(ends, said):
    names = ("alc_difference_low", "alc_difference_high")
    assert (
        strategies_table.cell({"alc_difference": -0.004, **dict(zip(names, ends, strict=True))})
        == said
    )
