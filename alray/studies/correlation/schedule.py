"""Which task comes next: tasks in the order in which they were added, one that is tried again first."""

from collections.abc import Iterable

from typing_extensions import override

from alray.studies.correlation.tasks import Task
from alray.studies.events import Failure
from alray.studies.retries import NOWHERE
from alray.studies.schedule import Schedule


class TaskSchedule(Schedule[Task]):
    """The tasks that are not on record.

    Attributes:
        failures: Per task that failed for good: its error in a line, and the same in full.
    """

    def __init__(self, attempts: int) -> None:
        super().__init__(attempts, queues=1)
        (self._waiting,) = self._queues
        self._tasks: dict[str, Task] = {}
        self.failures: dict[str, tuple[str, str]] = {}

    def add(self, tasks: Iterable[Task]) -> None:
        """Add tasks at the end."""
        added = {task.name: task for task in tasks}
        self._tasks |= added
        self._waiting.extend(added)

    @property
    def waiting(self) -> list[Task]:
        """The tasks that could start now."""
        return [self._tasks[name] for name in self._waiting]

    @property
    @override
    def over(self) -> bool:
        return not self._tasks

    @property
    @override
    def upcoming(self) -> int:
        return len(self._waiting)

    @override
    def _start(self, name: str) -> Task:
        return self._tasks[name]

    @override
    def done(self, name: str) -> None:
        del self._tasks[name]

    @override
    def fail(self, failure: Failure, hosts: frozenset[str] = NOWHERE) -> list[str]:
        """A task has ended before its time: it waits again, or fails for good; return its name if it fails."""
        if self._tried_again(failure, hosts, self._waiting):
            return []
        del self._tasks[failure.job]
        self.failures[failure.job] = self._retries.error(failure.job)
        return [failure.job]
