"""What people see, at 80 columns."""

import io
import math
import re

import pytest
from rich.console import Console

from alray.analysis.sweep.summary import summarise
from alray.analysis.wording import share
from alray.api import plan_sweep
from alray.cli.display.phrases import duration, size
from alray.cli.display.sweep_progress import SweepDisplay, rounds_left
from alray.cli.display.sweep_summary import print_summary
from alray.settings.sweep import SweepSpec
from alray.studies.events import Failure
from alray.studies.sweep.jobs import Job
from alray.studies.sweep.status import RunStatus
from tests.helpers.intervals import generator
from tests.helpers.sweep_frames import HEIGHTS, study

HERE, THERE = "node1", "node2"


@pytest.fixture
def small_plan():
    return plan_sweep(SweepSpec(strategies=("random", "margin"), seeds=(0, 1), rounds=2))


@pytest.mark.parametrize(
    ("show", "value", "expected"),
    [
        (share, 0.99999, "1.000"), (share, None, "-"),
        (duration, 8.4, "8 s"), (duration, 125.0, "2 min 05 s"), (duration, 119.7, "2 min 00 s"),
        (duration, 59.7, "1 min 00 s"), (duration, 12_000.0, "3 h 20 min"),
        (size, 4_200_000, "4.2 MB"), (size, 1_300_000_000, "1.30 GB"),
    ],
)  # fmt: skip
def test_numbers_read_well(show, value, expected):
    assert show(value) == expected


def test_what_is_left_counts_what_a_checkpoint_has(small_plan):
    """A run that goes on from its round 1 of 2 has one round left; a fresh one its passive phase and two."""
    runs = list(progress_of(small_plan).values())
    assert rounds_left(runs) == 3 * 4
    runs[0].rounds_done = 1
    runs[1].status = "finished"
    assert rounds_left(runs) == 1 + 3 * 2


def progress_of(plan):
    """Return the progress of runs none of which has started."""
    return {run.run_id: RunStatus(run) for run in plan.runs}


def job_of(run):
    """Return the job of a run, from its passive phase on."""
    return Job(run.run_id, run, run.rounds, run.passive_id)


def printed(tmp_path, failed=(), **study_options):
    """Return what is printed of a made study in which these runs failed."""
    rounds, runs = study(**study_options)
    runs.loc[runs["run_id"].isin(failed), "status"] = "failed"
    done = rounds[rounds["run_id"].isin(runs.loc[runs["status"] == "finished", "run_id"])]
    out = io.StringIO()
    console = Console(file=out, width=80, markup=False, highlight=False)
    print_summary(console, summarise(done, runs, generator()), tmp_path)
    return out.getvalue()


def test_the_table_fits_80_columns_and_shows_every_arm(tmp_path, monkeypatch):
    long = "committee_least_confidence:members=20:committee=both"
    monkeypatch.setitem(HEIGHTS, long, 0.01)
    text = printed(tmp_path, seeds=6, strategies=("random", long, "ideal_loss"))
    assert max(len(line) for line in text.splitlines() if str(tmp_path) not in line) <= 80
    assert "ideal_loss (oracle)" in text
    assert "random (oracle)" not in text
    assert re.search(r"\+\.\d{3} \(", text)
    assert "at 180" in text


def test_an_interval_that_leaves_out_zero_does_not_end_at_zero(tmp_path):
    rounds, runs = study(seeds=6, strategies=("random", "margin"))
    found = summarise(rounds, runs, generator())
    margin = found["arm"] == "margin"
    found.loc[margin, ["alc_difference", "alc_difference_low"]] = [-0.004, -0.008]
    found.loc[margin, "alc_difference_high"] = -0.000023
    out = io.StringIO()
    print_summary(Console(file=out, width=80), found, tmp_path)
    assert "-.004 (-.008, -.00002)" in out.getvalue()


def test_labels_in_brackets_are_not_taken_for_markup(tmp_path):
    text = printed(tmp_path, seeds=2, strategies=("random", "margin"), variants=("lr=1",))
    assert "margin [lr=1]" in text


def test_failed_runs_are_counted_at_their_arm(tmp_path):
    text = printed(tmp_path, ["margin__seed-1"], seeds=3, strategies=("random", "margin"))
    assert text.startswith("1 run failed and is left out: margin 1\nwhere and why: ")
    assert "Runs failed and are left out: margin 1." in text


def test_an_arm_without_a_finished_run_has_no_numbers(tmp_path):
    text = printed(tmp_path, ["margin__seed-0"], seeds=1, strategies=("random", "margin"))
    assert re.search(r"^margin( +-){5} *$", text, re.MULTILINE)


def test_a_study_without_a_finished_run_says_so(tmp_path):
    text = printed(tmp_path, ["random__seed-0"], seeds=1, strategies=("random",))
    assert "no run has finished" in text


def test_the_live_display_shows_the_run_in_progress(small_plan):
    """A line with arm, seed, round and accuracy; failures above it at once; the count at the end."""
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, width=80, color_system=None, markup=False, highlight=False
    )
    display = SweepDisplay(console, "starting Ray")
    runs = progress_of(small_plan)
    first = small_plan.runs[0]
    display.begin(small_plan, runs)
    display.started(job_of(first), HERE)
    display.progressed(first.run_id, runs[first.run_id], {"round": 1, "accuracy": 0.6521})
    drawn = io.StringIO()
    # The live display itself draws from a thread, at moments of its own.
    Console(file=drawn, width=80, markup=False).print(display._draw())
    line = drawn.getvalue()
    display.notice("waiting for a worker")
    broken = runs[small_plan.runs[1].run_id]
    broken.error = "RuntimeError: broken"
    display.failed(broken)
    display.ended(first.run_id, runs[first.run_id])
    display.end()
    assert f"{first.arm}" in line
    assert f"seed {first.seed}" in line
    assert f"round 1/{first.rounds}" in line
    assert "accuracy .652" in line
    assert "waiting for a worker" in out.getvalue()
    assert "RuntimeError: broken" in out.getvalue()
    assert f"1/{len(runs)} runs in" in out.getvalue()


@pytest.mark.parametrize(
    ("accuracies", "shown"), [((math.nan,), None), ((0.6521, math.nan), ".652")]
)
def test_a_round_that_is_not_evaluated_shows_the_last_known_accuracy(
    small_plan, accuracies, shown
):
    out = io.StringIO()
    console = Console(file=out, width=200)
    display = SweepDisplay(console, "starting")
    run = RunStatus(small_plan.runs[0])
    display.started(job_of(run.run), HERE)
    for number, accuracy in enumerate(accuracies):
        display.progressed(run.run_id, run, {"round": number, "accuracy": accuracy})
    console.print(display._current())
    drawn = out.getvalue()
    assert f"round {len(accuracies) - 1}/2" in drawn
    assert "nan" not in drawn
    assert drawn.partition("accuracy ")[2][:4] == (shown or "")
    display.ended(run.run_id, run)
    assert f"accuracy {shown or '-'} at" in out.getvalue()


def test_arms_that_end_at_different_labels_have_no_label_count_above_them(tmp_path):
    rounds, runs = study(seeds=2, strategies=("random", "margin"), variants=("", "query=40"))
    rounds = rounds[(rounds["variant"] == "") | (rounds["labels"] < 180)]
    out = io.StringIO()
    found = summarise(rounds, runs, generator())
    print_summary(Console(file=out, width=100), found, tmp_path)
    assert "at the end" in out.getvalue()


def test_the_line_of_a_dead_worker_says_node_reason_and_how_its_job_goes_on(small_plan):
    def loss(failure, resumes_after, job):
        out = io.StringIO()
        SweepDisplay(Console(file=out, width=200), "starting").lost(job, failure, resumes_after)
        return out.getvalue().strip()

    run = small_plan.runs[0]
    job, passive = job_of(run), Job(run.passive_id, run, 0, None)
    died = Failure(job.name, "killed.", HERE)
    line = f"node1: worker died (killed); {run.arm}, seed {run.seed}"
    assert loss(died, 40, job) == f"{line} starts again after round 40"
    assert loss(died, -1, job) == f"{line} starts again"
    assert loss(died, None, job) == f"{line} is given up"
    nowhere = Failure(job.name, "killed")
    assert loss(nowhere, 0, job) == f"{line.removeprefix('node1: ')} starts again"
    assert loss(died, -1, passive).endswith(f"; passive phase, seed {run.seed} starts again")


@pytest.mark.parametrize("hosts", [(HERE, THERE), (HERE, HERE)], ids=["two", "one"])
def test_nodes_are_named_once_more_than_one_is_used(small_plan, hosts):
    out = io.StringIO()
    display = SweepDisplay(Console(file=out, width=200), "starting", quiet_seconds=0.0)
    runs = progress_of(small_plan)
    display.begin(small_plan, runs)
    for run, host in zip(small_plan.runs, hosts, strict=False):
        display.started(job_of(run), host)
    display.tick()
    first = runs[small_plan.runs[0].run_id]
    first.host = HERE
    display.ended(first.run_id, first)
    display.moved(Job("x", first.run, 2, "y"), Failure("x", "no disk", HERE, died=False))
    lines = out.getvalue()
    assert ("; running: 1 on node1, 1 on node2" in lines) == (hosts[1] == THERE)
    assert ("0 s, node1\n" in lines) == (hosts[1] == THERE)
    assert "node1: no disk; " in lines
