"""What to do next as users see it: at the end of a sweep, of a report and of a page, with commands that work."""

import json
import shlex
import sys

import pandas as pd
import pytest

import alray as package
from alray.analysis.sweep.next_steps.steps import NEXT_COLUMNS, Step
from alray.cli.display.next_steps import HEADING, print_next_steps
from alray.reporting.api import report
from tests.helpers.command import SMALL, TWO_ARMS, alray
from tests.helpers.narrow import WIDTHS, shown
from tests.helpers.report_reading import Page, html_of
from tests.helpers.sweep_report_frames import Size, frames_of, write_study

HOSTILE = "<script>alert(1)</script>"


def typed(monkeypatch, *words):
    """Run a command as a shell does, whose words the manifest keeps."""
    monkeypatch.setattr(sys, "argv", ["alray", *map(str, words)])
    return alray(*words)


def commands(text):
    """Return the commands below the heading."""
    lines = text.partition(HEADING)[2].splitlines()
    return [line.strip() for line in lines if line.startswith("  ")]


@pytest.fixture
def results(tmp_path):
    """A folder whose name is more than one word to a shell."""
    return tmp_path / "my results"


def test_the_command_adds_what_it_says_and_keeps_what_is_done(pool, results, monkeypatch):
    words = ("sweep", pool, *SMALL, *TWO_ARMS, "--seeds", "1", "--results", results)
    first = typed(monkeypatch, *words)
    assert first.exit_code == 0
    (command,) = commands(first.stdout)
    assert command.endswith(" --seeds 6")
    assert "1 seed cannot show any difference, 6 can. That takes" in " ".join(first.stdout.split())
    manifest = json.loads((results / "pool" / "manifest.json").read_text())
    assert manifest["workers"] == 1
    assert shlex.split(manifest["command"]) == ["alray", *map(str, words)]
    second = typed(monkeypatch, *shlex.split(command)[1:])
    assert second.exit_code == 0
    assert "2 runs finished before" in second.stderr
    study = package.load(results / "pool")
    assert study.settings.seeds == (0, 1, 2, 3, 4, 5)
    told = [step.sentence for step in study.next_steps]
    assert len(told) == 1
    assert told[0].split(":")[0] in " ".join(second.stdout.split())


def test_fresh_is_not_said_again(pool, results, monkeypatch):
    """It would throw the study away."""
    words = ("sweep", pool, *SMALL, "--strategies", "margin", "--seeds", "1", "--fresh")
    done = typed(monkeypatch, *words, "--results", results)
    (command,) = commands(done.stdout)
    assert "--fresh" not in command
    assert command.endswith("--strategies random,margin")


def test_a_report_ends_with_the_same_steps_everywhere(tmp_path):
    """Terminal, page, table and Python; a study that came from elsewhere has its command in the manifest."""
    study = write_study(tmp_path / "made", Size(strategies=("random", "margin"), rounds=6))
    done = alray("report", study, "--format", "html,csv")
    made = report(study, formats=("html",))
    steps = made.next_steps
    table = pd.read_csv(study / "findings" / "next_steps.csv")
    page = Page(html_of(made).encode())
    assert page.open == []
    assert list(table) == list(NEXT_COLUMNS)
    assert table["sentence"].tolist() == [step.sentence for step in steps]
    assert steps[0].kind == "choose"
    words = " ".join(done.stdout.split())
    for step in steps:
        assert step.sentence in words
        assert step.sentence in page.words
        assert step.command in page.words
    assert page.words.index("Settings") > page.words.index(HEADING) > page.words.index("Figures")


def test_names_are_text(tmp_path):
    rounds = frames_of(Size(strategies=("random", "margin"), seeds=2, rounds=3))["rounds"]
    named = rounds.assign(arm=rounds["arm"].replace("margin", HOSTILE))
    named[["arm", "seed", "labels", "accuracy"]].to_csv(tmp_path / "curves.csv", index=False)
    made = report(tmp_path / "curves.csv", formats=("html",))
    assert HOSTILE in made.next_steps[0].sentence
    assert HOSTILE in Page(html_of(made).encode()).words
    assert made.next_steps[0].command == ""


@pytest.mark.parametrize("width", WIDTHS)
def test_at_every_width_a_command_is_one_line(width):
    command = (
        "alray sweep 'a very long name of a pool.parquet' --strategies random,margin --seeds 20"
    )
    steps = [
        Step("more seeds", "Run more seeds: " + "word " * 30, command, 100.0),
        Step("stop", "\x1b[2J"),
    ]
    text = shown(lambda console: print_next_steps(console, steps), width)
    assert f"\n  {command}\n" in text
    assert "about 2 minutes" in " ".join(text.split())
    assert "\x1b" not in text
    others = [line for line in text.splitlines() if command not in line]
    assert max(map(len, others)) <= width
    assert shown(lambda console: print_next_steps(console, []), width) == ""
