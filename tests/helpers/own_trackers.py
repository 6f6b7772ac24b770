"""A tracker as a user writes one: it keeps everything in lists of this module."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import override

from alray.trackers import Ending, Row, TrackedRun, Tracker

STUDIES: list[str] = []
RUNS: dict[str, TrackedRun] = {}
ROUNDS: dict[str, list[dict[str, Any]]] = {}
ENDINGS: dict[str, Ending] = {}
FILES: dict[str, bytes] = {}
HANGS = threading.Event()
"""Set to let a call that hangs return."""


def forget() -> None:
    """Begin anew."""
    for kept in (STUDIES, RUNS, ROUNDS, ENDINGS, FILES):
        kept.clear()
    HANGS.clear()


class Lists(Tracker):
    """Keeps everything."""

    @override
    def begin(self, study: str) -> None:
        STUDIES.append(study)

    @override
    def start(self, run: TrackedRun, rounds: Sequence[Row]) -> None:
        RUNS[run.run_id] = run
        known = ROUNDS.setdefault(run.run_id, [])
        there = {row["round"] for row in known}
        known += [dict(row) for row in rounds if row["round"] not in there]

    @override
    def log(self, run: TrackedRun, row: Row) -> None:
        ROUNDS[run.run_id].append(dict(row))

    @override
    def end(self, run: TrackedRun, ending: Ending) -> None:
        ENDINGS[run.run_id] = ending

    @override
    def keep_files(self, files: Mapping[str, bytes]) -> None:
        FILES.update(files)


class Down(Lists):
    """Does not answer from the third round on, until the study is over."""

    @override
    def log(self, run: TrackedRun, row: Row) -> None:
        if row["round"] >= 2:
            raise ConnectionError("Max retries exceeded with url: /api\n  Connection refused")
        super().log(run, row)


class DownForGood(Down):
    """Takes no files either."""

    @override
    def keep_files(self, files: Mapping[str, bytes]) -> None:
        raise ConnectionError("refused")


class Hangs(Lists):
    """Hangs in the second round."""

    @override
    def log(self, run: TrackedRun, row: Row) -> None:
        if row["round"] == 1:
            HANGS.wait()
        super().log(run, row)


class NeedsAName:
    """Is no tracker, and cannot be made without arguments."""

    def __init__(self, name: str) -> None:
        self.name = name
