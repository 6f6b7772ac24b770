"""The driver of a correlation study: whole files, resumption to the bit, failures and lost workers."""

import html
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from alray.analysis.correlation.columns import (
    CHECK_COLUMNS,
    QUANTILE_COLUMNS,
    SUMMARY_COLUMNS,
)
from alray.api import correlate
from alray.errors import StoreError, StudyFailed
from alray.reporting.api import report
from alray.studies.correlation.store import (
    BASE_COLUMNS,
    FAILURE_COLUMNS,
    GROUP_COLUMNS,
    OUTCOME_COLUMNS,
    CorrelationStore,
)
from alray.studies.events import Failure
from alray.studies.folder import Folder
from tests.helpers import plugins
from tests.helpers.correlation_studies import (
    Listener,
    assert_same_study,
    correlation_settings,
    quick_settings,
)
from tests.helpers.paths import local
from tests.helpers.records import documented, schema, typed
from tests.helpers.studies import disturb, files

SHORT = {"bases": 1, "fine_tune_seeds": 1, "grouping": ["score"]}


@pytest.fixture(scope="module")
def shorter(pool, tmp_path_factory):
    """Return the results folder of a finished study of one seed, which no test changes."""
    results = tmp_path_factory.mktemp("shorter")
    correlate(quick_settings(pool, **SHORT), results=results)
    return results


@pytest.fixture(scope="module")
def wanted(pool, tmp_path_factory):
    """Return the shorter study with one setting changed, made at once, by the setting."""
    longer = {"fine_tune_seeds": 2, "matters": 10.0}
    return {
        name: correlate(
            quick_settings(pool, **{**SHORT, name: value}), results=tmp_path_factory.mktemp(name)
        )
        for name, value in longer.items()
    }


def test_a_study_leaves_its_documented_files_and_columns(correlated):
    found = files(correlated.path)
    assert {
        "study.yaml", "manifest.json", "bases.parquet", "summary.parquet", "quantiles.parquet",
        "checks.parquet", "failures.parquet", "bases/base-0.safetensors", "groups/base-1.parquet",
        "outcomes/base-0__control__seed-1.parquet", "outcomes/base-1__score-loss__seed-0__group-0.parquet",
    } <= found  # fmt: skip
    assert {Path(name).suffix for name in found} == {".yaml", ".json", ".parquet", ".safetensors"}
    assert list(correlated.bases) == list(BASE_COLUMNS)
    scores = ["loss", "margin", "entropy", "least_confidence", "bald"]
    assert list(correlated.groups) == [*GROUP_COLUMNS, *scores]
    assert list(correlated.outcomes) == list(OUTCOME_COLUMNS)
    assert len(correlated.outcomes) == 2 * 2 * (2 * 20 + 10 + 1)
    assert correlated.failures.empty


def test_the_readme_documents_every_column(correlated):
    tables = documented()
    assert tables["bases"] == typed(BASE_COLUMNS)
    assert tables["outcomes"] == typed(OUTCOME_COLUMNS)
    assert tables["failures"] == typed(FAILURE_COLUMNS)
    assert tables["groups"][:-1] == typed(GROUP_COLUMNS)
    assert tables["groups"][-1][0] == "<score>"
    described = {
        "correlation summary": (SUMMARY_COLUMNS, "summary"),
        "quantiles": (QUANTILE_COLUMNS, "quantiles"),
        "checks": (CHECK_COLUMNS, "checks"),
    }
    for heading, (meanings, file) in described.items():
        assert {name: meaning for name, _, meaning in tables[heading]} == dict(meanings)
        kinds = {name: kind for name, kind, _ in tables[heading]}
        assert kinds == schema(correlated.path / f"{file}.parquet")


def test_groups_hold_each_sampled_object_once_per_arrangement(correlated):
    for _, arm in correlated.groups.groupby(["base", "grouping"]):
        assert not arm["id"].duplicated().any()
    sizes = correlated.groups.groupby(["base", "grouping"]).size()
    assert set(sizes.drop("shuffled_labels", level=1)) == {120}
    by_loss = correlated.groups.query("grouping == 'score' and base == 0")
    assert by_loss.groupby("group")["loss"].mean().is_monotonic_increasing
    labels = correlated.groups["id"].str.removeprefix("object-").astype(int) % 3
    assert (correlated.groups["label"] == "class-" + labels.astype(str)).all()


def test_more_bases_seeds_scores_and_groupings_are_added(correlated, pool, tmp_path):
    small = quick_settings(pool, bases=1, fine_tune_seeds=1, grouping=["score"])
    correlate(small, results=tmp_path)
    listener = Listener()
    found = correlate(quick_settings(pool), results=tmp_path, observer=listener)
    assert listener.of("begin") == [21]
    assert_same_study(correlated, found)


@pytest.mark.parametrize(
    ("change", "written"),
    [("fine_tune_seeds", 0), ("fine_tune_seeds", 1), ("fine_tune_seeds", 2), ("matters", 0)],
)
def test_what_a_longer_study_could_not_write_is_written_by_the_next_command(
    shorter, wanted, change, written, tmp_path, monkeypatch
):
    """Files of what the shorter study has found are there, and are not those of the longer one."""
    results = shutil.copytree(shorter, tmp_path / "results")
    study = wanted[change].settings
    write, left = Folder._write_frame, [None] * written

    def interrupted(store, name, frame):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        write(store, name, frame)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "_write_frame", interrupted)
        with pytest.raises(KeyboardInterrupt):
            correlate(study, results=results)
    assert_same_study(wanted[change], correlate(study, results=results))
    ended = (results / "study" / "manifest.json").read_text()
    assert json.loads(ended)["ended"] is not None
    assert_same_study(wanted[change], correlate(study, results=results))
    assert (results / "study" / "manifest.json").read_text() == ended, "nothing was left to do"


def test_a_broken_base_file_is_made_again(correlated, pool, tmp_path):
    results = shutil.copytree(correlated.path.parent, tmp_path / "results")
    path = results / "study" / "bases" / "base-0.safetensors"
    path.write_bytes(path.read_bytes()[:500])
    assert_same_study(correlated, correlate(quick_settings(pool), results=results))
    assert len(path.read_bytes()) > 500


def test_where_its_settings_are_lost_nothing_says_what_its_bases_were_fitted_with(
    correlated, pool, tmp_path
):
    results = shutil.copytree(correlated.path.parent, tmp_path / "results")
    (results / "study" / "study.yaml").rename(results / "study.yaml")
    other = quick_settings(pool, training={"passive_epochs": 1})
    with pytest.raises(StoreError, match=r"but no study\.yaml, and .*put that file back, give"):
        correlate(other, results=results)
    (results / "study.yaml").rename(results / "study" / "study.yaml")
    assert_same_study(correlated, correlate(quick_settings(pool), results=results))


def test_a_task_that_is_always_lost_fails_and_the_other_bases_speak(
    correlated, pool, tmp_path, monkeypatch
):
    lost = Failure("base-0", "its node died")
    disturb(monkeypatch, lambda task: lost if task.name == "base-0" else None)
    listener = Listener()
    found = correlate(quick_settings(pool), results=tmp_path, observer=listener)
    ((name, error),) = listener.of("failed")
    assert name == "base-0"
    assert "its worker died 3 times: its node died" in error
    assert list(found.failures["task"]) == ["base-0"]
    sentence = f"1 task failed (base-0: {error}); only bases 1 are complete and counted."
    report(found.path, formats=("html",))
    assert sentence in html.unescape((local(found.path) / "report.html").read_text())
    assert set(found.summary["bases"]) == {1}
    assert list(found.bases["base"]) == [1]
    monkeypatch.undo()
    assert_same_study(correlated, correlate(quick_settings(pool), results=tmp_path))


def test_a_study_without_a_whole_base_says_why(pool, tmp_path):
    broken = quick_settings(pool, model={"name": "tests.helpers.own_modules:failing_forward"})
    with pytest.raises(
        StudyFailed, match=r"no base has all its fine-tunes: 2 tasks failed.*/errors\.txt$"
    ):
        correlate(broken, results=tmp_path)
    failures = CorrelationStore(tmp_path / "study").read_failures()
    assert list(failures["task"]) == ["base-0", "base-1"]
    assert "Traceback" in failures["traceback"][0]
    text = (tmp_path / "study" / "errors.txt").read_text()
    for task, traceback in zip(failures["task"], failures["traceback"], strict=True):
        assert f"== {task}\n" in text
        assert traceback.rstrip() in text


def test_a_pool_that_was_written_into_is_noticed(pool, tmp_path):
    listener = Listener(7, plugins.corrupt_pools)
    with pytest.raises(RuntimeError, match="pool's content has changed"):
        correlate(quick_settings(pool), results=tmp_path, observer=listener)


def test_the_published_protocol_averages_over_epochs_and_has_no_control(pool, tmp_path):
    numbers = {"bases": 1, "fine_tune_seeds": 1, "epochs": [1, 2, 3], "grouping": ["score"]}
    training = {"passive_epochs": 8, "lr": 0.03, "stopping": "held_out"}
    spec = correlation_settings(pool, compat="original", training=training, **numbers)
    found = correlate(spec, results=tmp_path)
    assert set(found.outcomes["grouping"]) == {"score"}
    assert set(found.summary["epochs"]) == {3}
    mean = found.outcomes.groupby("group")["accuracy"].mean().to_numpy()
    assert len(set(mean)) > 5
    loss = found.groups.groupby("group")["loss"].mean().to_numpy()
    rows = found.summary.query("score == 'loss' and grouping == 'score' and outcome == 'accuracy'")
    expected = pd.Series(loss).corr(pd.Series(mean), method="spearman")
    assert rows["rho"].item() == pytest.approx(expected)
