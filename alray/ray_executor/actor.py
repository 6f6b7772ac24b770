"""The class of which each actor is an instance: it holds one model replica and runs one job after the other."""

import platform
from dataclasses import dataclass

import ray

from alray.custom.code import NO_CODE, CustomCode
from alray.pools.shared import SharedPool
from alray.settings.common import ExecutionSpec
from alray.studies.events import describe
from alray.studies.sweep.jobs import Job, Progress
from alray.studies.sweep.worker import RunWorker


@dataclass(frozen=True)
class Started:
    """The reply of an actor that is up: its node's id, and in a line why it cannot run anything, "" where it can."""

    node: str
    error: str = ""


class RunActor:
    """A sweep's worker in an actor."""

    def __init__(
        self,
        pool: SharedPool,
        checksum: int,
        execution: ExecutionSpec,
        code: CustomCode = NO_CODE,
    ) -> None:
        self._given = (pool, checksum, execution)
        self._code = code

    def ready(self) -> Started:
        """Make the worker; an error is returned together with the node on which it happened."""
        node = ray.get_runtime_context().get_node_id()
        try:
            self._worker = RunWorker(*self._given, platform.node(), self._code)
        except Exception as error:  # noqa: BLE001 -- it is returned
            return Started(node, describe(error))
        return Started(node)

    def run(self, job: Job, start_from: bytes | None) -> Progress:
        """Take a job and run its first rounds."""
        self._worker.start(job, start_from)
        return self._worker.advance()

    def continue_run(self) -> Progress:
        """Run the next rounds of the job in progress."""
        return self._worker.advance()

    def final_report(self) -> Progress:
        """Return what was not reported yet, with a state."""
        return self._worker.final_report()
