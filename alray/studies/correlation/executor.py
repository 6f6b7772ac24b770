"""Who performs a correlation study's tasks, and the twin that does so in this process."""

import time
import traceback
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from typing_extensions import override

from alray.networks.tensors import PoolTensors
from alray.pools.pool import PreparedPool
from alray.settings.correlation import CorrelationSpec
from alray.studies.correlation.tasks import Record, Task, perform
from alray.studies.events import Failed, Lost, Notice, describe
from alray.studies.retries import HERE, NOWHERE


@dataclass(frozen=True)
class Performed:
    """A task has ended well.

    Attributes:
        task: Which.
        result: A base's content, or a row per fine-tune and dose.
        seconds: How long it took.
        host: Where.
    """

    task: Task
    result: bytes | Sequence[Record]
    seconds: float
    host: str


TaskEvent = Performed | Failed | Lost | Notice


@runtime_checkable
class TaskExecutor(Protocol):
    """Performs tasks on workers."""

    def __enter__(self) -> "TaskExecutor":
        """Start up."""

    def __exit__(self, *_: object) -> None:
        """Drop whatever is under way."""

    def hosts(self) -> frozenset[str]:
        """Return the hosts where workers are or can be."""

    def share(self, base: int, content: bytes) -> None:
        """Make a base available to all workers, once per node."""

    def free(self) -> int:
        """Return how many more tasks to hand over now."""

    def submit(self, task: Task, avoid: frozenset[str] = NOWHERE) -> None:
        """Hand over a task, to be performed elsewhere than on some hosts; a fine-tune's base has been shared before."""

    def wait(self, seconds: float) -> list[TaskEvent]:
        """Return what has happened, after at most about `seconds` if nothing has."""

    def verify(self) -> None:
        """Check that the shared pool is as it was.

        Raises:
            RuntimeError: Something wrote into it.
        """


class InlineTasks(TaskExecutor):
    """Performs one task after the other in this process; real tracebacks, no start-up."""

    def __init__(self, pool: PreparedPool, spec: CorrelationSpec) -> None:
        device = torch.device("cuda" if spec.execution.gpus_per_run else "cpu")
        self._pool = PoolTensors(pool, device)
        self._spec = spec
        self._checksum = 0
        self._bases: dict[int, bytes] = {}
        self._waiting: deque[Task] = deque()
        self._threads = torch.get_num_threads()

    @override
    def __enter__(self) -> "InlineTasks":
        self._checksum = self._pool.pool.checksum()
        return self

    @override
    def __exit__(self, *_: object) -> None:
        torch.set_num_threads(self._threads)

    @override
    def hosts(self) -> frozenset[str]:
        return frozenset([HERE])

    @override
    def share(self, base: int, content: bytes) -> None:
        self._bases[base] = content

    @override
    def free(self) -> int:
        return 1 - len(self._waiting)

    @override
    def submit(self, task: Task, avoid: frozenset[str] = NOWHERE) -> None:
        self._waiting.append(task)

    @override
    def wait(self, seconds: float) -> list[TaskEvent]:
        if not self._waiting:
            return []
        task = self._waiting.popleft()
        begin = time.perf_counter()
        try:
            result = perform(self._spec, self._pool, task, self._bases.get(task.base))
        except Exception as error:  # noqa: BLE001 -- the study goes on; the error is on record
            return [Failed(task.name, describe(error), traceback.format_exc(), HERE)]
        return [Performed(task, result, time.perf_counter() - begin, HERE)]

    @override
    def verify(self) -> None:
        self._pool.pool.verify(self._checksum)
