"""Forecasts on a page, in its files and its words; and many pools on one page."""

import math

import pandas as pd
import pytest

from alray.analysis.sweep.across import AREAS_COLUMNS, LOSSES_COLUMNS, PAIRS_COLUMNS, RANKS_COLUMNS
from alray.analysis.sweep.forecast import FORECAST_COLUMNS, NEEDED_COLUMNS
from alray.errors import SpecError
from alray.reporting.across import report_across
from alray.reporting.api import report
from tests.helpers.paths import local
from tests.helpers.report_reading import Page, figures_in, html_of
from tests.helpers.sweep_report_frames import Size, frames_of, write_study

SIZE = Size(strategies=("random", "margin", "entropy"), seeds=4, rounds=12)
HOSTILE = '</script><img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("results") / "made", SIZE)


@pytest.fixture(scope="module")
def made(study, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    return report(study, out=out, formats=("html", "csv"), target=(0.75, 0.99), horizon=280)


def test_the_page_has_a_section_a_figure_and_the_sentences(made):
    html = html_of(made)
    page = Page(html.encode())
    assert page.open == []
    assert "What more labels would bring" in page.words
    assert "To accuracy .75:" in page.words
    assert "accuracy at 280 labels" in page.words
    assert "not within reach by 280" in page.words
    figure = figures_in(html)["forecast"]
    rows = pd.DataFrame(figure["rows"], columns=figure["columns"])
    ahead = rows[rows["part"] == "forecast"]
    assert set(ahead["arm"]) == set(SIZE.strategies)
    assert (ahead["low"] <= ahead["high"]).all()
    assert ahead["labels"].max() == 280
    # 0.99 lies far above the curves: the axis would show nothing else.
    assert set(rows["target"].dropna()) == {0.75}


def test_the_tables_are_those_of_the_words(made):
    folder = local(made.folder) / "findings"
    forecast, needed = (
        pd.read_csv(folder / f"{name}.csv") for name in ("forecast", "labels_needed")
    )
    assert list(forecast) == list(FORECAST_COLUMNS)
    assert list(needed) == list(NEEDED_COLUMNS)
    assert set(needed["target"]) == {0.75, 0.99}
    assert set(needed.loc[needed["target"] == 0.99, "answer"]) == {"not within reach"}


def test_the_same_report_twice_is_equal_and_without_targets_there_is_none(study, tmp_path, made):
    again = report(
        study, out=tmp_path / "a", formats=("html", "csv"), target=[0.75, 0.99], horizon=280
    )
    for name in ("forecast", "labels_needed"):
        first, second = (local(each.folder) / "findings" / f"{name}.csv" for each in (made, again))
        assert first.read_bytes() == second.read_bytes()
    plain = report(study, out=tmp_path / "b", formats=("html", "csv"))
    assert "findings/forecast.csv" not in plain.files
    assert "What more labels would bring" not in html_of(plain)


def test_curves_made_elsewhere_are_forecast_by_any_share(tmp_path):
    path = table(tmp_path / "curves.csv", SIZE)
    made = report(path, formats=("csv",), target=0.75, metric="macro_f1")
    assert "To macro F1 .75" in made.verdict
    with pytest.raises(SpecError, match="forecasts are of shares"):
        report(path, formats=("csv",), target=0.75, metric="nll")


def table(path, size, **changes):
    rounds = frames_of(size)["rounds"][["arm", "seed", "labels", "accuracy", "macro_f1", "nll"]]
    rounds.assign(**changes).to_csv(path, index=False)
    return path


def test_arms_that_cannot_be_forecast_are_named_and_the_others_are(tmp_path):
    """Curves of three points have no forecast at all."""
    short = table(tmp_path / "short.csv", Size(strategies=("random", "margin"), seeds=2, rounds=2))
    made = report(short, formats=("html",), target=0.999)
    assert "margin cannot be forecast, because it has 3 label counts" in made.verdict
    assert "forecast" not in figures_in(html_of(made))


def test_a_sentence_says_what_picking_costs(study, tmp_path):
    made = report(study, out=tmp_path, formats=("html", "csv"))
    assert "because it looked best of 3 arms, over 4 seeds, loses" in made.verdict
    summary = pd.read_csv(tmp_path / "findings" / "summary.csv").set_index("arm")
    best = str(summary["alc"].idxmax())
    assert summary.index[summary["regret"].notna()].tolist() == [best]
    assert 0 <= summary.to_dict()["regret"][best] < 0.02


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Three pools; in one of them margin is worst."""
    folder = tmp_path_factory.mktemp("tables")
    paths = []
    for number, penalty in enumerate((0.0, 0.0, 0.1)):
        rounds = frames_of(SIZE)["rounds"]
        lower = rounds["accuracy"] - penalty * (rounds["arm"] == "margin")
        paths.append(table(folder / f"pool-{number}.csv", SIZE, accuracy=lower))
    return paths


def test_many_pools_on_one_page(tables, tmp_path):
    made = report_across(tables, out=tmp_path, formats=("html", "csv", "svg"))
    page = Page(html_of(made).encode())
    assert page.open == []
    assert "The safest arm is entropy" in page.words
    assert "3 pools" in page.words
    assert "ranks" in figures_in(html_of(made))
    expected = {
        "ranks": RANKS_COLUMNS,
        "pairs": PAIRS_COLUMNS,
        "losses": LOSSES_COLUMNS,
        "areas": AREAS_COLUMNS,
    }
    for name, columns in expected.items():
        assert list(pd.read_csv(tmp_path / "findings" / f"{name}.csv")) == list(columns)
    ranks = pd.read_csv(tmp_path / "findings" / "ranks.csv").set_index("arm")
    assert ranks.loc["margin", "worst_study"] == "pool-2"
    assert math.isclose(ranks.to_dict()["worst_loss"]["margin"], 0.1, abs_tol=0.03)


def test_names_are_text_and_the_folder_is_beside_the_first(tables, tmp_path):
    paths = [
        table(
            tmp_path / f"{name}.csv", SIZE, arm=lambda rows: rows["arm"].replace("margin", HOSTILE)
        )
        for name in ("a", "b")
    ]
    made = report_across(paths, formats=("html",))
    assert made.folder == tmp_path / "across-a-b"
    page = Page(html_of(made).encode())
    assert HOSTILE in page.words
    assert not page.of("img")


def test_studies_of_one_pool_are_no_two_pools(study, tables, tmp_path):
    other = write_study(tmp_path / "again", SIZE)
    with pytest.raises(SpecError, match="all of these studies are of one, made"):
        report_across([study, other])
    made = report_across([study, other, tables[0]], out=tmp_path / "out", formats=("csv",))
    areas = pd.read_csv(tmp_path / "out" / "findings" / "areas.csv")
    assert areas.groupby("setting")["pool"].first().to_dict() == {
        "made": "made",
        "again": "made",
        "pool-0": "pool-0",
    }
    assert "Over 2 pools" in made.verdict
