"""The driver of a correlation study: whole files, resumption to the bit, failures and lost workers."""

import functools
import html
import os
from typing import ClassVar

import pandas as pd
import pytest
from typing_extensions import override

from alray import api
from alray.analysis.correlation.summary import (
    CHECK_COLUMNS,
    QUANTILE_COLUMNS,
    SUMMARY_COLUMNS,
    summarise,
)
from alray.api import correlate
from alray.errors import Interrupted, StoreError, StudyFailed
from alray.pools.pool import PreparedPool
from alray.reporting.api import report
from alray.studies.correlation.results import load_correlation
from alray.studies.correlation.store import (
    BASE_COLUMNS,
    FAILURE_COLUMNS,
    GROUP_COLUMNS,
    OUTCOME_COLUMNS,
    CorrelationStore,
)
from alray.studies.correlation.tasks import Task
from alray.studies.correlation.worker import Performed
from alray.studies.events import Failure
from alray.studies.inline import InlineExecutor
from alray.studies.sweep.results import load
from tests.helpers.correlation_studies import (
    Listener,
    assert_same_study,
    correlation_settings,
    inline_tasks,
)
from tests.helpers.paths import local
from tests.helpers.records import documented, schema
from tests.helpers.studies import files, settings


@pytest.fixture(scope="module", autouse=True)
def _short_resampling():
    """It takes seconds, and has tests of its own."""
    with pytest.MonkeyPatch.context() as patch:
        quick = functools.partial(summarise, permutations=200, bootstraps=100)
        patch.setattr(api, "summarise", quick)
        yield


@pytest.fixture(scope="module")
def undisturbed(pool, tmp_path_factory):
    return correlate(correlation_settings(pool), results=tmp_path_factory.mktemp("undisturbed"))


def test_a_study_leaves_its_documented_files_and_columns(undisturbed):
    found = files(undisturbed.path)
    assert {
        "study.yaml", "manifest.json", "bases.parquet", "summary.parquet", "quantiles.parquet",
        "checks.parquet", "failures.parquet", "bases/base-0.safetensors", "groups/base-1.parquet",
        "outcomes/base-0__control__seed-1.parquet", "outcomes/base-1__score-loss__seed-0__group-0.parquet",
    } <= found  # fmt: skip
    assert list(undisturbed.bases) == list(BASE_COLUMNS)
    scores = ["loss", "margin", "entropy", "least_confidence", "bald"]
    assert list(undisturbed.groups) == [*GROUP_COLUMNS, *scores]
    assert list(undisturbed.outcomes) == list(OUTCOME_COLUMNS)
    assert len(undisturbed.outcomes) == 2 * 2 * 2 * (2 * 20 + 10 + 1)
    assert undisturbed.failures.empty


def test_the_readme_documents_every_column(undisturbed):
    tables = documented()
    typed = {"bases": BASE_COLUMNS, "outcomes": OUTCOME_COLUMNS, "failures": FAILURE_COLUMNS}
    for heading, typed_columns in typed.items():
        rows = [(name, str(kind), meaning) for name, (kind, meaning) in typed_columns.items()]
        assert tables[heading] == rows
    own = [(name, str(kind), meaning) for name, (kind, meaning) in GROUP_COLUMNS.items()]
    assert tables["groups"][:-1] == own
    assert tables["groups"][-1][0] == "<score>"
    described = {
        "correlation summary": (SUMMARY_COLUMNS, "summary"),
        "quantiles": (QUANTILE_COLUMNS, "quantiles"),
        "checks": (CHECK_COLUMNS, "checks"),
    }
    for heading, (meanings, file) in described.items():
        assert {name: meaning for name, _, meaning in tables[heading]} == dict(meanings)
        kinds = {name: kind for name, kind, _ in tables[heading]}
        assert kinds == schema(undisturbed.path / f"{file}.parquet")


def test_groups_hold_each_sampled_object_once_per_arrangement(undisturbed):
    for _, arm in undisturbed.groups.groupby(["base", "grouping"]):
        assert not arm["id"].duplicated().any()
    sizes = undisturbed.groups.groupby(["base", "grouping"]).size()
    assert set(sizes.drop("shuffled_labels", level=1)) == {120}
    by_loss = undisturbed.groups.query("grouping == 'score' and base == 0")
    assert by_loss.groupby("group")["loss"].mean().is_monotonic_increasing
    labels = undisturbed.groups["id"].str.removeprefix("object-").astype(int) % 3
    assert (undisturbed.groups["label"] == "class-" + labels.astype(str)).all()


def test_the_same_command_finds_everything_done(undisturbed, pool, monkeypatch):
    monkeypatch.setattr(api, "start_tasks", None)
    listener = Listener()
    begun = load_manifest(undisturbed)
    again = correlate(
        correlation_settings(pool), results=undisturbed.path.parent, observer=listener
    )
    assert_same_study(undisturbed, again)
    assert listener.of("begin") == [2 * 2 * 51]
    assert listener.of("started") == []
    assert load_manifest(again) == begun


def load_manifest(study):
    return CorrelationStore(study.path).read_manifest()


def test_a_study_stopped_anywhere_goes_on_to_the_same_result(undisturbed, pool, tmp_path):
    class Stopping(Listener):
        @override
        def performed(self, task, seconds, host):
            super().performed(task, seconds, host)
            if len(self.of("performed")) == 7:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        correlate(correlation_settings(pool), results=tmp_path, observer=Stopping())
    second = Listener()
    found = correlate(correlation_settings(pool), results=tmp_path, observer=second)
    assert_same_study(undisturbed, found)
    assert 0 < second.of("begin")[0] < 204
    first_done = {path.stem for path in undisturbed.path.glob("outcomes/*")}
    assert len(second.of("started")) < len(first_done)


def test_ctrl_c_stops_after_what_has_ended(pool, tmp_path, monkeypatch):
    class AlreadyWished:
        def __enter__(self):
            return lambda: True

        def __exit__(self, *_):
            pass

    monkeypatch.setattr("alray.studies.driver.stop_requested", AlreadyWished)
    listener = Listener()
    with pytest.raises(Interrupted):
        correlate(correlation_settings(pool), results=tmp_path, observer=listener)
    assert "stopping" in listener.of("notice")[0]
    assert listener.of("end")


def test_more_bases_seeds_scores_and_groupings_are_added(undisturbed, pool, tmp_path):
    small = correlation_settings(pool, bases=1, fine_tune_seeds=1, grouping=["score"])
    correlate(small, results=tmp_path)
    listener = Listener()
    found = correlate(correlation_settings(pool), results=tmp_path, observer=listener)
    assert listener.of("begin") == [21]
    assert_same_study(undisturbed, found)


def test_other_settings_under_the_same_name_are_refused(undisturbed, pool):
    results = undisturbed.path.parent
    with pytest.raises(StoreError, match=r"group_size: 6 there, 5 now\n.*another --name"):
        correlate(correlation_settings(pool, group_size=5), results=results)
    with pytest.raises(StoreError, match="holds a correlation study; choose another --name"):
        api.sweep(settings(pool), results=results)
    with pytest.raises(StoreError, match=r"alray\.load_correlation"):
        load(undisturbed.path)


def test_a_sweep_is_not_taken_for_a_correlation_study(pool, tmp_path):
    swept = api.sweep(settings(pool), results=tmp_path)
    with pytest.raises(StoreError, match="holds a sweep study; choose another --name"):
        correlate(correlation_settings(pool), results=tmp_path, fresh=True)
    with pytest.raises(StoreError, match=r"read it with alray\.load$"):
        load_correlation(swept.path)
    assert len(load(swept.path).rounds) == len(swept.rounds)


def test_a_fresh_start_throws_the_earlier_study_away(pool, tmp_path):
    correlate(correlation_settings(pool, bases=1, fine_tune_seeds=1), results=tmp_path)
    (tmp_path / "study" / "mine.txt").write_text("kept")
    found = correlate(
        correlation_settings(pool, bases=1, fine_tune_seeds=1, group_size=5),
        results=tmp_path,
        fresh=True,
    )
    assert found.groups["group"].max() == 23
    assert (tmp_path / "study" / "mine.txt").exists()


def test_a_broken_base_file_is_made_again(undisturbed, pool, tmp_path):
    correlate(correlation_settings(pool), results=tmp_path)
    path = tmp_path / "study" / "bases" / "base-0.safetensors"
    path.write_bytes(path.read_bytes()[:500])
    assert_same_study(undisturbed, correlate(correlation_settings(pool), results=tmp_path))
    assert len(path.read_bytes()) > 500


class Fragile(InlineExecutor[Task, Performed]):
    """Loses or fails some tasks."""

    lose: ClassVar[dict[str, int]] = {}
    out_of_memory: ClassVar[bool] = False

    @override
    def wait(self, seconds):
        task = None if self._job is None else self._job[0]
        if task is not None and self.lose.get(task.name, 0) > 0:
            self.lose[task.name] -= 1
            self._job = None
            return [Failure(task.name, "its node died", out_of_memory=self.out_of_memory)]
        return super().wait(seconds)


def fragile(monkeypatch, **lose):
    monkeypatch.setattr(Fragile, "lose", {name.replace("_", "-"): n for name, n in lose.items()})
    monkeypatch.setattr(api, "start_tasks", lambda plan: inline_tasks(plan, Fragile))


def test_a_lost_task_is_performed_again(undisturbed, pool, tmp_path, monkeypatch):
    fragile(monkeypatch, base_0=2)
    listener = Listener()
    found = correlate(correlation_settings(pool), results=tmp_path, observer=listener)
    assert listener.of("lost") == ["base-0", "base-0"]
    assert_same_study(undisturbed, found)


def test_a_first_end_for_want_of_memory_beside_others_is_not_counted(
    undisturbed, pool, tmp_path, monkeypatch
):
    """As in a sweep: with three attempts, the fourth end would be one too many, were it not excused."""
    monkeypatch.setattr(Fragile, "out_of_memory", True)
    fragile(monkeypatch, base_0=3)
    listener = Listener()
    found = correlate(correlation_settings(pool), results=tmp_path, observer=listener)
    assert listener.of("lost") == ["base-0"] * 3
    assert not listener.of("failed")
    assert_same_study(undisturbed, found)


def test_a_task_that_is_always_lost_fails_and_the_other_bases_speak(
    undisturbed, pool, tmp_path, monkeypatch
):
    fragile(monkeypatch, base_0=99)
    listener = Listener()
    found = correlate(correlation_settings(pool), results=tmp_path, observer=listener)
    ((name, error),) = listener.of("failed")
    assert name == "base-0"
    assert "its worker died 3 times: its node died" in error
    assert list(found.failures["task"]) == ["base-0"]
    said = f"1 task failed (base-0: {error}); only bases 1 are complete and counted."
    report(found.path, formats=("html",))
    assert said in html.unescape((local(found.path) / "report.html").read_text())
    assert set(found.summary["bases"]) == {1}
    assert list(found.bases["base"]) == [1]
    monkeypatch.undo()
    assert_same_study(undisturbed, correlate(correlation_settings(pool), results=tmp_path))


def test_a_study_without_a_whole_base_says_why(pool, tmp_path):
    broken = correlation_settings(
        pool, model={"name": "tests.helpers.own_modules:failing_forward"}, scores=["loss"]
    )
    with pytest.raises(StudyFailed, match=r"no base has all its fine-tunes: 2 tasks failed"):
        correlate(broken, results=tmp_path)
    failures = CorrelationStore(tmp_path / "study").read_failures()
    assert list(failures["task"]) == ["base-0", "base-1"]
    assert "Traceback" in failures["traceback"][0]


def test_a_full_disk_loses_nothing(undisturbed, pool, tmp_path, monkeypatch):
    flush, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 12:
            raise OSError(28, "No space left on device")
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"No space left.*free disk space"):
        correlate(correlation_settings(pool), results=tmp_path)
    monkeypatch.undo()
    assert_same_study(undisturbed, correlate(correlation_settings(pool), results=tmp_path))


def test_a_pool_that_was_written_into_is_noticed(pool, tmp_path, monkeypatch):
    pools: list[PreparedPool] = []

    class Writing(InlineExecutor[Task, Performed]):
        @override
        def wait(self, seconds):
            events = super().wait(seconds)
            if isinstance(events[0], Performed) and "control" in events[0].task.name:
                features = pools[0].modalities[0].features
                features.setflags(write=True)
                features[0, 0] += 1
            return events

    def start(plan):
        pools.append(plan.prepared)
        return inline_tasks(plan, Writing)

    monkeypatch.setattr(api, "start_tasks", start)
    with pytest.raises(RuntimeError, match="shared pool's content has changed"):
        correlate(correlation_settings(pool), results=tmp_path)


def test_the_published_protocol_averages_over_epochs_and_has_no_control(pool, tmp_path):
    found = correlate(
        correlation_settings(
            pool,
            compat="original",
            bases=1,
            fine_tune_seeds=1,
            epochs=[1, 2, 3],
            grouping=["score"],
            training={"passive_epochs": 8, "lr": 0.03},
        ),
        results=tmp_path,
    )
    assert set(found.outcomes["grouping"]) == {"score"}
    assert set(found.summary["epochs"]) == {3}
    mean = found.outcomes.groupby("group")["accuracy"].mean().to_numpy()
    assert len(set(mean)) > 5
    loss = found.groups.groupby("group")["loss"].mean().to_numpy()
    rows = found.summary.query("score == 'loss' and grouping == 'score' and outcome == 'accuracy'")
    expected = pd.Series(loss).corr(pd.Series(mean), method="spearman")
    assert rows["rho"].item() == pytest.approx(expected)


def test_weights_are_safetensors_and_nothing_is_pickled(undisturbed):
    kinds = {path.suffix for path in undisturbed.path.rglob("*") if path.is_file()}
    assert kinds - {""} <= {
        ".yaml", ".json", ".parquet", ".safetensors", ".html", ".svg", ".png"
    }  # fmt: skip
