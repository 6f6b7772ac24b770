"""A study in an object store: the same as a local one, through kills, second drivers and failing networks."""

import subprocess
import sys

import pandas as pd
import pytest
import yaml

from alray import api
from alray.errors import StoreError
from alray.reporting.api import report
from alray.studies.correlation.results import load_correlation
from alray.studies.sweep.results import load
from tests.helpers.command import alray
from tests.helpers.correlation_studies import Listener, assert_same_study, quick_settings
from tests.helpers.object_store import BUCKET, hurried_driver, running_server, server
from tests.helpers.studies import (
    Recorder,
    assert_same_records,
    files,
    settings,
)

__all__ = ["running_server", "server"]

pytestmark = pytest.mark.usefixtures("round_by_round")


def test_a_sweep_to_s3_is_equal_to_a_local_one(server, pool, undisturbed, tmp_path):
    """Its report is read from the store and written there, or here."""
    study = api.sweep(settings(pool), results=f"s3://{BUCKET}/equal")
    assert str(study.path) == f"s3://{BUCKET}/equal/study"
    for found in (study, load(f"s3://{BUCKET}/equal/study"), load(study.path)):
        assert_same_records(undisturbed, found)
    assert server.names("equal/study") == files(undisturbed.path)
    pd.testing.assert_series_equal(study.summary["accuracy"], undisturbed.summary["accuracy"])
    server.log.clear()
    again = api.sweep(settings(pool), results=f"s3://{BUCKET}/equal")
    assert_same_records(study, again)
    assert not [path for method, path, _ in server.log if method == "PUT" and "/rounds/" in path]
    made = report(study.path, formats=("html",))
    assert str(made.page) == f"{study.path}/report.html"
    assert b"rounds/" in server.read("equal/study/report.html")
    here = report(f"s3://{BUCKET}/equal/study", out=tmp_path, formats=("csv",))
    assert here.folder == tmp_path
    assert (tmp_path / "findings" / "summary.csv").is_file()


def test_after_a_kill_the_same_command_takes_the_lease_over_and_goes_on(
    server, pool, undisturbed, tmp_path, caplog
):
    spec = tmp_path / "study.yaml"
    spec.write_text(yaml.safe_dump(settings(pool)))
    results = f"s3://{BUCKET}/killed"
    command = hurried_driver(str(spec), results, "run", "2")
    assert subprocess.run(command, check=False, capture_output=True).returncode == -9
    assert "checkpoints" in {name.partition("/")[0] for name in server.names("killed/study")}
    recorder = Recorder()
    study = api.sweep(settings(pool), results=results, observer=recorder)
    assert_same_records(undisturbed, study)
    assert server.names("killed/study") == files(undisturbed.path)
    assert min(number for name, number in recorder.of("progressed") if "margin" in name) > 0
    (*_, last) = [each for each in caplog.records if each.name.startswith("alray.")]
    assert "going on instead of it" in last.getMessage()


def test_a_second_driver_is_refused_before_it_writes_anything(server, pool):
    results = f"s3://{BUCKET}/twice"

    def contents():
        return {name: server.read(f"twice/study/{name}") for name in server.names("twice/study")}

    def start_another():
        before = contents()
        with pytest.raises(StoreError, match=r"is being written by another alray \(.*process"):
            api.sweep(settings(pool, seeds=2), results=results)
        assert before == contents()

    recorder = Recorder(("passive", 0), start_another)
    api.sweep(settings(pool), results=results, observer=recorder)
    assert len(recorder.of("ended")) == 2


def test_a_server_that_goes_down_stops_a_sweep_and_loses_nothing(server, pool, undisturbed):
    results = f"s3://{BUCKET}/down"
    stopper = Recorder(("run", 2), server.stop)
    try:
        with pytest.raises(StoreError, match=r"cannot be written.*stays valid.*same command"):
            api.sweep(settings(pool), results=results, observer=stopper)
    finally:
        server.start()
    recorder = Recorder()
    study = api.sweep(settings(pool), results=results, observer=recorder)
    assert_same_records(undisturbed, study)
    assert server.names("down/study") == files(undisturbed.path)
    assert min(number for name, number in recorder.of("progressed") if "margin" in name) > 1


def test_a_server_that_goes_down_stops_a_correlation_study_and_loses_nothing(
    server, pool, correlated
):
    uri = f"s3://{BUCKET}/correlation"
    first, second = Listener(4, server.stop), Listener()
    try:
        with pytest.raises(StoreError, match=r"cannot be written.*stays valid.*same command"):
            api.correlate(quick_settings(pool), results=uri, observer=first)
    finally:
        server.start()
    found = api.correlate(quick_settings(pool), results=uri, observer=second)
    assert not {*first.of("performed")[:3]} & {*second.of("performed")}
    assert str(found.path) == f"{uri}/study"
    assert_same_study(correlated, found)
    assert_same_study(correlated, load_correlation(f"{uri}/study"))
    assert server.names("correlation/study") == files(correlated.path)
    report(f"{uri}/study", formats=("html",))
    assert b"Spearman" in server.read("correlation/study/report.html")


def test_the_command_line_shows_the_address_and_no_key(server, pool, capfd, monkeypatch):
    address = f"endpoint_override={server.address}&scheme=http&region=us-east-1"
    uri = f"s3://testing:hush%2Fhush@{BUCKET}/secret?{address}"
    study = "--strategies=margin --seeds=1 --rounds=1 --initial=20 --query=5 --name=study"
    options = [f"--pool={pool}", *study.split(), "--executor=inline", "--no-report"]
    words = ["sweep", *options, "--results", uri]
    monkeypatch.setattr(sys, "argv", ["alray", *words])  # what the manifest has of the command
    planned, run = (alray(*words, *more) for more in (["--dry-run"], []))
    shown = "s3://bucket/secret/study"
    assert f"results would go to {shown}" in planned.stdout
    assert f"results: {shown}" in run.stdout
    names = ("manifest.json", "study.yaml")
    written = [server.read(f"secret/study/{name}").decode() for name in names]
    assert f"--results s3://{BUCKET}/secret" in written[0]
    assert "hush" not in "".join(capfd.readouterr())
    for text in (planned.output, run.output, *written):
        assert "hush" not in text
        assert server.address not in text
