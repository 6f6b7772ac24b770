"""What a display, or anything else that listens, learns of a correlation study in progress."""

from alray.studies.correlation.plan import CorrelationPlan
from alray.studies.correlation.tasks import Task
from alray.studies.retries import Failure


class CorrelationObserver:
    """Told what happens; does nothing. A display overrides what it shows."""

    def begin(self, plan: CorrelationPlan, fine_tunes_done: int) -> None:
        """The study starts; some fine-tunes may be on record already."""

    def base_ready(self, number: int, accuracy: float) -> None:
        """A base model has been fitted, or found on record."""

    def started(self, task: Task) -> None:
        """A task was handed over."""

    def performed(self, task: Task, seconds: float, host: str) -> None:
        """A task has ended well; it is on record before the next ones are handed over."""

    def failed(self, name: str, error: str) -> None:
        """A task has failed for good."""

    def lost(self, name: str, failure: Failure, *, again: bool) -> None:
        """A task's worker has died; the task is handed over again, or has failed for good."""

    def moved(self, name: str, failure: Failure) -> None:
        """A task has had an error of its own on one host, and is handed over to another."""

    def notice(self, text: str) -> None:
        """Something that people should know."""

    def tick(self) -> None:
        """Some time has passed."""

    def end(self) -> None:
        """Nothing more is coming."""
