"""`alray correlate` as it is typed: plans, tables, errors, exit codes."""

import re
from unittest.mock import create_autospec

import pytest
from rich.console import Console

from alray.cli.display.correlation_progress import CorrelationDisplay
from alray.cli.display.correlation_summary import print_correlation
from alray.studies.correlation.results import load_correlation
from alray.studies.correlation.store import CorrelationStore
from alray.studies.correlation.tasks import FineTune, TrainBase
from alray.studies.events import Failure
from tests.helpers.builders import make_pool
from tests.helpers.command import alray
from tests.helpers.correlation_studies import correlation_plan
from tests.helpers.narrow import WIDTHS, assert_whole

QUICK = [
    "--sample", "120", "--group-size", "6", "--initial", "20", "--bases", "1", "--fine-tune-seeds",
    "2", "--epochs", "1,2", "--replay", "none", "--scores", "loss,margin", "--grouping",
    "score,within_class,random", "--executor", "inline", "--set", "model.width=8",
    "--set", "training.passive_epochs=15", "--set", "training.lr=0.03",
]  # fmt: skip


@pytest.fixture(scope="module")
def done(pool, tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    return alray("correlate", "--pool", pool, "--results", results, *QUICK), results


def test_a_study_prints_its_tables_and_where_everything_lies(done):
    """A table names each score once."""
    outcome, results = done
    assert outcome.exit_code == 0, outcome.output
    for part in (
        "pool-correlation: 200 objects, 3 classes",
        "base 0: accuracy",
        "222/222 fine-tunes in",
        "loss (large) ",
        "margin (small) ",
        "by score",
        "within class",
        "uplift: what the tenth",
        f"results: {results}/pool-correlation",
        f"page:    {results}/pool-correlation/report.html",
    ):
        assert part in outcome.output, part
    lines = [line for line in outcome.stdout.splitlines() if "/" not in line]
    assert max(map(len, lines)) <= 80
    folder = results / "pool-correlation"
    summary = load_correlation(folder).summary
    value = summary.query(
        "score == 'loss' and grouping == 'score' and outcome == 'accuracy' and epochs == 1"
    )["rho"].item()
    table = outcome.stdout.partition("uplift:")[0].splitlines()
    (row,) = [line for line in table if "loss (large)" in line]
    assert f"{value:+.2f}".replace("0.", ".") in row
    assert (folder / "report.html").read_text().count("<figure") >= 4


@pytest.mark.parametrize("width", WIDTHS)
def test_no_number_is_cut_at_any_width(done, width):
    _, results = done
    found = load_correlation(results / "pool-correlation")
    assert_whole(lambda console: print_correlation(console, found), width)


def test_the_same_command_again_prints_the_same_tables(done, pool, monkeypatch):
    """The records are read once, for tables and page alike."""
    read = create_autospec(
        CorrelationStore.read_records, side_effect=CorrelationStore.read_records
    )
    monkeypatch.setattr(CorrelationStore, "read_records", read)
    outcome, results = done
    again = alray("correlate", "--pool", pool, "--results", results, *QUICK)
    assert again.exit_code == 0
    assert again.stdout == outcome.stdout
    assert "222 fine-tunes done before" in again.stderr
    assert "writing the report" in again.stderr
    read.assert_called_once()


def test_a_dry_run_says_how_much_of_the_study_is_there(done, pool):
    """A study of another seed is refused, as the run would refuse it."""
    results = done[1]
    words = ("--pool", pool, "--results", results, *QUICK, "--dry-run")
    outcome = alray("correlate", *words)
    assert outcome.exit_code == 0, outcome.output
    tasks = len(list((results / "pool-correlation" / "outcomes").glob("*.parquet")))
    assert f"goes on there: {tasks} of {tasks} tasks finished" in outcome.stdout
    refused = alray("correlate", *words, "--set", "seed=1")
    assert refused.exit_code == 2
    assert "seed: 0 there, 1 now" in refused.stderr


def test_a_pool_whose_name_cannot_name_a_folder_gives_the_study_a_clean_name(pool, tmp_path):
    odd = tmp_path / "my pool (1).parquet"
    odd.write_bytes(pool.read_bytes())
    words = ("--pool", odd, "--results", tmp_path, *QUICK, "--scores", "margin", "--no-report")
    outcome = alray("correlate", *words, "--grouping", "score")
    assert outcome.exit_code == 0, outcome.output
    assert "my-pool-1-correlation (from my pool (1).parquet): 200 objects" in outcome.stderr
    assert (tmp_path / "my-pool-1-correlation" / "summary.parquet").is_file()


def test_a_dry_run_says_what_would_be_done_and_does_nothing(pool, tmp_path):
    """Settings come from a file, and options override them."""
    file = tmp_path / "study.yaml"
    file.write_text(f"name: mine\npool: {{source: {pool}}}\nbases: 7\nepochs: [1, 4]\n")
    outcome = alray("correlate", file, "--results", tmp_path / "results", "--dry-run", *QUICK)
    assert outcome.exit_code == 0, outcome.output
    for text in (
        "mine: 200 objects",
        "1 base model on",
        "222 fine-tunes, evaluated after 1, 2 epochs, replay none",
        "within class: margin",
    ):
        assert text in outcome.stdout
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sample", "5000"], "5,000 objects of"),
        (["--sample", "119"], "groups of 6 do not divide 119"),
        (["--initial", "1"], "absent from the first 1 labels"),
        (["--group-size", "60"], "too few for a rank correlation"),
        (["--scores", "los"], "Input should be 'loss', 'margin'"),
        (["--epochs", "1,x"], "epochs.1: write a whole number (got 'x')"),
        (["--epochs", "5,1"], "epochs must rise: 1,5"),
        (["--set", "training.mode=scratch"], "it cannot be scratch"),
        (["--pool", "nowhere.parquet"], "nowhere.parquet"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(pool, tmp_path, arguments, message):
    outcome = alray("correlate", "--pool", pool, "--results", tmp_path, *QUICK, *arguments)
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith("error: ")
    assert message in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("terminal", [False, True])
def test_displays_say_what_happens(terminal):
    """Plain lines also say how far it is after a quiet time."""
    plan = correlation_plan(make_pool(400))
    console = Console(width=80, force_terminal=terminal, highlight=False)
    with console.capture() as capture:
        display = CorrelationDisplay(console, "starting Ray", quiet_seconds=0.0)
        display.begin(plan, 20)
        task = next(iter(plan.tasks(0, [])))
        assert isinstance(task, FineTune)
        display.started(task, "")
        display.performed(task, 1.0, "here")
        display.lost(TrainBase("base-0", 0), Failure("base-0", "killed", "node2"), -1)
        display.lost(TrainBase("base-0", 0), Failure("base-0", "killed"), None)
        display.moved(
            TrainBase("base-1", 1), Failure("base-1", "ValueError: no", "node2", died=False)
        )
        display.failed("base-1", "ValueError: no")
        display.notice("a [notice]")
        display.tick()
        display.end()
    text = capture.get()
    for part in (
        "20 fine-tunes done before",
        "node2: worker died (killed); base-0 starts again",
        "worker died (killed); base-0 is given up",
        "node2: ValueError: no; base-1 is tried on another node",
        "failed: base-1: ValueError: no",
        "a [notice]",
        f"21/{plan.fine_tunes} fine-tunes in",
    ):
        assert part in text, part
    line = re.search(rf"21/{plan.fine_tunes} fine-tunes in 0 s, about .* left", text)
    assert (line is None) == terminal


def test_failed_tasks_are_named_and_the_exit_code_is_1(pool, tmp_path):
    # A width would have no effect on a custom network.
    quick = [word.replace("model.width=8", "model.width=128") for word in QUICK]
    outcome = alray("correlate",
        "--pool", pool, "--results", tmp_path, *quick,
        "--set", "model.name=tests.helpers.own_modules:failing_forward", "--scores", "loss", "--bases", "2",
    )  # fmt: skip
    assert outcome.exit_code == 1
    assert "2 tasks failed" in outcome.stderr
    assert "ArithmeticError: this module cannot be called" in outcome.stderr
    assert "Traceback" not in outcome.stderr
