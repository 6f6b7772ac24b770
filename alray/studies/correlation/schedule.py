"""Which task comes next: tasks in the order in which they were added, one that is tried again first."""

from collections.abc import Iterable

from alray.studies.correlation.tasks import Task
from alray.studies.queue import JobQueue, avoided_by_all
from alray.studies.retries import NOWHERE, Failure, Retries


class TaskSchedule:
    """The tasks that are not on record.

    Attributes:
        failures: Per task that failed for good: its error in a line, and the same in full.
    """

    def __init__(self, attempts: int) -> None:
        self._retries = Retries(attempts)
        self._waiting = JobQueue(self._retries)
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
    def over(self) -> bool:
        """Whether every task is done or has failed."""
        return not self._tasks

    @property
    def upcoming(self) -> int:
        """Number of tasks that wait for a worker."""
        return len(self._waiting)

    def avoided(self, hosts: frozenset[str]) -> frozenset[str]:
        """Return the hosts to which none of the waiting tasks would go, `hosts` being all there are."""
        return avoided_by_all(self._waiting, self._retries, hosts)

    def avoided_by(self, name: str, hosts: frozenset[str]) -> frozenset[str]:
        """Return the hosts to which this task should not go."""
        return self._retries.avoided(name, hosts)

    def next(self, host: str, hosts: frozenset[str]) -> Task | None:
        """Return the next task to start on a host ("" for anywhere), and count it as running."""
        name = self._waiting.take(host, hosts)
        return None if name is None else self._tasks[name]

    def done(self, name: str) -> None:
        """A task has ended well."""
        del self._tasks[name]

    def fail(self, name: str, failure: Failure, hosts: frozenset[str] = NOWHERE) -> list[str]:
        """A task has ended before its time: it waits again, or fails for good; return its name if it fails."""
        if self._waiting.put_back(name, failure, hosts):
            return []
        del self._tasks[name]
        self.failures[name] = self._retries.error(name)
        return [name]
