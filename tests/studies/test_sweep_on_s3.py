"""A study in an object store: the same as a local one, through kills, second drivers and failing networks."""

import subprocess
import sys

import pandas as pd
import pytest
import yaml
from typing_extensions import override

from alray import api
from alray.errors import StoreError
from alray.reporting.api import report
from alray.studies.sweep.results import load
from tests.helpers.object_store import BUCKET, hurried_driver, running_server, server
from tests.helpers.studies import (
    Recorder,
    assert_same_records,
    files,
    report_every_round,
    settings,
)

__all__ = ["running_server", "server"]


@pytest.fixture(autouse=True)
def _round_by_round(monkeypatch):
    """Report, and with `checkpoint_seconds: 0` checkpoint, after every round."""
    report_every_round(monkeypatch)


def test_a_sweep_to_s3_is_equal_to_a_local_one(server, pool, undisturbed):
    study = api.sweep(settings(pool), results=f"s3://{BUCKET}/equal")
    assert str(study.path) == f"s3://{BUCKET}/equal/study"
    assert_same_records(undisturbed, study)
    assert_same_records(undisturbed, load(f"s3://{BUCKET}/equal/study"))
    assert_same_records(undisturbed, load(study.path))
    assert server.names("equal/study") == files(undisturbed.path)
    pd.testing.assert_series_equal(study.summary["accuracy"], undisturbed.summary["accuracy"])
    server.log.clear()
    again = api.sweep(settings(pool), results=f"s3://{BUCKET}/equal")
    assert_same_records(study, again)
    played = [path for method, path, _ in server.log if method == "PUT" and "/rounds/" in path]
    assert played == []


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

    class Second(Recorder):
        @override
        def begin(self, plan, statuses):
            before = {
                name: server.read(f"twice/study/{name}") for name in server.names("twice/study")
            }
            with pytest.raises(StoreError, match=r"is being written by another alray \(.*process"):
                api.sweep(settings(pool, seeds=2), results=results)
            assert before == {
                name: server.read(f"twice/study/{name}") for name in server.names("twice/study")
            }
            super().begin(plan, statuses)

    recorder = Second()
    api.sweep(settings(pool), results=results, observer=recorder)
    assert len(recorder.of("ended")) == 2


def test_a_server_that_goes_down_stops_the_study_and_loses_nothing(server, pool, undisturbed):
    results = f"s3://{BUCKET}/down"

    class Stopper(Recorder):
        @override
        def progressed(self, name, run, record):
            super().progressed(name, run, record)
            if run is not None and record["round"] == 2:
                server.stop()

    try:
        with pytest.raises(StoreError, match=r"cannot be written.*stays valid.*same command"):
            api.sweep(settings(pool), results=results, observer=Stopper())
    finally:
        server.start()
    recorder = Recorder()
    study = api.sweep(settings(pool), results=results, observer=recorder)
    assert_same_records(undisturbed, study)
    assert server.names("down/study") == files(undisturbed.path)
    assert min(number for name, number in recorder.of("progressed") if "margin" in name) > 1


def test_a_report_is_read_from_the_store_and_written_there(server, pool, tmp_path):
    study = api.sweep(settings(pool), results=f"s3://{BUCKET}/report")
    uri = f"s3://{BUCKET}/report/study"
    made = report(uri, formats=("html",))
    assert str(made.page) == f"{uri}/report.html"
    page = server.read("report/study/report.html")
    assert b"rounds/" in page
    here = report(study.path, out=tmp_path, formats=("csv",))
    assert here.folder == tmp_path
    assert (tmp_path / "findings" / "summary.csv").is_file()


def test_the_command_line_shows_the_address_and_no_key(server, pool, tmp_path):
    address = f"endpoint_override={server.address}&scheme=http&region=us-east-1"
    uri = f"s3://testing:hush%2Fhush@{BUCKET}/secret?{address}"
    options = ["sweep", f"--pool={pool}", "--strategies=margin", "--seeds=1", "--rounds=1"]
    options += [
        "--initial=20",
        "--query=5",
        "--executor=inline",
        "--name=study",
        "--no-report",
        "--results",
    ]
    code = (
        "import sys\nfrom alray.cli import main\n"
        "main([*sys.argv[1:], '--dry-run'], standalone_mode=False)\n"
        "main(sys.argv[1:], standalone_mode=False)"
    )
    command = [sys.executable, "-c", code, *options, uri]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    shown = "s3://bucket/secret/study"
    assert f"results would go to {shown}" in run.stdout
    assert f"results: {shown}" in run.stdout
    names = ("manifest.json", "study.yaml")
    written = [server.read(f"secret/study/{name}").decode() for name in names]
    assert f"--results s3://{BUCKET}/secret" in written[0]
    for text in (run.stdout, run.stderr, *written):
        assert "hush" not in text
        assert server.address not in text
