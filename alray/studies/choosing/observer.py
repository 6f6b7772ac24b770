"""What a display, or anything else that listens, learns of a choice in progress."""

from alray.studies.choosing.part_worker import PartDone, PartJob
from alray.studies.choosing.work import Choosing
from alray.studies.observer import StudyObserver


class ChoosingObserver(StudyObserver[PartJob]):
    """Does nothing; a display overrides what it shows."""

    def begin(self, work: Choosing) -> None:
        """The first part is about to be read."""

    def read(self, done: PartDone) -> None:
        """A part has been read, and its best objects are known."""
