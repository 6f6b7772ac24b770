"""A worker of a correlation study: performs one task at a time."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from alray.custom.code import NO_CODE, CustomCode, custom_model
from alray.custom.finding import prepare_worker, require_same_code
from alray.networks.products import use_products
from alray.networks.tensors import ArrayTensors, PoolTensors
from alray.pools.pool import PreparedPool
from alray.settings.correlation import CorrelationSpec
from alray.studies.correlation.tasks import Record, Task, perform
from alray.studies.devices import precision, take_device


@dataclass(frozen=True)
class Performed:
    """A task has ended well; its result is a base's content, or a row per fine-tune and dose."""

    task: Task
    result: bytes | Sequence[Record]
    seconds: float
    host: str

    @property
    def job(self) -> str:
        """The task's name."""
        return self.task.name

    @property
    def done(self) -> Literal[True]:
        """A task has one result."""
        return True


class TaskWorker:
    """Performs one task at a time on a pool: the same code in this process and in a Ray task.

    `checksum` is the pool's, as it was shared; every number of `spec` is filled in; `code` is the driver's, where this
    is another process.
    """

    def __init__(
        self,
        pool: PreparedPool,
        checksum: int,
        spec: CorrelationSpec,
        host: str,
        code: CustomCode = NO_CODE,
    ) -> None:
        prepare_worker(code)
        self._code = code
        torch.set_num_threads(spec.execution.cpus_per_run)
        use_products(spec.execution.products)
        self._pool = PoolTensors(pool, ArrayTensors(take_device(spec.execution)))
        self._checksum = checksum
        self._spec = spec
        self._host = host
        self._task: tuple[Task, bytes | None] | None = None

    def start(self, job: Task, start_from: bytes | None) -> None:
        """Take a task; `start_from` is the content of the base that it fine-tunes, None to train one."""
        network = custom_model(self._spec.model.name)
        if network is not None:
            require_same_code(self._code, network)
        self._task = job, start_from

    def advance(self) -> Performed:
        """Perform the task."""
        if self._task is None:
            raise RuntimeError("the worker has no task")
        (task, base), self._task = self._task, None
        begin = time.perf_counter()
        with precision(self._spec.execution):
            result = perform(self._spec, self._pool, task, base)
        return Performed(task, result, time.perf_counter() - begin, self._host)

    def final_report(self) -> None:
        """Return nothing: half a task is of no use."""

    def close(self) -> None:
        """Check that the shared pool is as it was.

        Raises:
            RuntimeError: Something wrote into it.
        """
        self._pool.pool.verify(self._checksum)


def make_task_worker(
    spec: CorrelationSpec, code: CustomCode, pool: PreparedPool, checksum: int
) -> TaskWorker:
    """Return a worker of another process, whose host the driver's executor knows."""
    return TaskWorker(pool, checksum, spec, "", code)
