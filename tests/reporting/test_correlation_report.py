"""The page of a correlation study, made again from its folder."""

import shutil

import pytest

import alray
from alray.api import correlate
from alray.errors import SpecError, StoreError
from alray.reporting.api import report
from alray.studies.correlation.complete import summarised_settings, tasks_of
from alray.studies.correlation.protocol import complete_bases, task_names
from alray.studies.correlation.results import load_correlation
from alray.studies.correlation.store import CorrelationStore
from tests.helpers import correlation_studies
from tests.helpers.report_reading import figures_in, html_of


def settings(pool, **changes):
    return correlation_studies.correlation_settings(pool, **{"fine_tune_seeds": 1, **changes})


@pytest.fixture(scope="module")
def study(pool, tmp_path_factory):
    """A study with its page."""
    found = correlate(settings(pool), results=tmp_path_factory.mktemp("results"))
    report(found, formats=("html",))
    return found.path


@pytest.fixture(scope="module")
def extended(pool, study, tmp_path_factory):
    """The study after an addition of a seed that was interrupted when only its first base had it."""
    folder = tmp_path_factory.mktemp("extended")
    shutil.copytree(study, folder / study.name)
    correlate(settings(pool, fine_tune_seeds=2), results=folder)
    path = folder / study.name
    for task in (path / "outcomes").glob("base-1__*__seed-1*"):
        task.unlink()
    for name in ("summary", "quantiles", "checks"):
        shutil.copy(study / f"{name}.parquet", path)
    return path


def test_the_page_is_made_again(study, tmp_path):
    """Elsewhere and with other formats, verdicts, tables and figures are those of the page in the study's folder."""
    made = report(study, out=tmp_path, formats=("html", "svg", "png", "csv"))
    again, first = html_of(made), (study / "report.html").read_text()
    for section in ('id="verdicts"', 'id="numbers"', 'id="checks"'):
        start = again.index(section)
        part = again[start : again.index("</section>", start)]
        assert part in first
    assert figures_in(again) == figures_in(first)
    assert {name for name in made.files if name.endswith(".csv")} == {
        "findings/summary.csv",
        "findings/quantiles.csv",
        "findings/checks.csv",
    }


def test_another_outcome_of_a_study_in_memory_can_be_the_main_one(study, tmp_path, monkeypatch):
    loaded = load_correlation(study)
    monkeypatch.setattr(CorrelationStore, "read_records", None)
    html = html_of(report(loaded, out=tmp_path, metric="nll", formats=("html",)))
    assert "Shown: NLL" in html


def test_figures_are_of_the_bases_and_seeds_of_the_stored_summary(study, extended, tmp_path):
    """After an interrupted addition of seeds the first base alone has all that the settings ask for."""
    html, before = (
        html_of(report(path, out=tmp_path / name, metric="nll", formats=("html",)))
        for path, name in ((extended, "extended"), (study, "before"))
    )
    figures = figures_in(html)
    points = figures["scatter"]
    base = points["columns"].index("base")
    assert {row[base] for row in points["rows"]} - {None} == {0, 1}
    assert figures == figures_in(before)
    assert "these findings are without them" in html
    assert "1 seed, evaluated after 1 and 2 epochs" in html
    assert "these findings are without them" not in before


def test_a_base_is_complete_by_the_settings_and_the_tasks_on_record(study, extended):
    """The driver asks with the settings that are wanted, a report with those of the summary."""
    found = load_correlation(extended)
    done = set(tasks_of(found.outcomes))
    assert done == CorrelationStore(extended).done()
    assert complete_bases(found.settings, [1, 0], done) == [0]
    assert complete_bases(found.settings, [], done) == []
    spec = summarised_settings(found.settings, found.summary)
    assert spec == load_correlation(study).settings
    assert complete_bases(spec, [1, 0], done) == [0, 1]
    assert complete_bases(spec, [0, 1], done - {task_names(spec, 1)[-1]}) == [0]


def test_a_summary_that_is_not_of_the_complete_bases_is_refused(study, tmp_path):
    """The records have changed since: figures and tables would contradict each other."""
    shutil.copytree(study, tmp_path / "study")
    next((tmp_path / "study" / "outcomes").glob("base-1__score*")).unlink()
    with pytest.raises(StoreError, match="summary is of 2 bases, and 1 is complete: run the same"):
        report(tmp_path / "study", formats=("html",))


def test_in_a_notebook_it_shows_itself_and_its_charts(study):
    found = alray.load_correlation(study)
    html = found._repr_html_()
    for text in ("<td>by score</td>", "rho (95 % interval)", str(study)):
        assert text in html
    assert any(found.chart(outcome="nll").to_dict()["datasets"].values())
    with pytest.raises(SpecError, match="all charts: uplift, "):
        found.chart("curves")
