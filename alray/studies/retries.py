"""What has gone wrong with jobs, whether they are tried again, and where not."""

from collections import defaultdict
from dataclasses import dataclass

HERE = "this process"
"""The host of what plays in the driver's own process."""

NOWHERE: frozenset[str] = frozenset()
"""No host."""


@dataclass(frozen=True)
class Failure:
    """A job has ended before its time.

    Attributes:
        host: Where; "" where that is not known.
        reason: Why, in a line.
        traceback: The same in full, where there is more to say.
        died: Whether its worker died; otherwise the job had an error of its own.
        out_of_memory: Whether it ran out of memory beside others: it may do better with fewer of them.
    """

    host: str
    reason: str
    traceback: str = ""
    died: bool = True
    out_of_memory: bool = False


class Retries:
    """Takes down each job's mishaps. A job whose worker died is tried again, one with an error only on another host.

    The error may be the host's (a full disk, a broken device), but where it has happened once it would happen again.

    Args:
        attempts: Retries of a job until it has failed for good.
    """

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts
        self._of: defaultdict[str, list[Failure]] = defaultdict(list)

    def add(self, job: str, failure: Failure, hosts: frozenset[str]) -> bool:
        """Take down a mishap and return whether the job is tried again.

        The first end for want of memory beside others is not held against the job or the host: fewer play there now.

        Args:
            job: The job's name.
            failure: What has happened.
            hosts: Where workers are or can be.
        """
        self._of[job].append(failure)
        if len(self._counted(job)) >= self._attempts:
            return False
        return failure.died or bool(self.avoided(job, hosts))

    def avoided(self, job: str, hosts: frozenset[str]) -> frozenset[str]:
        """Return the hosts on which a job has had mishaps; none where it would have nowhere to go."""
        if job not in self._of:
            return NOWHERE
        tried = frozenset(failure.host for failure in self._counted(job)) - {""}
        return tried if hosts - tried else NOWHERE

    def error(self, job: str) -> tuple[str, str]:
        """Return why a job has failed, in a line and in full."""
        retries = self._of[job]
        last = retries[-1]
        if len(retries) == 1 and not last.died:
            return last.reason, last.traceback
        hosts = ", ".join(dict.fromkeys(failure.host for failure in retries if failure.host))
        where = f" ({hosts})" if hosts else ""
        times = "once" if len(retries) == 1 else f"{len(retries)} times"
        what = "its worker died" if all(failure.died for failure in retries) else "it failed"
        full = [_entry(number, failure) for number, failure in enumerate(retries, 1)]
        return f"{what} {times}{where}: {last.reason}", "\n".join(full)

    def _counted(self, job: str) -> list[Failure]:
        retries = self._of[job]
        excused = next((place for place, each in enumerate(retries) if each.out_of_memory), None)
        return [each for place, each in enumerate(retries) if place != excused]


def _entry(number: int, failure: Failure) -> str:
    """Return a mishap as a paragraph of the full story."""
    where = f"on {failure.host}, " if failure.host else ""
    what = "its worker died" if failure.died else "an error"
    entry = f"{number}. {where}{what}: {failure.reason}"
    return f"{entry}\n{failure.traceback.rstrip()}" if failure.traceback else entry
