"""Whose fault a job's failure was, whether the job is tried again, and where not."""

from collections import defaultdict

from alray.studies.events import Failure

HERE = "this process"
"""The host of jobs that run in the driver's own process."""

NOWHERE: frozenset[str] = frozenset()
"""No host."""


class Retries:
    """Records each job's failures. A job whose worker died is tried again, one with an error only on another host.

    The error may be the host's (a full disk, a broken device), but where it has happened once it would happen again.

    Args:
        attempts: Failures of a job until it has failed for good.
    """

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts
        self._of: defaultdict[str, list[Failure]] = defaultdict(list)

    def add(self, failure: Failure, hosts: frozenset[str]) -> bool:
        """Record a failure and return whether the job is tried again; workers are or can be on `hosts`.

        The first kill of a job for want of memory beside others is not counted: fewer jobs run on that host from then
        on.
        """
        job = failure.job
        self._of[job].append(failure)
        if len(self._counted(job)) >= self._attempts:
            return False
        return failure.died or bool(self.avoided(job, hosts))

    def avoided(self, job: str, hosts: frozenset[str]) -> frozenset[str]:
        """Return the hosts on which a job has failed; none where no other host would be left."""
        if job not in self._of:
            return NOWHERE
        tried = frozenset(failure.host for failure in self._counted(job)) - {""}
        return tried if hosts - tried else NOWHERE

    def error(self, job: str) -> tuple[str, str]:
        """Return why a job has failed, in a line and in full."""
        failures = self._of[job]
        last = failures[-1]
        if len(failures) == 1 and not last.died:
            return last.reason, last.traceback
        hosts = ", ".join(dict.fromkeys(failure.host for failure in failures if failure.host))
        where = f" ({hosts})" if hosts else ""
        times = "once" if len(failures) == 1 else f"{len(failures)} times"
        what = "its worker died" if all(failure.died for failure in failures) else "it failed"
        full = [_entry(number, failure) for number, failure in enumerate(failures, 1)]
        return f"{what} {times}{where}: {last.reason}", "\n".join(full)

    def _counted(self, job: str) -> list[Failure]:
        failures = self._of[job]
        excused = next((at for at, each in enumerate(failures) if each.out_of_memory), None)
        return [each for at, each in enumerate(failures) if at != excused]


def _entry(number: int, failure: Failure) -> str:
    """Return a failure as a paragraph of the full text."""
    where = f"on {failure.host}, " if failure.host else ""
    what = "its worker died" if failure.died else "an error"
    entry = f"{number}. {where}{what}: {failure.reason}"
    return f"{entry}\n{failure.traceback.rstrip()}" if failure.traceback else entry
