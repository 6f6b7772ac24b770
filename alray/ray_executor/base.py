"""What executors on Ray have in common: the session, the nodes and their failures, and waiting for capacity."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from typing_extensions import override

from alray.pools.pool import SharedArrays
from alray.ray_executor.liveness import free_resources
from alray.ray_executor.node_failures import NodeFailures
from alray.ray_executor.nodes import Nodes
from alray.ray_executor.session import RaySession
from alray.settings.common import ExecutionSpec
from alray.studies.events import Failure, Notice
from alray.studies.executor import Executor, JobT, ResultT

STALL_SECONDS = 60.0
"""How long nothing may run for want of a worker until a notice says so, and how often it is repeated."""


AnyExecutor = TypeVar("AnyExecutor", bound="RayExecutor[Any, Any]")


class RayExecutor(Executor[JobT, ResultT], Generic[JobT, ResultT]):
    """Runs jobs on this machine or on a running cluster; how a job gets to a node is a subclass's matter."""

    def __init__(self, pool: SharedArrays, execution: ExecutionSpec, runs: int = 1) -> None:
        """Run jobs by workers of so many at a time each."""
        self._execution = execution
        self._runs = runs
        self._session = RaySession(pool, execution, runs)
        self._nodes = Nodes()
        self._failures = NodeFailures()
        self._running_at = 0.0

    @override
    def __enter__(self: AnyExecutor) -> AnyExecutor:
        self._session.open()
        self._running_at = time.monotonic()
        return self

    @override
    def __exit__(self, *_: object) -> None:
        self._session.close()

    @override
    def hosts(self) -> frozenset[str]:
        self._session.update(self._nodes)
        return self._nodes.open()

    def _window(self, excluded: frozenset[str], workers: Counter[str]) -> int:
        """Return how many jobs may run at a time where no new one starts on some nodes, `workers` being there now."""
        capacity = self._nodes.capacity(excluded) * self._runs
        capacity += sum(workers[host] for host in excluded)
        return min(self._session.window(), max(1, capacity))

    def _take_loss(self, lost: Failure, others: int) -> Sequence[Failure | Notice]:
        """Record a loss, and have fewer workers on a node whose memory is not enough for those that it had.

        Returns the loss, `out_of_memory` only where the node runs other jobs, and what the user should know.
        """
        if lost.out_of_memory and others:
            self._nodes.limits[lost.host] = others
            most = "one job runs" if others == 1 else f"{others} jobs run"
            text = (
                f"{lost.host} has run out of memory: at most {most} there from now on; --memory-per-run GIB reserves "
                "memory for each"
            )
            return [lost, Notice(text)]
        message = self._failures.lost(lost.host, lost.job, lost.reason)
        counted = replace(lost, out_of_memory=False)
        return [counted, *([Notice(message)] if message else [])]

    def _session_notices(self) -> list[Notice]:
        """Return what the session has found out about the cluster."""
        return [Notice(text) for text in self._session.take_notices()]

    def _stalled(self, what: str, job: str) -> list[Notice]:
        """Return from time to time a notice, which begins with `what`, that nothing runs: a job may lack CPUs."""
        now = time.monotonic()
        if now - self._running_at < STALL_SECONDS:
            return []
        self._running_at = now
        self._use_other_nodes()
        free = free_resources().get("CPU", 0)
        needs = f"{free:g} CPUs are free, {job} needs {self._execution.cpus_per_run}; waiting"
        return [Notice(f"{what} for {STALL_SECONDS:.0f} s: {needs}")]

    def _use_other_nodes(self) -> None:
        """Allow the nodes that were avoided so far: nothing would start on the others."""
