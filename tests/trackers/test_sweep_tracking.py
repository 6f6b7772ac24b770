import logging
from importlib.metadata import EntryPoint
from pathlib import Path

import pandas as pd
import pytest

from alray import api
from alray.errors import AlrayError, SpecError
from alray.studies.sweep.worker import RunWorker
from alray.trackers import choosing, delivery
from tests.helpers import own_trackers
from tests.helpers.command import ONE_RUN, SMALL, alray
from tests.helpers.correlation_studies import quick_settings
from tests.helpers.plugins import misbehaving
from tests.helpers.studies import assert_same_records, settings

LISTS = "tests.helpers.own_trackers:Lists"


@pytest.fixture(autouse=True)
def _anew():
    own_trackers.forget()
    yield
    own_trackers.HANGS.set()


def tracked(pool, results, tracker, **changes):
    spec = settings(pool, **{"execution": {"tracker": tracker}, **changes})
    return api.sweep(spec, results=results)


def assert_kept(study):
    """Compare what the lists hold with the records: each round of each run, once."""
    assert own_trackers.RUNS.keys() == set(study.rounds["run_id"])
    for run_id, rows in own_trackers.ROUNDS.items():
        recorded = study.rounds[study.rounds["run_id"] == run_id]
        assert [row["round"] for row in rows] == recorded["round"].tolist()
        for name in ("accuracy", "labels", "nll", "fit_s"):
            assert [row[name] for row in rows] == recorded[name].tolist()


def test_a_tracker_learns_each_round_of_each_run_and_changes_none(pool, undisturbed, tmp_path):
    study = tracked(pool, tmp_path, LISTS)
    assert_same_records(undisturbed, study)
    assert_kept(study)
    assert set(own_trackers.STUDIES) == {"study"}
    assert set(own_trackers.ENDINGS.values()) == {"finished"}
    (run,) = own_trackers.RUNS.values()
    assert (run.arm, run.seed, run.study) == ("margin", 0, "study")
    assert run.settings["model.width"] == 8
    assert run.settings["training.passive_epochs"] == 2
    assert own_trackers.FILES.keys() == {
        "rounds.parquet", "runs.parquet", "summary.parquet", "study.yaml",
    }  # fmt: skip
    (tmp_path / "kept.parquet").write_bytes(own_trackers.FILES["rounds.parquet"])
    kept = pd.read_parquet(tmp_path / "kept.parquet")
    assert kept["accuracy"].tolist() == study.rounds["accuracy"].tolist()


def test_a_study_that_was_made_without_one_is_sent_by_the_same_command_with_it(pool, tmp_path):
    api.sweep(settings(pool), results=tmp_path)
    assert own_trackers.ROUNDS == {}
    assert_kept(tracked(pool, tmp_path, LISTS))
    assert_kept(tracked(pool, tmp_path, LISTS))


def test_a_run_that_goes_on_is_kept_once(pool, tmp_path):
    tracked(pool, tmp_path, LISTS, rounds=2)
    study = tracked(pool, tmp_path, LISTS)
    assert own_trackers.RUNS.keys() > set(study.rounds["run_id"]), "a longer run has its own name"
    for run_id in set(own_trackers.RUNS) - set(study.rounds["run_id"]):
        del own_trackers.RUNS[run_id], own_trackers.ROUNDS[run_id]
    assert_kept(study)


def test_rounds_that_are_played_again_are_kept_once(pool, tmp_path, monkeypatch):
    whole = api.sweep(settings(pool), results=tmp_path / "whole")
    advance = RunWorker.advance

    def advance_and_stop(worker, seconds=0.0):
        found = advance(worker, seconds)
        if found.round == 3:
            raise KeyboardInterrupt
        return found

    with monkeypatch.context() as patch:
        patch.setattr(RunWorker, "advance", advance_and_stop)
        with pytest.raises((KeyboardInterrupt, AlrayError)):
            tracked(pool, tmp_path, LISTS)
    study = tracked(pool, tmp_path, LISTS)
    assert_same_records(whole, study)
    assert_kept(study)


@pytest.mark.parametrize("kind", ["Down", "DownForGood"])
def test_a_tracker_that_is_down_costs_a_notice_and_no_round(
    pool, undisturbed, tmp_path, caplog, kind
):
    study = tracked(pool, tmp_path, f"tests.helpers.own_trackers:{kind}")
    assert_same_records(undisturbed, study)
    (notice,) = [each for each in caplog.records if "tracker" in each.message]
    assert notice.levelno == logging.WARNING
    assert notice.message == (
        f"tracker tests.helpers.own_trackers:{kind}: ConnectionError: Max retries exceeded with url: /api Connection "
        "refused; the study goes on without it, and the same command sends what is missing"
    )
    # `start` takes what is on record, so all is there as soon as it answers.
    assert_kept(study)
    assert bool(own_trackers.FILES) == (kind == "Down")
    assert_kept(tracked(pool, tmp_path, LISTS))
    assert own_trackers.FILES


def test_a_tracker_that_hangs_keeps_nobody_waiting(
    pool, undisturbed, tmp_path, caplog, monkeypatch
):
    monkeypatch.setattr(delivery, "PATIENCE", 0.1)
    study = tracked(pool, tmp_path, "tests.helpers.own_trackers:Hangs")
    assert_same_records(undisturbed, study)
    (rows,) = own_trackers.ROUNDS.values()
    assert [row["round"] for row in rows] == [0]
    (notice,) = [each for each in caplog.records if "tracker" in each.message]
    assert "no answer within 0.1 s" in notice.message


def test_runs_that_fail_are_kept_as_failed(pool, tmp_path):
    strategies = ["random", misbehaving(pool, "raise", 2)]
    study = tracked(pool, tmp_path, LISTS, strategies=strategies)
    assert sorted(own_trackers.ENDINGS.values()) == ["failed", "finished"]
    assert (study.runs["status"] == "failed").sum() == 1


@pytest.mark.parametrize(
    ("tracker", "message"),
    [
        ("mlfow", "there is no tracker 'mlfow'; did you mean 'mlflow'"),
        ("tests.helpers.own_trackers:List", "has no 'List'; did you mean 'Lists'"),
        ("tests.helpers.own_trackers:NeedsAName", "could not be made without arguments: TypeErr"),
        ("pathlib:Path", "makes no tracker: let its class inherit from alray.trackers.Tracker"),
    ],
)
def test_a_tracker_that_cannot_be_is_refused_before_anything_is_written(
    pool, tmp_path, tracker, message
):
    with pytest.raises(SpecError, match=message):
        tracked(pool, tmp_path, tracker)
    assert not (tmp_path / "study" / "study.yaml").exists()


def test_an_address_of_mlflow_is_needed_and_no_password_in_it(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(choosing, "find_spec", lambda name: name)
    with pytest.raises(SpecError, match="set MLFLOW_TRACKING_URI"):
        choosing.tracker_of("mlflow", Path("results/study"))
    with pytest.raises(SpecError, match="MLFLOW_TRACKING_PASSWORD"):
        choosing.tracker_of("mlflow:http://me:secret@host:5000", Path("results/study"))


@pytest.mark.parametrize("name", ["mlflow", "tensorboard"])
def test_a_tracker_that_is_not_installed_says_how_to_install_it(name, monkeypatch):
    monkeypatch.setattr(choosing, "find_spec", lambda name: None)
    with pytest.raises(SpecError, match=rf'pip install "alray\[{name}\]"'):
        choosing.tracker_of(name, Path("results/study"))


def test_an_installed_package_offers_a_tracker_by_an_entry_point(monkeypatch):
    offered = [EntryPoint("lists", LISTS, choosing.ENTRY_POINTS)]
    monkeypatch.setattr(choosing, "entry_points", lambda group: offered)
    assert isinstance(choosing.tracker_of("lists", Path("results/study")), own_trackers.Lists)
    with pytest.raises(SpecError, match="use mlflow, tensorboard, lists, or module:Class"):
        choosing.tracker_of("other", Path("results/study"))


def test_the_command_has_the_page_kept_too(tmp_path):
    words = [word for word in (*ONE_RUN, *SMALL) if word != "--no-report"]
    result = alray("sweep", *words, "--results", tmp_path, "--tracker", LISTS)
    assert result.exit_code == 0, result.output
    page = tmp_path / "openclipart" / "report.html"
    assert own_trackers.FILES["report.html"] == page.read_bytes()


def test_the_command_refuses_a_tracker_before_it_plans(tmp_path):
    words = (*ONE_RUN, *SMALL, "--results", tmp_path, "--tracker", "mlfow")
    for more in ((), ("--dry-run",)):
        result = alray("sweep", *words, *more)
        assert result.exit_code == 2
        assert "did you mean 'mlflow'?" in " ".join(result.output.split())


def test_a_correlation_study_has_no_tracker(pool, tmp_path):
    spec = quick_settings(pool)
    spec["execution"] = {**spec.get("execution", {}), "tracker": LISTS}
    with pytest.raises(SpecError, match=r"execution\.tracker is about sweeps"):
        api.correlate(spec, results=tmp_path)
