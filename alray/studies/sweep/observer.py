"""What a display, or anything else that listens, learns of a sweep in progress."""

from collections.abc import Mapping
from typing import Any

from alray.studies.retries import Failure
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.schedule import Assignment, RunStatus


class Observer:
    """Told what happens; does nothing. A display overrides what it shows."""

    def begin(self, plan: Plan, statuses: Mapping[str, RunStatus]) -> None:
        """The study starts; some runs may be finished already."""

    def started(self, assignment: Assignment) -> None:
        """A job was handed to a worker."""

    def progressed(self, name: str, status: RunStatus | None, record: Mapping[str, Any]) -> None:
        """A round has ended; `status` is None for a passive phase."""

    def ended(self, name: str, status: RunStatus | None) -> None:
        """A run has finished, or a passive phase (`status` None)."""

    def failed(self, status: RunStatus) -> None:
        """A run has failed for good."""

    def lost(self, assignment: Assignment, failure: Failure, kept: int | None) -> None:
        """A worker has died; its job starts again after the round `kept`, or has failed for good (None)."""

    def moved(self, assignment: Assignment, failure: Failure) -> None:
        """A job has had an error of its own on one host, and is tried on another."""

    def notice(self, text: str) -> None:
        """Something that people should know."""

    def tick(self) -> None:
        """Some time has passed."""

    def end(self) -> None:
        """Nothing more is coming."""
