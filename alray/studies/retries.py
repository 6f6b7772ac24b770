"""What has gone wrong with jobs, whether they are tried again, and where not."""

from collections import defaultdict
from dataclasses import dataclass

HERE = "this process"
"""The host of what plays in the driver's own process."""

NOWHERE: frozenset[str] = frozenset()
"""No host."""


@dataclass(frozen=True)
class Mishap:
    """A job has ended before its time.

    Attributes:
        host: Where; "" where that is not known.
        reason: Why, in a line.
        traceback: The same in full, where there is more to say.
        died: Whether its worker died; otherwise the job had an error of its own.
        crowded: Whether it ran out of memory beside others: it may do better with fewer of them.
    """

    host: str
    reason: str
    traceback: str = ""
    died: bool = True
    crowded: bool = False


class Mishaps:
    """Takes down each job's mishaps. A job whose worker died is tried again, one with an error only on another host.

    The error may be the host's (a full disk, a broken device), but where it has happened once it would happen again.

    Args:
        attempts: Mishaps of a job until it has failed for good.
    """

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts
        self._of: defaultdict[str, list[Mishap]] = defaultdict(list)

    def add(self, job: str, mishap: Mishap, hosts: frozenset[str]) -> bool:
        """Take down a mishap and return whether the job is tried again.

        The first end for want of memory beside others is not held against the job or the host: fewer play there now.

        Args:
            job: The job's name.
            mishap: What has happened.
            hosts: Where workers are or can be.
        """
        self._of[job].append(mishap)
        if len(self._held_against(job)) >= self._attempts:
            return False
        return mishap.died or bool(self.avoided(job, hosts))

    def avoided(self, job: str, hosts: frozenset[str]) -> frozenset[str]:
        """Return the hosts on which a job has had mishaps; none where it would have nowhere to go."""
        if job not in self._of:
            return NOWHERE
        tried = frozenset(mishap.host for mishap in self._held_against(job)) - {""}
        return tried if hosts - tried else NOWHERE

    def error(self, job: str) -> tuple[str, str]:
        """Return why a job has failed, in a line and in full."""
        mishaps = self._of[job]
        last = mishaps[-1]
        if len(mishaps) == 1 and not last.died:
            return last.reason, last.traceback
        hosts = ", ".join(dict.fromkeys(mishap.host for mishap in mishaps if mishap.host))
        where = f" ({hosts})" if hosts else ""
        times = "once" if len(mishaps) == 1 else f"{len(mishaps)} times"
        what = "its worker died" if all(mishap.died for mishap in mishaps) else "it failed"
        full = [_entry(number, mishap) for number, mishap in enumerate(mishaps, 1)]
        return f"{what} {times}{where}: {last.reason}", "\n".join(full)

    def _held_against(self, job: str) -> list[Mishap]:
        mishaps = self._of[job]
        pardoned = next((place for place, each in enumerate(mishaps) if each.crowded), None)
        return [each for place, each in enumerate(mishaps) if place != pardoned]


def _entry(number: int, mishap: Mishap) -> str:
    """Return a mishap as a paragraph of the full story."""
    where = f"on {mishap.host}, " if mishap.host else ""
    what = "its worker died" if mishap.died else "an error"
    entry = f"{number}. {where}{what}: {mishap.reason}"
    return f"{entry}\n{mishap.traceback.rstrip()}" if mishap.traceback else entry
