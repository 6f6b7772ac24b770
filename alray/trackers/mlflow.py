"""MLflow: a run per arm and seed, and one for the study that holds its tables and its page."""

import os
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from typing_extensions import override

from alray.trackers.tracker import (
    Ending,
    Row,
    TrackedRun,
    Tracker,
    metrics_of,
    step_of,
)

PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
"""MLflow's own defaults wait minutes for a server that is down; what the user has set stays."""

STUDY, RUN_ID = "alray.study", "alray.run_id"
"""Tags by which a study's runs are found again."""

MOST = 1000
"""Metrics that MLflow takes in one request; of parameters 100."""


class MlflowTracker(Tracker):
    """Keeps runs on an MLflow server, in the experiment of MLFLOW_EXPERIMENT_NAME, or one with the study's name.

    Steps are labels, so that curves have them on their axis.
    """

    def __init__(self, address: str) -> None:
        for name, value in PATIENCE.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient  # noqa: PLC0415 -- seconds, once its settings are there

        self._client = MlflowClient(tracking_uri=address)
        self._experiment = self._parent = ""
        self._ids: dict[str, str] = {}

    @override
    def begin(self, study: str) -> None:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or study
        found = self._client.get_experiment_by_name(name)
        if found is not None and found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        self._experiment = (
            self._client.create_experiment(name) if found is None else found.experiment_id
        )
        tags = {STUDY: study, RUN_ID: study}
        self._parent = self._find_or_make(f"study {study}", tags, {})
        self._client.set_terminated(self._parent, "FINISHED")

    @override
    def start(self, run: TrackedRun, rounds: Sequence[Row]) -> None:
        tags = {
            STUDY: run.study,
            RUN_ID: run.run_id,
            "mlflow.parentRunId": self._parent,
            "arm": run.arm,
            "seed": str(run.seed),
        }
        name = f"{run.arm}, seed {run.seed}"
        found = self._ids[run.run_id] = self._find_or_make(name, tags, run.settings)
        if rounds:
            history = self._client.get_metric_history(found, "round")
            known = {int(metric.value) for metric in history}
            self._log(found, [row for row in rounds if row["round"] not in known])

    @override
    def log(self, run: TrackedRun, row: Row) -> None:
        self._log(self._ids[run.run_id], [row])

    @override
    def end(self, run: TrackedRun, ending: Ending) -> None:
        self._client.set_terminated(self._ids[run.run_id], ending.upper())

    @override
    def keep_files(self, files: Mapping[str, bytes]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                path = Path(folder, name)
                path.write_bytes(content)
                self._client.log_artifact(self._parent, str(path))

    def _find_or_make(
        self, name: str, tags: Mapping[str, str], settings: Mapping[str, Any]
    ) -> str:
        """Return the id of the run with these tags, which runs again, or of a new one."""
        asked = " and ".join(f"tags.`{tag}` = '{tags[tag]}'" for tag in (STUDY, RUN_ID))
        found = self._client.search_runs([self._experiment], asked, max_results=1)
        if found:
            run_id = str(found[0].info.run_id)
            self._client.update_run(run_id, status="RUNNING")
            return run_id
        from mlflow.entities import Param  # noqa: PLC0415 -- as above

        made = self._client.create_run(self._experiment, tags=dict(tags), run_name=name)
        parameters = [Param(key, str(value)[:6000]) for key, value in settings.items()]
        for part in _parts(parameters, 100):
            self._client.log_batch(made.info.run_id, params=part)
        return str(made.info.run_id)

    def _log(self, run_id: str, rows: Sequence[Row]) -> None:
        from mlflow.entities import Metric  # noqa: PLC0415 -- as above

        now = int(time.time() * 1000)
        metrics = [
            Metric(name, value, now, step_of(row))
            for row in rows
            for name, value in metrics_of(row).items()
        ]
        for part in _parts(metrics, MOST):
            self._client.log_batch(run_id, metrics=part)


def _parts(values: Sequence[Any], size: int) -> Iterable[list[Any]]:
    return (list(values[start : start + size]) for start in range(0, len(values), size))
