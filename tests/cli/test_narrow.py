"""At every width each number is shown whole: on a narrow terminal a table's row becomes a block of lines."""

import pytest
from rich.console import Console, Group
from rich.text import Text

from alray.analysis.sweep.summary import summarise
from alray.api import plan_sweep
from alray.cli.display.pool import print_description
from alray.cli.display.report import print_report
from alray.cli.display.sweep_plan import print_plan
from alray.cli.display.sweep_progress import SweepDisplay
from alray.cli.display.sweep_summary import print_summary
from alray.cli.display.tables import Column, FittingTable, breakable
from alray.pools.describe import describe
from alray.reporting.writing import Report
from alray.settings.common import PoolSpec
from alray.settings.sweep import SweepSpec
from alray.studies.sweep.jobs import Job
from alray.studies.sweep.status import RunStatus
from tests.helpers.intervals import generator
from tests.helpers.narrow import WIDTHS, assert_whole, shown
from tests.helpers.sweep_frames import HEIGHTS, study

LONG = "committee_least_confidence:members=20:committee=both"


@pytest.fixture
def summary(monkeypatch):
    monkeypatch.setitem(HEIGHTS, LONG, 0.01)
    rounds, runs = study(seeds=6, strategies=("random", LONG, "ideal_loss"))
    found = summarise(rounds, runs, generator())
    # A long interval of labels saved, as of a strategy that loses.
    at = found["arm"] == "ideal_loss"
    saved = ["labels_saved", "labels_saved_low", "labels_saved_high"]
    found.loc[at, saved] = [-1.234, -12.345, -0.123]
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_the_table_of_arms(summary, tmp_path, width):
    assert_whole(lambda console: print_summary(console, summary, tmp_path), width)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_description_of_a_pool(width):
    description = describe(PoolSpec(source="icons"))

    def show(console):
        print_description(description, console, every_class=True)

    assert_whole(show, width, headings=("modality",))


@pytest.fixture(scope="module")
def plan():
    return plan_sweep(SweepSpec(strategies=("random", LONG), seeds=(0, 20240101), rounds=2))


def parts_of(display):
    """Return the bar and what is below it."""
    drawn = display._draw()
    assert isinstance(drawn, Group)
    return drawn.renderables


@pytest.mark.parametrize("width", WIDTHS)
def test_the_runs_in_progress(plan, width):
    display = SweepDisplay(Console(), "starting")
    for host, run in zip(("node-1", "node-2", "node-2", "node-1"), plan.runs, strict=True):
        display.started(Job(run.run_id, run, run.rounds, run.passive_id), host)
        display.progressed(run.run_id, RunStatus(run), {"round": 100, "accuracy": 0.6521})
    assert_whole(lambda console: console.print(parts_of(display)[1]), width)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_bar_above_them_keeps_its_numbers(plan, width):
    display = SweepDisplay(Console(), "starting")
    display._runs, display._finished, display._done = 1200, 1000, 617
    display._bar.add_task(display._state(), total=1234, completed=617)
    text = shown(lambda console: console.print(parts_of(display)[0]), width)
    assert "1,000/1,200 runs" in text
    assert "50 %" in text


@pytest.mark.parametrize("width", WIDTHS)
def test_a_plan(plan, width):
    assert_whole(lambda console: print_plan(console, plan), width)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_findings_of_a_report(tmp_path, width):
    verdict = f"{LONG}: +.012 (+.003, +.021), 12 % (-3, 25 %) fewer labels at 12,345 labels."
    made = Report(tmp_path, {}, verdict, (f"1 run failed: {LONG}, seed 20240101: OSError.",))
    assert_whole(lambda console: print_report(console, made), width)


def test_a_number_in_a_long_name_stays_whole():
    broken = breakable(Text(f"Above: {LONG}."), 22).plain
    assert broken.split() == [
        "Above:", "committee_least_", "confidence:members=20:", "committee=both.",
    ]  # fmt: skip
    assert breakable(Text("no word of it is long"), 12).plain == "no word of it is long"


def test_a_title_is_repeated_only_where_its_row_stands_alone():
    table = FittingTable([Column("a", "name"), Column("b", "name"), Column("num-\nber")], titles=2)
    table.add("first-one", "x", "12,345")
    table.add("first-one", "y", "6")
    columns = shown(lambda console: console.print(table), 30).splitlines()
    assert [line.split() for line in columns[1:]] == [
        ["a", "b", "ber"], ["first-one", "x", "12,345"], ["y", "6"],
    ]  # fmt: skip
    block = shown(lambda console: console.print(table), 18).splitlines()
    assert [line.split() for line in block] == [
        ["first-one,", "x"], ["number", "12,345"], ["first-one,", "y"], ["number", "6"],
    ]  # fmt: skip
