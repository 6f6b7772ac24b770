"""Fine-tunes as Ray tasks: the pool and each base once per node, a lost node costs its tasks only."""

import platform
import time
from typing import Any

import ray
import torch
from ray.exceptions import RayTaskError
from typing_extensions import override

from alray.correlation_executor import Performed, TaskEvent, TaskExecutor, verify
from alray.correlation_spec import CorrelationSpec
from alray.correlation_tasks import Task, perform
from alray.executor import Failed, Lost, Notice, describe
from alray.pool import PreparedPool
from alray.ray_executor.session import LOSSES, RaySession, reason
from alray.tensors import PoolTensors

IN_ADVANCE = 2
"""Tasks handed over per worker: one to perform, one to go on with at once."""

PATIENCE_SECONDS = 60.0
"""How long no task may end until people are told that there may be no room, and how often."""

VERIFY_SECONDS = 60.0
"""How often a worker checks that the shared pool is as it was."""

_verified: dict[int, float] = {}


def _perform(
    pool: PreparedPool,
    base: bytes | None,
    checksum: int,
    spec: CorrelationSpec,
    task: Task,
) -> Performed:
    begin = time.perf_counter()
    device = torch.device("cuda" if spec.execution.gpus_per_run else "cpu")
    result = perform(spec, PoolTensors(pool, device), task, base)
    if time.monotonic() - _verified.get(checksum, 0.0) >= VERIFY_SECONDS:
        verify(pool, checksum)
        _verified[checksum] = time.monotonic()
    return Performed(task, result, time.perf_counter() - begin, platform.node())


class RayTasks(TaskExecutor):
    """Performs tasks on this machine or on a running cluster."""

    def __init__(self, pool: PreparedPool, spec: CorrelationSpec) -> None:
        self._spec = spec
        self._session = RaySession(pool, spec.execution)
        self._bases: dict[int, Any] = {}
        self._under_way: dict[Any, Task] = {}
        self._function: Any = None
        self._heard = 0.0

    @override
    def __enter__(self) -> "RayTasks":
        self._session.open()
        execution = self._spec.execution
        # Not retried by Ray: the driver hands a lost task over again, counts that, and says so.
        options: dict[str, Any] = {
            "num_cpus": execution.cpus_per_run,
            "num_gpus": execution.gpus_per_run,
            "max_retries": 0,
        }
        self._function = ray.remote(**options)(_perform)
        self._heard = time.monotonic()
        return self

    @override
    def __exit__(self, *_: object) -> None:
        for reference in self._under_way:
            ray.cancel(reference, force=True)
        self._under_way.clear()
        self._bases.clear()
        self._session.close()

    @override
    def share(self, base: int, content: bytes) -> None:
        self._bases[base] = ray.put(content)

    @override
    def free(self) -> int:
        return max(0, IN_ADVANCE * self._session.window() - len(self._under_way))

    @override
    def submit(self, task: Task) -> None:
        reference = self._function.remote(
            self._session.pool,
            self._bases.get(task.base),
            self._session.checksum,
            self._spec,
            task,
        )
        self._under_way[reference] = task

    @override
    def wait(self, seconds: float) -> list[TaskEvent]:
        if not self._under_way:
            time.sleep(seconds)
            return []
        references = list(self._under_way)
        ready, _ = ray.wait(references, num_returns=1, timeout=seconds)
        if ready:
            ready, _ = ray.wait(references, num_returns=len(references), timeout=0)
        events = [self._hear(reference) for reference in ready]
        return events or self._stall()

    def _hear(self, reference: Any) -> TaskEvent:
        self._heard = time.monotonic()
        task = self._under_way.pop(reference)
        try:
            performed: Performed = ray.get(reference)
        except LOSSES as error:
            return Lost(task.name, reason(error))
        except RayTaskError as error:
            return Failed(task.name, describe(error.cause), str(error))
        return performed

    def _stall(self) -> list[TaskEvent]:
        """Say from time to time that nothing ends: the cluster may have no room."""
        if time.monotonic() - self._heard < PATIENCE_SECONDS:
            return []
        self._heard = time.monotonic()
        free: dict[str, float] = ray.available_resources()  # type: ignore[no-untyped-call]
        return [
            Notice(
                f"no task has ended for {PATIENCE_SECONDS:.0f} s; {free.get('CPU', 0):g} CPUs are free, a task needs "
                f"{self._spec.execution.cpus_per_run}; waiting"
            )
        ]

    @override
    def verify(self) -> None:
        verify(ray.get(self._session.pool), self._session.checksum)
