"""What a display, or anything else that listens, learns of a sweep in progress."""

from collections.abc import Mapping
from typing import Any

from alray.studies.observer import StudyObserver
from alray.studies.sweep.jobs import Job
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.status import RunStatus


class Observer(StudyObserver[Job]):
    """Does nothing; a display overrides what it shows."""

    def begin(self, plan: Plan, runs: Mapping[str, RunStatus]) -> None:
        """The study starts; some runs may be finished already."""

    def progressed(self, name: str, run: RunStatus | None, record: Mapping[str, Any]) -> None:
        """A round of a job has ended; `run` is None for a passive phase.

        `record` has the columns of `rounds` that say what happened in it. Metrics are NaN where they are not defined,
        and all of them in rounds that `evaluate_every` leaves out.
        """

    def ended(self, name: str, run: RunStatus | None) -> None:
        """A run has finished, or a passive phase (`run` None)."""

    def failed(self, run: RunStatus) -> None:
        """A run has failed for good."""
