"""Which job comes next: events in, jobs out; a schedule itself starts nothing."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from itertools import chain
from typing import Any, Generic

from alray.studies.events import Failure
from alray.studies.executor import JobT
from alray.studies.retries import NOWHERE, Retries


class Schedule(ABC, Generic[JobT]):
    """What schedules of both kinds of study have in common: queues of the names of jobs that could start now.

    Args:
        attempts: Failures of a job until it has failed for good.
        queues: Number of queues; a job of a later one starts only if none of the earlier ones can.
    """

    def __init__(self, attempts: int, queues: int) -> None:
        self._retries = Retries(attempts)
        self._queues: list[deque[str]] = [deque() for _ in range(queues)]

    @property
    @abstractmethod
    def over(self) -> bool:
        """Whether nothing is left to do."""

    @property
    @abstractmethod
    def upcoming(self) -> int:
        """Number of jobs that wait for a worker now or soon."""

    @abstractmethod
    def _start(self, name: str) -> JobT:
        """Return the job of this name, and count it as running."""

    @abstractmethod
    def done(self, name: str) -> None:
        """A job has ended well."""

    @abstractmethod
    def fail(self, failure: Failure, hosts: frozenset[str]) -> Sequence[Any]:
        """A job has ended before its time: it is scheduled again, or what depends on it fails for good; return that.

        `hosts` are those on which workers are or can be.
        """

    def next(self, host: str = "", hosts: frozenset[str] = NOWHERE) -> JobT | None:
        """Return the next job to start on a host ("" for any), and count it as running; None if there is none.

        `hosts` are those on which workers are or can be; a job that has failed on this host is kept for the others.
        """
        for queue in self._queues:
            for name in queue:
                if host not in self._retries.avoided(name, hosts):
                    queue.remove(name)
                    return self._start(name)
        return None

    def avoided(self, hosts: frozenset[str]) -> frozenset[str]:
        """Return the hosts to which none of the jobs that could start now would go, `hosts` being all there are."""
        avoided: frozenset[str] | None = None
        for name in chain(*self._queues):
            of_job = self._retries.avoided(name, hosts)
            avoided = of_job if avoided is None else avoided & of_job
            if not avoided:
                break
        return avoided or NOWHERE

    def avoided_by(self, name: str, hosts: frozenset[str]) -> frozenset[str]:
        """Return the hosts to which this job should not go."""
        return self._retries.avoided(name, hosts)

    def _tried_again(self, failure: Failure, hosts: frozenset[str], queue: deque[str]) -> bool:
        """Record a failure; return whether the job is tried again, and is then the first in its queue."""
        again = self._retries.add(failure, hosts)
        if again:
            queue.appendleft(failure.job)
        return again
