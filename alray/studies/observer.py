"""The events of a study in progress that a display or a counter can listen to, for both kinds of study."""

from typing import Generic

from alray.studies.events import Failure
from alray.studies.executor import Job_contra


class StudyObserver(Generic[Job_contra]):
    """Does nothing; a display, or a counter, overrides what it wants to know."""

    def started(self, job: Job_contra, host: str) -> None:
        """A job was given to a worker on a host; "" where the host is not known yet."""

    def lost(self, job: Job_contra, failure: Failure, resumes_after: int | None) -> None:
        """A worker has died; its job starts again after this round (-1: the start), or has failed for good (None)."""

    def moved(self, job: Job_contra, failure: Failure) -> None:
        """A job has had an error of its own on one host, and is tried on another."""

    def notice(self, text: str) -> None:
        """Something that the user should know."""

    def tick(self) -> None:
        """Some time has passed."""

    def end(self) -> None:
        """Nothing more is coming."""
