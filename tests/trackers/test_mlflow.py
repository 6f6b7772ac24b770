"""A sweep on a real MLflow server on loopback: the command that ALRAY_MLFLOW names, or one that is installed."""

import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from alray import api
from tests.helpers.studies import ROUNDS, settings

pytestmark = pytest.mark.slow
mlflow = pytest.importorskip("mlflow")


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    named = os.environ.get("ALRAY_MLFLOW")
    if named:
        return named
    # The server wants other versions of packages than alray's tests have.
    folder = tmp_path_factory.mktemp("server")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin" / "pip", "install", "-q", "mlflow>=3"], check=True)
    return str(folder / "bin" / "mlflow")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Server:
    """A server that can be stopped, and started again on what it has kept."""

    def __init__(self, command, folder):
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._words = [
            *(
                command,
                "server",
                "--host",
                "127.0.0.1",
                "--port",
                str(self.port),
                "--workers",
                "1",
            ),
            *("--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
            *("--artifacts-destination", str(folder / "artifacts")),
        ]
        self.start()

    def start(self):
        self._process = subprocess.Popen(
            self._words,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.address}/health", timeout=1)
            except OSError:
                time.sleep(0.2)
            else:
                return
        raise AssertionError("the server does not answer")

    def stop(self):
        os.killpg(self._process.pid, 9)
        self._process.wait()


@pytest.fixture
def server(command, tmp_path, monkeypatch):
    for name in ("MLFLOW_EXPERIMENT_NAME", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    found = Server(command, tmp_path)
    yield found
    found.stop()


def runs_of(client, experiment="study"):
    found = client.get_experiment_by_name(experiment)
    return {
        run.data.tags["alray.run_id"]: run for run in client.search_runs([found.experiment_id])
    }


def assert_kept(client, study, experiment="study"):
    kept = runs_of(client, experiment)
    assert kept.keys() == {"study", *study.rounds["run_id"]}
    for run_id, rows in study.rounds.groupby("run_id"):
        run = kept[run_id]
        assert run.info.status == "FINISHED"
        assert run.data.tags["mlflow.parentRunId"] == kept["study"].info.run_id
        assert run.data.params["model.width"] == "8"
        history = client.get_metric_history(run.info.run_id, "accuracy")
        assert [(each.step, each.value) for each in history] == list(
            zip(rows["labels"], rows["accuracy"], strict=True)
        )
    files = {each.path for each in client.list_artifacts(kept["study"].info.run_id)}
    assert files >= {"rounds.parquet", "runs.parquet", "summary.parquet", "study.yaml"}


def test_a_sweep_is_kept_by_a_server_once_however_often_the_command_is_given(
    server, pool, tmp_path
):
    spec = settings(
        pool,
        strategies=["random", "margin"],
        execution={"tracker": f"mlflow:{server.address}"},
    )
    client = mlflow.MlflowClient(tracking_uri=server.address)
    short = api.sweep({**spec, "strategies": ["random"]}, results=tmp_path / "results")
    assert_kept(client, short)
    for _ in range(2):
        assert_kept(client, api.sweep(spec, results=tmp_path / "results"))


def test_a_server_that_was_down_gets_everything_by_the_same_command(
    server, pool, tmp_path, caplog, monkeypatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "labels")
    spec = settings(pool, execution={"tracker": "mlflow"})
    server.stop()
    study = api.sweep(spec, results=tmp_path / "results")
    assert study.rounds["round"].max() == ROUNDS
    (notice,) = [each for each in caplog.records if "tracker mlflow" in each.message]
    assert "the same command sends what is missing" in notice.message
    server.start()
    study = api.sweep(spec, results=tmp_path / "results")
    assert_kept(mlflow.MlflowClient(tracking_uri=server.address), study, "labels")
