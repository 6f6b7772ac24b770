"""Names of jobs that could start now, in order, and on which hosts each of them should not."""

from collections import deque
from collections.abc import Iterable, Iterator

from alray.studies.retries import NOWHERE, Failure, Retries


class JobQueue:
    """First in, first out; a job that is tried again comes first.

    Args:
        retries: Decides what is tried again; queues of one study share it.
    """

    def __init__(self, retries: Retries) -> None:
        self._retries = retries
        self._names: deque[str] = deque()

    def __len__(self) -> int:
        """Return how many jobs could start."""
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        """Yield their names in order."""
        return iter(self._names)

    def extend(self, names: Iterable[str]) -> None:
        """Add jobs at the end."""
        self._names.extend(names)

    def take(self, host: str, hosts: frozenset[str]) -> str | None:
        """Return the first job that may start on a host, no longer in the queue; None where there is none.

        Args:
            host: Where a worker is free, "" for anywhere.
            hosts: Where workers are or can be; a job that has failed on this host is kept for the others.
        """
        for name in self._names:
            if host not in self._retries.avoided(name, hosts):
                self._names.remove(name)
                return name
        return None

    def put_back(self, name: str, failure: Failure, hosts: frozenset[str]) -> bool:
        """Record a failure of a job; return whether it is tried again, and is then in the queue once more."""
        again = self._retries.add(name, failure, hosts)
        if again:
            self._names.appendleft(name)
        return again


def avoided_by_all(
    names: Iterable[str], retries: Retries, hosts: frozenset[str]
) -> frozenset[str]:
    """Return the hosts to which none of these jobs would go, `hosts` being all there are; none without jobs."""
    avoided: frozenset[str] | None = None
    for name in names:
        of_job = retries.avoided(name, hosts)
        avoided = of_job if avoided is None else avoided & of_job
        if not avoided:
            break
    return avoided or NOWHERE
