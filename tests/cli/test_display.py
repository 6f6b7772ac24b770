"""What people see, at 80 columns."""

import io
import math

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from alray.analysis.sweep.summary import SUMMARY_COLUMNS, summarise
from alray.analysis.wording import count, share, signed
from alray.api import plan_sweep
from alray.cli.display.phrases import duration, size
from alray.cli.display.sweep_progress import SweepDisplay, rounds_left
from alray.cli.display.sweep_summary import print_summary
from alray.settings.sweep import SweepSpec
from alray.studies.events import Failure
from alray.studies.sweep.jobs import Job
from alray.studies.sweep.status import RunStatus


@pytest.mark.parametrize(
    ("show", "value", "expected"),
    [
        (share, 0.6521, ".652"), (share, 1.0, "1.000"), (share, 0.99999, "1.000"), (share, math.nan, "-"),
        (share, None, "-"), (signed, 0.0121, "+.012"), (signed, -0.0121, "-.012"), (signed, 0.0, "+.000"),
        (duration, 8.4, "8 s"), (duration, 125.0, "2 min 05 s"), (duration, 119.7, "2 min 00 s"),
        (duration, 59.7, "1 min 00 s"), (duration, 12_000.0, "3 h 20 min"), (size, 4_200_000, "4.2 MB"), (size, 1_300_000_000, "1.30 GB"),
    ],
)  # fmt: skip
def test_numbers_read_well(show, value, expected):
    assert show(value) == expected


def test_counts_agree_with_their_noun():
    assert count(1, "run") == "1 run"
    assert count(1200, "object") == "1,200 objects"
    assert count(2, "class", "classes") == "2 classes"


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


def study(arms, seeds, rounds=5, statuses=None):
    """Make records of a study: arm i gains i thousandths on random."""
    rng = np.random.default_rng(0)
    rows, runs = [], []
    for place, arm in enumerate(arms):
        for seed in range(seeds):
            name = {
                "run_id": f"{arm}-{seed}",
                "arm": arm,
                "strategy": arm,
                "variant": "",
                "oracle": arm == "ideal_loss",
                "seed": seed,
            }
            runs.append({**name, "status": (statuses or {}).get((arm, seed), "finished")})
            rows += [
                {**name, "round": i, "labels": 100 + 20 * i, "accuracy": 0.5 + 0.02 * i + 0.01 * place + rng.normal(0, 0.001),
                 "macro_f1": 0.4, "nll": 1.5, "ece": 0.1, "query_s": 0.1, "fit_s": 0.1, "eval_s": 0.1}
                for i in range(rounds)
            ]  # fmt: skip
    return pd.DataFrame(rows), pd.DataFrame(runs)


def summary_of(frames):
    rounds, runs = frames
    return summarise(rounds, runs, np.random.default_rng(0))


def printed(summary, tmp_path):
    out = io.StringIO()
    print_summary(Console(file=out, width=80, markup=False, highlight=False), summary, tmp_path)
    return out.getvalue()


def test_the_table_fits_80_columns_and_shows_every_arm(tmp_path):
    arms = ["random", "committee_least_confidence:members=20:committee=both", "ideal_loss"]
    said = printed(summary_of(study(arms, 6)), tmp_path)
    assert max(len(line) for line in said.splitlines() if str(tmp_path) not in line) <= 80
    assert "(oracle)" in said
    assert "+.010 (" in said
    assert "at 180" in said


def test_labels_in_brackets_are_not_taken_for_markup(tmp_path):
    said = printed(summary_of(study(["random", "margin [lr=1]"], 2)), tmp_path)
    assert "[lr=1]" in said


def test_too_few_seeds_lead_to_the_next_command(tmp_path):
    said = printed(summary_of(study(["random", "margin"], 2)), tmp_path)
    assert "--seeds 6 adds seeds" in said
    enough = printed(summary_of(study(["random", "margin"], 6)), tmp_path)
    assert "adds seeds" not in enough


def test_failed_runs_are_counted_at_their_arm(tmp_path):
    frames = study(["random", "margin"], 3, statuses={("margin", 1): "failed"})
    said = printed(summary_of(frames), tmp_path)
    assert said.startswith("1 run failed and is left out: margin 1\nwhere and why: ")
    assert "Runs failed and are left out: margin 1." in said


def test_a_study_without_a_finished_run_says_so(tmp_path):
    statuses = {("random", 0): "failed"}
    rounds, runs = study(["random"], 1, statuses=statuses)
    summary = summary_of((rounds.iloc[:0], runs))
    assert list(summary.columns) == list(SUMMARY_COLUMNS)
    assert "no run has finished" in printed(summary, tmp_path)


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


HERE, THERE = "node1", "node2"


def test_the_line_of_a_dead_worker_says_node_reason_and_how_its_job_goes_on(small_plan):
    def loss(job, failure, resumes_after):
        out = io.StringIO()
        SweepDisplay(Console(file=out, width=200), "starting").lost(job, failure, resumes_after)
        return out.getvalue().strip()

    run = small_plan.runs[0]
    job = job_of(run)
    died = Failure(job.name, "killed.", HERE)
    title = f"{run.arm}, seed {run.seed}"
    assert (
        loss(job, died, 40) == f"node1: worker died (killed); {title} starts again after round 40"
    )
    assert loss(job, died, -1) == f"node1: worker died (killed); {title} starts again"
    assert loss(job, died, None) == f"node1: worker died (killed); {title} is given up"
    assert (
        loss(job, Failure(job.name, "killed"), 0) == f"worker died (killed); {title} starts again"
    )
    passive = Job(run.passive_id, run, 0, None)
    assert loss(passive, died, -1).endswith(f"; passive phase, seed {run.seed} starts again")


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


@pytest.fixture
def small_plan():
    return plan_sweep(SweepSpec(strategies=("random", "margin"), seeds=(0, 1), rounds=2))
