"""`alray report` as typed."""

import subprocess
import sys
import webbrowser
from unittest.mock import Mock

import pytest

from tests.helpers.command import alray
from tests.helpers.sweep_report_frames import Size, write_study

SMALL = Size(strategies=("random", "margin"), seeds=2, rounds=3)
PAGE = ("--format", "html")


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path / "made", SMALL)


@pytest.fixture
def other(tmp_path):
    return write_study(
        tmp_path / "other", Size(strategies=("random", "entropy"), seeds=2, rounds=2)
    )


def test_a_page_is_written_and_named_without_torch(study):
    program = (
        "import sys\nfrom alray.cli import main\n"
        "main(sys.argv[1:], standalone_mode=False)\n"
        "assert not {'torch', 'ray'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "report", study, *PAGE],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"report: {study}/report.html (1 files)" in done.stdout
    assert "margin" in done.stdout
    assert (study / "report.html").is_file()


def test_several_studies_are_reported_one_by_one(study, other):
    """What is missing is reported too."""
    (study / "runs.parquet").unlink()
    done = alray("report", study, other, "--format", "csv")
    assert done.exit_code == 0
    for folder in (study, other):
        assert f"report: {folder} (" in done.stdout
    assert done.stdout.count("The study has not ended") == 1
    assert (other / "findings" / "savings.csv").is_file()


def test_two_studies_on_one_page(study, other, monkeypatch):
    """Beside the first study, with the arms of both and with costs; no browser opens it."""
    monkeypatch.setattr(webbrowser, "open", None)
    done = alray("report", "--compare", study, other, *PAGE, "--label-cost", "0.05 EUR")
    assert done.exit_code == 0
    page = study.parent / "made-and-other" / "report.html"
    assert str(page) in done.stdout
    html = page.read_text()
    for text in ("made and other", "margin, made", "entropy, other", "EUR"):
        assert text in html


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name a study's folder"),
        (("nowhere",), "nowhere does not exist"),
        (("a", "b", "--out", "c"), "--out is one folder"),
        (("a", "--compare", "b", "c"), "--compare takes its two studies, and no others"),
        (("STUDY", "--against", "margim"), "did you mean 'margin'"),
    ],
    ids=["nothing", "nowhere", "two studies, one folder", "both", "unknown arm"],
)
def test_mistakes_end_with_a_line_and_code_2(study, words, message):
    done = alray("report", *(study if word == "STUDY" else word for word in words))
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("opens", [True, False, webbrowser.Error("no browser")])
def test_the_page_is_opened_when_asked(study, monkeypatch, opens):
    """That no browser opens is no failure."""
    browser = Mock(side_effect=[opens])
    monkeypatch.setattr(webbrowser, "open", browser)
    done = alray("report", study, *PAGE, "--open")
    assert done.exit_code == 0
    browser.assert_called_once_with((study / "report.html").as_uri())
    assert ("no browser could be opened" in done.stderr) == (opens is not True)
