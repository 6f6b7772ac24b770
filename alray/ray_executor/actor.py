"""What an actor does: it holds one model replica and plays one run after the other."""

import platform
from dataclasses import dataclass

import ray

from alray.pools.pool import PreparedPool
from alray.settings.common import ExecutionSpec
from alray.studies.events import describe
from alray.studies.sweep.executor import Job, Progress
from alray.studies.sweep.worker import Worker


@dataclass(frozen=True)
class Started:
    """What an actor answers once it is up.

    Attributes:
        node: Id of its node.
        error: Why it cannot play, in a line; "" where it can.
    """

    node: str
    error: str = ""


class RunActor:
    """A worker in an actor: holds one model replica, and plays one run after the other."""

    def __init__(self, pool: PreparedPool, checksum: int, execution: ExecutionSpec) -> None:
        self._given = (pool, checksum, execution)

    def ready(self) -> Started:
        """Get ready to play; an error here is told together with the node that it happened on."""
        node = ray.get_runtime_context().get_node_id()
        try:
            self._worker = Worker(*self._given, platform.node())
        except Exception as error:  # noqa: BLE001 -- it is told
            return Started(node, describe(error))
        return Started(node)

    def play(self, job: Job) -> Progress:
        """Take a job and play its first rounds."""
        self._worker.start(job)
        return self._worker.advance()

    def continue_run(self) -> Progress:
        """Play the next rounds of the job in progress."""
        return self._worker.advance()

    def final_report(self) -> Progress:
        """Report what was not reported yet, with a state."""
        return self._worker.report(with_state=True)
