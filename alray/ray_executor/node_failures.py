"""Which nodes keep losing workers: counted, named, and quarantined while there are others."""

from collections import defaultdict
from dataclasses import dataclass, field

IN_A_ROW = 3
"""Workers that a node may lose, with no run finished in between, until it is named."""


@dataclass
class _Row:
    """What a node has lost since a run last finished there.

    Attributes:
        jobs: Jobs whose worker died: one that dies again and again proves nothing about the node.
        starts: Workers that could not start.
        reason: Of the last loss.
        named: Whether a notice has named it.
    """

    jobs: set[str] = field(default_factory=set)
    starts: int = 0
    reason: str = ""
    named: bool = False

    @property
    def count(self) -> int:
        return len(self.jobs) + self.starts


class NodeFailures:
    """Counts each node's losses in a row; nodes go by their host names."""

    def __init__(self) -> None:
        self._rows: defaultdict[str, _Row] = defaultdict(_Row)

    @property
    def quarantined(self) -> frozenset[str]:
        """Nodes that were named and on which no run has finished since."""
        return frozenset(host for host, row in self._rows.items() if row.named)

    def lost(self, host: str, job: str, reason: str) -> str | None:
        """A worker died with a job; return a message for the user, if any."""
        self._rows[host].jobs.add(job)
        return self._update(host, reason)

    def not_started(self, host: str, reason: str) -> str | None:
        """A worker could not start; return a message for the user, if any."""
        self._rows[host].starts += 1
        return self._update(host, reason)

    def started(self, host: str) -> None:
        """A worker has started: earlier ones may have met what has passed since."""
        self._rows[host].starts = 0
        self._rows.pop("", None)

    def finished(self, host: str) -> None:
        """A job has finished there: the node is not the cause of what was wrong."""
        self._rows.pop(host, None)

    def cannot_start(self, hosts: frozenset[str], attempts: int) -> bool:
        """Whether so many workers in a row could not start on each of these nodes."""
        if self._rows[""].starts >= attempts * max(1, len(hosts)):
            return True
        return bool(hosts) and all(self._rows[host].starts >= attempts for host in hosts)

    def _update(self, host: str, reason: str) -> str | None:
        row = self._rows[host]
        row.reason = reason
        if not host or row.named or row.count < IN_A_ROW:
            return None
        row.named = True
        return (
            f"{host}: {row.count} workers were lost or could not start and none has finished a job in between; the "
            f"last: {reason}. No more start there while other nodes have capacity: check its memory, disk and "
            "installation, or take it out of the cluster"
        )
