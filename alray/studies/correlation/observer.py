"""What a display, or anything else that listens, learns of a correlation study in progress."""

from alray.studies.correlation.plan import CorrelationPlan
from alray.studies.correlation.tasks import Task
from alray.studies.observer import StudyObserver


class CorrelationObserver(StudyObserver[Task]):
    """Does nothing; a display overrides what it shows."""

    def begin(self, plan: CorrelationPlan, fine_tunes_done: int) -> None:
        """The study starts; some fine-tunes may be on record already."""

    def base_ready(self, number: int, accuracy: float) -> None:
        """A base model has been fitted, or found on record."""

    def performed(self, task: Task, seconds: float, host: str) -> None:
        """A task has ended well; it is on record before the next ones start."""

    def failed(self, name: str, error: str) -> None:
        """A task has failed for good."""
