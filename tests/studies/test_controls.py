"""A study whose arms have several label counts, and one of which trains the network too: recorded and shown."""

import io
import re
import shutil

import pandas as pd
import pytest
import yaml
from rich.console import Console

from alray import api
from alray.analysis.sweep.decision import best_row
from alray.analysis.sweep.references import reference_title, references_said, unmatched_references
from alray.cli.display.sweep_summary import print_summary
from alray.reporting.api import report
from alray.reporting.notebook import load as read_study
from alray.studies.sweep.results import load
from tests.helpers.command import alray
from tests.helpers.paths import local
from tests.helpers.studies import Recorder, settings

CONTROL = "random + loss predictor"
SAID = (
    f"learning_loss is compared with {CONTROL}, which trains the network in the same way, so that the choice of "
    f"objects alone differs. What that training alone does is the difference of {CONTROL} to random."
)


def wanted(pool, **changes):
    return settings(
        pool, strategies=["random", "learning_loss"], vary={"query": [5, 10]}, seeds=1, **changes
    )


@pytest.fixture(scope="module")
def study(pool, tmp_path_factory):
    return api.sweep(wanted(pool), results=tmp_path_factory.mktemp("controls"))


@pytest.fixture
def older(study, tmp_path):
    """Return the results of a copy of the study as it was before each arm was compared with one of its training."""
    results = shutil.copytree(study.path.parent, tmp_path / "results")
    runs = pd.read_parquet(results / "study" / "runs.parquet")
    added = runs["arm"].str.startswith(CONTROL)
    for run_id in runs.loc[added, "run_id"]:
        for path in results.glob(f"study/*/{run_id}.*"):
            path.unlink()
    kept = runs[~added].drop(columns=["against", "initial", "query"])
    kept.to_parquet(results / "study" / "runs.parquet")
    return results


def test_each_variant_has_label_counts_and_references_of_its_own(study):
    rows = study.summary.set_index("arm")
    assert rows["against"].fillna("").to_dict() == {
        "random": "",
        "learning_loss": CONTROL,
        CONTROL: "random",
        "random [query=10]": "",
        "learning_loss [query=10]": f"{CONTROL} [query=10]",
        f"{CONTROL} [query=10]": "random [query=10]",
    }
    assert set(rows["labels"]) == {40}
    assert rows["paired_seeds"].tolist() == [0, 1, 1, 0, 1, 1]
    counts = study.rounds.groupby("arm")["labels"].unique().map(sorted)
    assert counts["learning_loss"] == [20, 25, 30, 35, 40]
    assert counts["learning_loss [query=10]"] == [20, 30, 40]
    assert study.runs["query"].tolist() == [5, 5, 5, 10, 10, 10]


def test_the_random_arm_of_the_same_training_is_no_strategy_to_choose(study):
    rows = study.summary.to_dict("records")
    assert references_said(rows)[0] == SAID
    best = best_row(rows)
    assert best is not None
    assert best["strategy"] == "learning_loss"
    assert unmatched_references(study.runs) == []


def test_headings_name_random_where_all_are_compared_with_it_alone(study):
    rows = study.summary
    for some, title in [
        (rows, "its reference"),
        (rows[rows["strategy"] != "learning_loss"], "random"),
        (rows[rows["strategy"] == "random"], "random"),
        (rows[rows["strategy"] == "learning_loss"], CONTROL),
    ]:
        assert reference_title(some.to_dict("records")) == title
    shown = read_study(study.path)._repr_html_()
    assert "ALC against its reference (95 % interval)" in shown
    out = io.StringIO()
    print_summary(Console(file=out, width=80), study.summary, study.path)
    assert re.search(r"ALC against .*\n.* its reference", out.getvalue())


@pytest.mark.parametrize("against", [None, "learning_loss", CONTROL])
def test_the_page_says_which_arm_each_is_compared_with(study, against, tmp_path):
    found = report(study.path, out=tmp_path, formats=("html", "csv"), against=against)
    page = local(found.page).read_text()
    assert (SAID in found.verdict) == (against is None)
    assert f"{CONTROL} has the largest area" not in found.verdict
    assert f"{CONTROL} [query=10]" in page
    compared = pd.read_csv(tmp_path / "findings" / "differences.csv")["against"].unique()
    plain = ["random", CONTROL, "random [query=10]", f"{CONTROL} [query=10]"]
    expected = {None: plain, "learning_loss": ["learning_loss", "learning_loss [query=10]"]}
    assert sorted(compared) == sorted(expected.get(against, [CONTROL]))


def test_an_older_study_says_what_it_mixes_and_goes_on_with_the_missing_arm(pool, older):
    before = load(older / "study")
    (sentence,) = unmatched_references(before.runs)
    assert sentence.startswith(
        "learning_loss and learning_loss [query=10] are compared with random choice by a"
    )
    assert sentence in report(older / "study", formats=("html",)).problems
    observer = Recorder()
    after = api.sweep(wanted(pool), results=older, observer=observer)
    added = after.runs.loc[after.runs["arm"].str.startswith(CONTROL), "run_id"]
    begun = {name for name, number in observer.of("progressed") if number > 0}
    assert begun == set(added)
    assert unmatched_references(after.runs) == []
    assert after.summary.set_index("arm")["against"]["learning_loss"] == CONTROL


def test_runs_of_other_variants_stay_and_more_rounds_are_added_to_each(pool, study, tmp_path):
    """A command that does not vary a setting leaves the variants on record."""
    results = shutil.copytree(study.path.parent, tmp_path / "results")
    plain = api.sweep(wanted(pool) | {"vary": {}}, results=results)
    assert sorted(plain.runs["arm"]) == sorted(study.runs["arm"])
    more = api.sweep(wanted(pool, rounds=6), results=results)
    assert set(more.summary["labels"]) == {50}
    assert more.runs["rounds"].tolist() == [6, 6, 6, 3, 3, 3]


def test_a_dry_run_shows_the_added_arm_and_the_labels_of_each(pool, tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(wanted(pool)))
    done = alray("sweep", str(path), "--dry-run", "--results", str(tmp_path / "results"))
    assert done.exit_code == 0
    assert (
        f"{CONTROL} is added (1 run): a loss predictor trains the network too, so learning_loss is"
        in " ".join(done.stderr.split())
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["learning_loss", "1", "450", "20", "+", "4", "x", "5", "=", "40"] in lines
    assert f"{CONTROL} [query=10]" in done.stdout
