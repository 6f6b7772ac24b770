"""`alray.report` from Python: from a folder or a table to files, with what is wrong said first."""

import os
import shutil

import pandas as pd
import pytest

from alray.errors import SpecError, StoreError
from alray.reporting.api import report, report_pair
from alray.reporting.facts import setting_texts
from alray.reporting.label_cost import parse_cost
from alray.reporting.sources import problems_of
from alray.settings.sweep import SweepSpec
from alray.studies.retries import HERE
from alray.studies.sweep.results import Sweep
from alray.studies.sweep.store import SweepStore
from tests.helpers.report_reading import figures_in, html_of
from tests.helpers.sweep_report_frames import Size, frames_of, runs_of, write_study

SMALL = Size(strategies=("random", "margin", "entropy"), seeds=3, rounds=4)
PAGE = ("html",)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("results") / "made", SMALL)


def table(path, **changes):
    rounds = frames_of(SMALL)["rounds"][["arm", "seed", "labels", "accuracy"]]
    rounds.assign(**changes).to_csv(path, index=False)
    return path


def files_below(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_report_lies_in_the_studys_folder(study):
    """The page and each figure twice; nothing else is touched, the writer's hidden files too, and it is not locked."""
    writing = study / ".runs.parquet.tmp"
    writing.write_bytes(b"half")
    before = files_below(study)
    made = report(study)
    assert writing.read_bytes() == b"half"
    assert made.folder == study
    assert made.page == study / "report.html"
    written = files_below(study) - before
    assert written == set(made.files)
    assert {"report.html", "figures/curves.svg", "figures/curves.png"} <= written
    assert (study / "report.html").stat().st_size == made.files["report.html"]
    html = html_of(made)
    assert "alray sweep --pool made" in html
    assert "f" * 64 in html
    assert 'href="runs.parquet"' in html
    assert made.verdict.split(" ")[0] in html


def test_elsewhere_links_lead_back_to_the_data(study, tmp_path):
    made = report(study, out=tmp_path / "deep" / "down", formats=PAGE, label_cost="0.05 EUR")
    address = os.path.relpath(study / "runs.parquet", tmp_path / "deep" / "down")
    assert f'href="{address}"' in html_of(made)
    assert "EUR" in html_of(made)
    assert files_below(tmp_path / "deep" / "down") == {"report.html"}


def test_a_table_of_curves_is_reported_beside_it(tmp_path):
    """Without an arm called random it needs a reference."""
    path = table(tmp_path / "curves.csv", arm=lambda rows: rows["arm"].replace("random", "base"))
    with pytest.raises(StoreError, match="no arm is called 'random'"):
        report(path)
    made = report(path, against="base", formats=PAGE)
    assert made.folder == tmp_path / "curves-report"
    html = html_of(made)
    assert 'href="../curves.csv"' in html
    assert "minus that of base" in html


def test_another_arm_can_be_the_reference(study, tmp_path):
    """Random becomes an arm like any other, in every text too."""
    report(study, out=tmp_path, against="margin", formats=("html", "csv"))
    summary = pd.read_csv(tmp_path / "findings" / "summary.csv").set_index("arm")
    assert summary["against"].dropna().to_dict() == {"random": "margin", "entropy": "margin"}
    assert summary["strategy"].to_dict() == {name: name for name in SMALL.strategies}
    html = (tmp_path / "report.html").read_text()
    assert "minus that of margin" in html
    assert "for the accuracy that margin has with so many labels" in html


def test_another_metric_is_shown(study, tmp_path):
    figures = figures_in(html_of(report(study, out=tmp_path, metric="nll", formats=PAGE)))
    assert "NLL (nats)" in str(figures["curves"]["spec"])
    assert "NLL (nats) minus that of random" in str(figures["differences"]["spec"])


def test_a_study_in_memory_is_not_read_again(study, tmp_path, monkeypatch):
    """Its page is that of the folder, which is the same each time; the records of failed runs are left out."""
    folder = shutil.copytree(study, tmp_path / "study")
    store = SweepStore(folder)
    runs = store.read_runs()
    runs.loc[runs["seed"] == 1, "status"] = "failed"
    runs.to_parquet(folder / "runs.parquet")
    records = (store.read_rounds(), store.read_queries(), runs)
    loaded = Sweep(folder, SweepSpec(), *records, summary=pd.DataFrame(), answers=pd.DataFrame())
    expected = html_of(report(folder, out=tmp_path / "a", formats=PAGE))
    assert "3 runs failed" in expected
    for name in ("read_rounds", "read_queries", "read_runs"):
        monkeypatch.setattr(SweepStore, name, None)
    assert html_of(report(loaded, out=tmp_path / "b", formats=PAGE)) == expected


def test_a_study_that_is_not_finished_says_what_is_missing(tmp_path):
    """Failed runs with their errors, unfinished ones with their rounds; the rest is reported."""
    runs = runs_of(SMALL)
    failed = (runs["arm"] == "margin") & (runs["seed"] > 0)
    waiting = runs["run_id"] == "entropy__seed-1"
    runs.loc[failed, ["status", "error"]] = "failed", "ValueError: NaN in <scores>"
    runs.loc[waiting, ["status", "rounds_done"]] = "unfinished", 2
    made = report(write_study(tmp_path / "half", SMALL, runs), formats=PAGE)
    assert made.problems == (
        "2 runs failed and are left out: margin, seed 1 on here: ValueError: NaN in <scores>; "
        "margin, seed 2 on here: ValueError: NaN in <scores>.",
        "1 run is not finished and left out: entropy, seed 1: round 2.",
    )
    html = html_of(made)
    assert "NaN in &lt;scores&gt;" in html
    assert html.index("2 runs failed") < html.index("In short")


@pytest.mark.parametrize(
    ("host", "error", "cause"),
    [
        ("node2", "OSError: disk", " on node2: OSError: disk."),
        (
            "node2",
            "it failed 2 times (node1, node2): no",
            ": it failed 2 times (node1, node2): no.",
        ),
        (HERE, "OSError: disk", ": OSError: disk."),
        ("", "OSError: disk", ": OSError: disk."),
    ],
)
def test_a_failed_run_is_named_with_its_node_once(host, error, cause):
    runs = runs_of(SMALL)[:1].assign(status="failed", host=host, error=error)
    (problem,) = problems_of(runs, written=True)
    assert problem == f"1 run failed and is left out: random, seed 0{cause}"


def test_a_run_that_has_recorded_no_round_has_none_done():
    runs = runs_of(SMALL)[:2].assign(status="unfinished", rounds_done=[-1, 0])
    (problem,) = problems_of(runs, written=True)
    assert problem.startswith(
        "2 runs are not finished and left out: random, seed 0: no round done"
    )
    assert problem.endswith(": round 0.")


def test_a_study_without_a_finished_run_is_refused(tmp_path):
    runs = runs_of(SMALL).assign(status="unfinished", rounds_done=1)
    runs.loc[0, ["status", "error"]] = "failed", "no memory"
    with pytest.raises(StoreError, match=r"no run has finished yet\. 1 run failed .* no memory"):
        report(write_study(tmp_path / "none", SMALL, runs))


def test_a_study_that_did_not_record_a_metric_shows_another(tmp_path):
    path = table(tmp_path / "curves.csv")
    frame = pd.read_csv(path).rename(columns={"accuracy": "macro_f1"})
    frame.to_csv(path, index=False)
    figures = figures_in(html_of(report(path, formats=PAGE)))
    assert "macro F1" in str(figures["curves"]["spec"])
    with pytest.raises(SpecError, match=r"--metric accuracy: .*curves\.csv has no such column"):
        report(path, metric="accuracy")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"against": "margn"}, "--against margn: there is no arm 'margn'; did you mean 'margin'"),
        ({"metric": "acuracy"}, "--metric acuracy: .* did you mean 'accuracy'"),
        ({"formats": ("htm",)}, "--format htm: .* did you mean 'html'"),
        ({"formats": ()}, "--format: name one of html"),
        ({"label_cost": "cheap"}, "--label-cost cheap: write what a label costs"),
        ({"label_cost": -1.0}, "--label-cost -1.0: write what"),
    ],
    ids=["arm", "metric", "format", "no format", "cost", "negative cost"],
)
def test_what_does_not_exist_is_refused(study, tmp_path, changes, message):
    with pytest.raises((SpecError, StoreError), match=message):
        report(study, out=tmp_path / "out", **changes)
    assert not (tmp_path / "out").exists()


def test_folders_without_a_study_are_refused(study, tmp_path):
    with pytest.raises(StoreError, match="did you mean 'made'"):
        report(study.parent / "mode")
    with pytest.raises(StoreError, match=r"holds no study: .* below it are studies: made"):
        report(study.parent)
    with pytest.raises(StoreError, match=r"holds no study: it has no study\.yaml$"):
        report(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(study, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write to .*file: .*; choose another --out"):
        report(study, out=tmp_path / "file", formats=PAGE)


def test_what_does_not_fit_the_kind_of_study_is_refused(tmp_path):
    other = write_study(tmp_path / "other", SMALL, kind="correlation")
    for asked in ({"against": "margin"}, {"label_cost": 0.05}, {"target": 0.7}, {"horizon": 9}):
        with pytest.raises(SpecError, match="a correlation study, which has no arms; leave"):
            report(other, **asked)
    strange = write_study(tmp_path / "strange", SMALL, kind="strange")
    with pytest.raises(StoreError, match="holds a strange study"):
        report(strange)


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        (None, (None, "")),
        (0.05, (0.05, "")),
        ("0.05", (0.05, "")),
        (".5 EUR", (0.5, "EUR")),
        ("$2", (2.0, "$")),
        ("2\u20ac", (2.0, "\u20ac")),
    ],
    ids=repr,
)
def test_costs_of_a_label(text, cost):
    assert parse_cost(text) == cost


def test_settings_are_shown_by_dotted_names():
    settings = {"a": {"b": 1, "c": {}}, "d": ["x", 2]}
    assert list(setting_texts(settings).items()) == [("a.b", "1"), ("a.c", "{}"), ("d", "x, 2")]


def test_two_studies_of_different_pools_are_refused(study, tmp_path):
    other = write_study(tmp_path / "other", SMALL, pool_fingerprint="e" * 64)
    with pytest.raises(StoreError, match=rf"(?s)different pools.*{'f' * 64}.*{'e' * 64}"):
        report_pair((study, other))
    path = table(tmp_path / "curves.csv")
    with pytest.raises(StoreError, match=r"--compare takes the folders of two sweeps"):
        report_pair((study, path))
