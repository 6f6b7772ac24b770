"""`alray report` as typed."""

import webbrowser

import pytest
from click.testing import CliRunner

from alray.cli import ErrorGroup
from alray.cli.report import report
from tests.helpers.sweep_report_frames import Size, write_study

SMALL = Size(strategies=("random", "margin"), seeds=2, rounds=3)
PAGE = ("--format", "html")


def alray(*words):
    """Type a command; return its exit code, what it said on stdout, and on stderr."""
    group = ErrorGroup(commands={"report": report})
    result = CliRunner(env={"COLUMNS": "80"}).invoke(group, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path / "made", SMALL)


def test_a_page_is_written_and_named(study):
    code, said, _ = alray("report", study, *PAGE)
    assert code == 0
    assert f"report: {study}/report.html (1 files)" in said
    assert "margin" in said
    assert (study / "report.html").is_file()


def test_several_studies_are_reported_one_by_one(study, tmp_path):
    other = write_study(tmp_path / "other", SMALL)
    code, said, _ = alray("report", study, other, "--format", "csv")
    assert code == 0
    assert said.count("report: ") == 2
    assert (other / "findings" / "savings.csv").is_file()


def test_two_studies_on_one_page(study, tmp_path):
    other = write_study(tmp_path / "other", SMALL)
    code, said, _ = alray("report", "--compare", study, other, *PAGE)
    assert code == 0
    assert (tmp_path / "made-and-other" / "report.html").is_file()
    assert "made-and-other/report.html" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name a study's folder"),
        (("nowhere",), "nowhere does not exist"),
        (("a", "b", "--out", "c"), "--out is one folder"),
        (("a", "--compare", "b", "c"), "--compare takes its two studies, and no others"),
    ],
    ids=["nothing", "nowhere", "two studies, one folder", "both"],
)
def test_mistakes_end_with_a_line_and_code_2(words, message):
    code, said, error = alray("report", *words)
    assert code == 2
    assert message in error
    assert said == ""


def test_an_unknown_arm_is_named_with_the_nearest(study):
    code, _, error = alray("report", study, "--against", "margim")
    assert code == 2
    assert "did you mean 'margin'" in error


def test_costs_become_money(study):
    code, _, _ = alray("report", study, *PAGE, "--label-cost", "0.05 EUR")
    assert code == 0
    assert "EUR" in (study / "report.html").read_text()


def test_the_page_is_opened_when_asked(study, monkeypatch):
    opened: list[str] = []

    def browser(address):
        opened.append(address)
        return True

    monkeypatch.setattr(webbrowser, "open", browser)
    alray("report", study, *PAGE)
    assert opened == []
    alray("report", study, *PAGE, "--open")
    assert opened == [(study / "report.html").as_uri()]


@pytest.mark.parametrize("how", ["none", "broken"])
def test_that_no_browser_opens_is_no_failure(study, monkeypatch, how):
    def browser(_):
        if how == "broken":
            raise webbrowser.Error("no browser")
        return False

    monkeypatch.setattr(webbrowser, "open", browser)
    code, _, error = alray("report", study, *PAGE, "--open")
    assert code == 0
    assert "no browser could be opened" in error


def test_missing_runs_are_told(study):
    (study / "runs.parquet").unlink()
    code, said, _ = alray("report", study, "--format", "csv")
    assert code == 0
    assert "has not ended" in said
