"""TensorBoard: a folder of event files per arm and seed."""

import html
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from typing_extensions import override

from alray.trackers.tracker import (
    Ending,
    Row,
    TrackedRun,
    Tracker,
    metrics_of,
    step_of,
)


class TensorboardTracker(Tracker):
    """Writes event files to a folder, which `tensorboard --logdir FOLDER` shows. Steps are labels.

    A run that goes on is written anew from its records: event files can only be added to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, EventFileWriter] = {}

    @override
    def begin(self, study: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)

    @override
    def start(self, run: TrackedRun, rounds: Sequence[Row]) -> None:
        folder = self._folder / run.run_id
        self._close(run.run_id)
        shutil.rmtree(folder, ignore_errors=True)
        self._writers[run.run_id] = EventFileWriter(str(folder))
        lines = [f"{name}: {html.escape(str(value))}" for name, value in run.settings.items()]
        self._add(run.run_id, text_pb("settings", "    " + "\n    ".join(lines)), 0)
        for row in rounds:
            self.log(run, row)

    @override
    def log(self, run: TrackedRun, row: Row) -> None:
        values = [
            Summary.Value(tag=name, simple_value=value) for name, value in metrics_of(row).items()
        ]
        self._add(run.run_id, Summary(value=values), step_of(row))

    def _add(self, run_id: str, summary: Summary, step: int) -> None:
        writer = self._writers[run_id]
        writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))
        writer.flush()

    @override
    def end(self, run: TrackedRun, ending: Ending) -> None:
        self._close(run.run_id)

    @override
    def keep_files(self, files: Mapping[str, bytes]) -> None:
        """Keep none: they lie in the study's folder, and TensorBoard shows no files."""

    @override
    def close(self) -> None:
        for run_id in list(self._writers):
            self._close(run_id)

    def _close(self, run_id: str) -> None:
        writer = self._writers.pop(run_id, None)
        if writer is not None:
            writer.close()
