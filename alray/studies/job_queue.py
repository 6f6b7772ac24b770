"""Which job comes next where none depends on another: in the order in which they were added, one tried again first."""

from collections.abc import Iterable
from typing import Generic

from typing_extensions import override

from alray.studies.events import Failure
from alray.studies.executor import JobT
from alray.studies.retries import NOWHERE
from alray.studies.schedule import Schedule


class JobQueue(Schedule[JobT], Generic[JobT]):
    """The jobs that are not done yet.

    Attributes:
        failures: Per job that failed for good: its error in a line, and the same in full.
    """

    def __init__(self, attempts: int) -> None:
        super().__init__(attempts, queues=1)
        (self._waiting,) = self._queues
        self._jobs: dict[str, JobT] = {}
        self.failures: dict[str, tuple[str, str]] = {}

    def add(self, jobs: Iterable[JobT]) -> None:
        """Add jobs at the end."""
        added = {job.name: job for job in jobs}
        self._jobs |= added
        self._waiting.extend(added)

    @property
    def waiting(self) -> list[JobT]:
        """The jobs that could start now."""
        return [self._jobs[name] for name in self._waiting]

    @property
    @override
    def over(self) -> bool:
        return not self._jobs

    @property
    @override
    def upcoming(self) -> int:
        return len(self._waiting)

    @override
    def _start(self, name: str) -> JobT:
        return self._jobs[name]

    @override
    def done(self, name: str) -> None:
        del self._jobs[name]

    @override
    def fail(self, failure: Failure, hosts: frozenset[str] = NOWHERE) -> list[str]:
        """A job has ended before its time: it waits again, or fails for good; return its name if it fails."""
        if self._tried_again(failure, hosts, self._waiting):
            return []
        del self._jobs[failure.job]
        self.failures[failure.job] = self._retries.error(failure.job)
        return [failure.job]
