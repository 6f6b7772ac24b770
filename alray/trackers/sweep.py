"""A sweep told to a tracker: an observer."""

import io
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd
from typing_extensions import override

from alray.settings.location import StudyPath
from alray.settings.secrets import without_secrets
from alray.settings.sweep import SweepSpec
from alray.studies.folder import Folder
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.records import RUN_COLUMNS
from alray.studies.sweep.status import RunStatus
from alray.studies.sweep.store import SweepStore
from alray.trackers.choosing import tracker_of
from alray.trackers.delivery import Delivery
from alray.trackers.tracker import Ending, Row, TrackedRun, Tracker, tracked

Rounds = pd.DataFrame

KEPT_FILES = ("runs.parquet", "summary.parquet", "study.yaml")
"""Files of a study's folder that a tracker keeps, besides all rounds in one table and the page."""


class TrackedSweep(Observer):
    """Tells a tracker what happens in a sweep, and at the beginning what is on record already.

    Args:
        name: The tracker's name in notices.
        tracker: The tracker.
        on_record: Returns the rounds on record.
    """

    def __init__(self, name: str, tracker: Tracker, on_record: Callable[[], Rounds]) -> None:
        self._tracker, self._on_record = tracker, on_record
        self._delivery = Delivery(name)
        self._study = ""
        self._runs: Mapping[str, RunStatus] = {}
        self._started: dict[str, TrackedRun] = {}
        self._last: dict[str, int] = {}

    @override
    def begin(self, plan: Plan, runs: Mapping[str, RunStatus]) -> None:
        self._study, self._runs = str(plan.study.name), runs
        self._tell_all(self._on_record())

    def _tell_all(self, rounds: Rounds) -> None:
        """Tell everything that is on record."""
        self._delivery.put(partial(self._tracker.begin, self._study))
        of_run = {str(run_id): rows for run_id, rows in rounds.groupby("run_id", sort=False)}
        for run_id, status in self._runs.items():
            if run_id in of_run:
                self._start(status, of_run[run_id])
            if status.status in ("finished", "failed"):
                self._end(status, "finished" if status.finished else "failed")

    def _start(self, status: RunStatus, recorded: Rounds | None = None) -> TrackedRun:
        run = self._started[status.run_id] = tracked(status.run, self._study)
        rows = [] if recorded is None else _rows(recorded)
        self._last[run.run_id] = max((int(row["round"]) for row in rows), default=-1)
        self._delivery.put(partial(self._tracker.start, run, rows))
        return run

    @override
    def progressed(self, name: str, run: RunStatus | None, record: Mapping[str, Any]) -> None:
        if run is None:
            return
        known = self._started.get(run.run_id) or self._start(run)
        # Rounds after the last checkpoint are played again where a run goes on, and are the same.
        if record["round"] > self._last[run.run_id]:
            self._last[run.run_id] = int(record["round"])
            self._delivery.put(partial(self._tracker.log, known, dict(record)))

    @override
    def ended(self, name: str, run: RunStatus | None) -> None:
        if run is not None:
            self._end(run, "finished")

    @override
    def failed(self, run: RunStatus) -> None:
        self._end(run, "failed")

    def _end(self, run: RunStatus, ending: Ending) -> None:
        known = self._started.get(run.run_id) or self._start(run)
        self._delivery.put(partial(self._tracker.end, known, ending))

    @override
    def end(self) -> None:
        self._delivery.wait()

    def finish(self, rounds: Rounds, files: Mapping[str, bytes]) -> None:
        """Send what is missing, if the tracker did not answer meanwhile, all rounds in one table, and other files."""
        table = io.BytesIO()
        rounds.to_parquet(table)
        files = {"rounds.parquet": table.getvalue(), **files}
        if self._delivery.failed:
            self._delivery.try_again()
            self._tell_all(rounds)
        self._delivery.put(partial(self._tracker.keep_files, files))
        self._delivery.put(self._tracker.close)
        self._delivery.wait()


def tracked_sweep(plan: Plan, store: SweepStore) -> TrackedSweep | None:
    """Return what tells a study's tracker of it; None where it has none. Nothing is written, or thrown away, before.

    Raises:
        SpecError: The tracker cannot be used.
    """
    text = plan.study.execution.tracker
    if text is None:
        return None
    ids = [run.run_id for run in plan.runs]
    tracker = tracker_of(text, store.root)
    return TrackedSweep(without_secrets(text), tracker, lambda: store.read_rounds(ids))


def keep_page(study: SweepSpec, folder: StudyPath, page: StudyPath) -> None:
    """Have a study's tracker keep its page."""
    text = study.execution.tracker
    if text is None:
        return
    tracker, delivery = tracker_of(text, folder), Delivery(without_secrets(text))
    delivery.put(partial(tracker.begin, str(study.name)))
    delivery.put(partial(tracker.keep_files, Folder(folder).read_files([page.name])))
    delivery.put(tracker.close)
    delivery.wait()


def _rows(rounds: Rounds) -> list[Row]:
    """Return rounds in order, without what names their run."""
    ordered = rounds.sort_values("round").drop(columns=list(RUN_COLUMNS), errors="ignore")
    return [
        {str(name): value for name, value in row.items()} for row in ordered.to_dict("records")
    ]
