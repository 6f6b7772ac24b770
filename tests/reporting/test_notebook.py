"""Studies in a notebook: what they show of themselves, and their charts."""

import dataclasses
import math
import sys

import pytest

from alray.analysis.sweep.summary import summarise
from alray.errors import SpecError
from alray.reporting.notebook import load
from alray.studies.correlation.tasks import TrainBase
from alray.studies.events import Failure
from alray.studies.notebook_progress import CorrelationProgress, SweepProgress, in_notebook
from alray.studies.sweep.status import RunStatus
from alray.studies.sweep.store import SweepStore
from tests.helpers.builders import make_pool, plan_of
from tests.helpers.intervals import generator
from tests.helpers.sweep_report_frames import Size, frames_of, runs_of, write_study

HOSTILE = "<b>margin</b> & others"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    size = Size(strategies=("random", "margin"), seeds=3, rounds=4)
    folder = write_study(tmp_path_factory.mktemp("results") / "made", size)
    rounds, runs = frames_of(size)["rounds"], runs_of(size)
    SweepStore(folder).write_summary(summarise(rounds, runs, generator()))
    return load(folder)


def test_a_sweep_shows_its_table_and_its_sentences(study):
    html = study._repr_html_()
    for text in ("<td>margin</td>", "3 paired seeds", str(study.path)):
        assert text in html
    assert repr(study) == f"<sweep {study.path}: 2 arms, 6 runs>"
    summary = study.summary.replace("margin", HOSTILE)
    hostile = dataclasses.replace(study, summary=summary)._repr_html_()
    assert "<b>" not in hostile
    assert "&lt;b&gt;margin&lt;/b&gt; &amp; others" in hostile


def test_a_sweep_without_a_finished_run_says_so(study):
    empty = dataclasses.replace(study, summary=study.summary.assign(seeds=0))
    assert "No run has finished." in empty._repr_html_()


def test_a_chart_is_that_of_the_page_with_its_data(study):
    chart = study.chart("differences", against="margin").to_dict()
    assert {row.get("arm") for rows in chart["datasets"].values() for row in rows} >= {"random"}
    assert study.chart().to_dict()["title"]["text"] == "How does each arm learn?"
    with pytest.raises(
        SpecError, match=r"'curve'; did you mean 'curves'\? \(all charts: curves, "
    ):
        study.chart("curve")


def test_progress_is_shown_in_notebooks_only(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not in_notebook()


def test_progress_counts_and_escapes():
    progress = SweepProgress()
    progress._title, progress._total, progress._done = HOSTILE, 12, 3
    progress.notice("stopping <now>")
    html = progress.html()
    assert '<progress value="3" max="12"></progress>' in html
    assert "3/12 rounds, 0 s" in html
    assert "<div>stopping &lt;now&gt;</div>" in html
    assert "<b>" not in html


def test_a_round_that_is_not_evaluated_leaves_the_last_accuracy():
    progress = SweepProgress()
    run = RunStatus(plan_of(make_pool()).runs[0])
    for accuracy, labels in ((math.nan, 20), (0.5, 30), (math.nan, 40)):
        progress.progressed("margin", run, {"accuracy": accuracy, "labels": labels})
        assert "nan" not in progress.html()
    assert "3/" in progress.html()
    assert "accuracy .500 at 30 labels" in progress.html()


def test_failures_are_lines_below_the_bar():
    progress = CorrelationProgress()
    progress.failed("base-1", "ValueError: no")
    task = TrainBase("base-0", 0)
    progress.lost(task, Failure("base-0", "killed."), None)
    progress.moved(task, Failure("base-0", "no disk", died=False))
    html = progress.html()
    assert "<div>failed: base-1: ValueError: no</div>" in html
    assert f"<div>worker died (killed); {task.title} is given up</div>" in html
    assert f"<div>no disk; {task.title} is tried on another node</div>" in html
