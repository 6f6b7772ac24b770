"""Fine-tunes as Ray tasks: the pool and each base once per node, a lost node costs its tasks only."""

import inspect
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ray
import torch
from ray.exceptions import OutOfMemoryError, RayTaskError
from typing_extensions import override

from alray.networks.tensors import PoolTensors
from alray.pools.pool import PreparedPool
from alray.ray_executor.hangs import Hang, HangDetector, HangLimits
from alray.ray_executor.liveness import free_resources
from alray.ray_executor.node_failures import NodeFailures
from alray.ray_executor.nodes import Nodes
from alray.ray_executor.replies import how, note_loss
from alray.ray_executor.session import LOSSES, RaySession
from alray.settings.correlation import CorrelationSpec
from alray.studies.correlation.executor import Performed, TaskEvent, TaskExecutor
from alray.studies.correlation.tasks import FineTune, Task, TrainBase, perform
from alray.studies.events import Failed, Lost, Notice, describe
from alray.studies.retries import NOWHERE

IN_ADVANCE = 2
"""Tasks handed over per worker: one to perform, one to go on with at once."""

STALL_SECONDS = 60.0
"""How long no task may end until people are told that there may be no room, and how often."""

HANG_LIMITS = HangLimits()
"""How long a task may take beside others of its kind."""

VERIFY_SECONDS = 60.0
"""How often a worker checks that the shared pool is as it was."""

_verified: dict[int, float] = {}


def _perform(
    pool: PreparedPool,
    base: bytes | None,
    checksum: int,
    spec: CorrelationSpec,
    task: Task,
) -> Iterator[str | Performed]:
    """Say at once on which node this is, so that a death here can be put down to it; then perform the task."""
    yield ray.get_runtime_context().get_node_id()
    begin = time.perf_counter()
    device = torch.device("cuda" if spec.execution.gpus_per_run else "cpu")
    result = perform(spec, PoolTensors(pool, device), task, base)
    if time.monotonic() - _verified.get(checksum, 0.0) >= VERIFY_SECONDS:
        pool.verify(checksum)
        _verified[checksum] = time.monotonic()
    yield Performed(task, result, time.perf_counter() - begin, "")


@dataclass
class _UnderWay:
    """A task that was handed over.

    Attributes:
        task: The task.
        avoid: Nodes that it was kept from.
        host: Where it has started; "" as long as it has not.
    """

    task: Task
    avoid: frozenset[str]
    host: str = ""


class RayTasks(TaskExecutor):
    """Performs tasks on this machine or on a running cluster."""

    def __init__(self, pool: PreparedPool, spec: CorrelationSpec) -> None:
        self._spec = spec
        self._session = RaySession(pool, spec.execution)
        self._nodes = Nodes()
        self._record = NodeFailures()
        self._bases: dict[int, Any] = {}
        self._under_way: dict[Any, _UnderWay] = {}
        # A warm start says nothing about how long a fine-tune takes.
        self._silences = {
            kind: HangDetector(HANG_LIMITS, alike=True) for kind in (TrainBase, FineTune)
        }
        self._function: Any = None
        self._heard = 0.0

    @override
    def __enter__(self) -> "RayTasks":
        self._session.open()
        # Not retried by Ray: the driver hands a lost task over again, counts that, and says so.
        options = {**self._session.worker_options(), "max_retries": 0}
        # Unwrapped: Ray must see that it is a generator, also where a type checker for tests has wrapped it.
        self._function = ray.remote(**options, num_returns="streaming")(inspect.unwrap(_perform))
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
    def hosts(self) -> frozenset[str]:
        self._session.look(self._nodes)
        return self._nodes.open()

    @override
    def share(self, base: int, content: bytes) -> None:
        self._bases[base] = ray.put(content)

    @override
    def free(self) -> int:
        self._session.look(self._nodes)
        self._nodes.quarantined = self._record.quarantined
        capacity = self._nodes.capacity(self._nodes.excluded(NOWHERE, Counter()))
        window = min(self._session.window(), max(1, capacity))
        # A task in advance starts wherever a CPU is free, also where memory does not do for one more.
        in_advance = 1 if self._nodes.limits else IN_ADVANCE
        return max(0, in_advance * window - len(self._under_way))

    def _tasks_on_nodes(self) -> Counter[str]:
        """Return how many tasks each node has, or may have as soon as those that wait have started."""
        names = self._nodes.names()
        return Counter(
            host
            for each in self._under_way.values()
            for host in ([each.host] if each.host else names - each.avoid)
        )

    @override
    def submit(self, task: Task, avoid: frozenset[str] = NOWHERE) -> None:
        excluded = self._nodes.excluded(avoid, self._tasks_on_nodes())
        kept_from = self._nodes.kept_from(excluded)
        function = self._function.options(**kept_from) if kept_from else self._function
        reference = function.remote(
            self._session.pool,
            self._bases.get(task.base),
            self._session.checksum,
            self._spec,
            task,
        )
        self._under_way[reference] = _UnderWay(task, excluded)

    @override
    def wait(self, seconds: float) -> list[TaskEvent]:
        if not self._under_way:
            time.sleep(seconds)
            return []
        references = list(self._under_way)
        ready, _ = ray.wait(references, num_returns=1, timeout=seconds)
        if ready:
            ready, _ = ray.wait(references, num_returns=len(references), timeout=0)
        events = [event for reference in ready for event in self._hear(reference)]
        return [*(events or self._stall()), *self._handle_hangs()]

    def _hear(self, reference: Any) -> list[TaskEvent]:
        """Take a task's next answer: first where it is, then what has come of it."""
        self._heard = time.monotonic()
        under_way = self._under_way[reference]
        name, silence = under_way.task.name, self._silences[type(under_way.task)]
        try:
            answer: str | Performed = ray.get(next(reference))
        except LOSSES as error:
            under_way.host = under_way.host or self._nodes.named_in(str(error))
            out_of_memory = isinstance(error, OutOfMemoryError)
            return [*self._lose(reference, how(error), out_of_memory=out_of_memory)]
        except RayTaskError as error:
            self._forget(reference)
            return [Failed(name, describe(error.cause), str(error), under_way.host)]
        if isinstance(answer, str):
            if not self._nodes.fits(answer):
                # It has waited for room, and found it on a node that nobody has looked at yet.
                self._hand_over_anew(reference, under_way.avoid)
                return []
            under_way.host = self._nodes.name(answer)
            silence.started(name, self._heard)
            return []
        silence.heard(name, self._heard)
        self._forget(reference)
        self._record.finished(under_way.host)
        return [replace(answer, host=under_way.host)]

    def _forget(self, reference: Any) -> _UnderWay:
        """Expect nothing more of a task."""
        under_way = self._under_way.pop(reference)
        self._silences[type(under_way.task)].ended(under_way.task.name)
        return under_way

    def _lose(
        self, reference: Any, reason: str, *, out_of_memory: bool = False
    ) -> Sequence[Lost | Notice]:
        under_way = self._forget(reference)
        lost = Lost(under_way.task.name, reason, under_way.host, out_of_memory=out_of_memory)
        others = sum(each.host == lost.host for each in self._under_way.values())
        return note_loss(lost, others, self._nodes, self._record)

    def _handle_hangs(self) -> list[TaskEvent]:
        """Name tasks that have been silent for too long, and give up those without hope."""
        events: list[TaskEvent] = []
        for silent in self._too_long():
            reference, under_way = next(
                (each, one) for each, one in self._under_way.items() if one.task.name == silent.job
            )
            events.append(Notice(silent.told(under_way.host)))
            if silent.give_up:
                ray.cancel(reference, force=True)
                events += self._lose(reference, silent.reason())
        return events

    def _too_long(self) -> list[Hang]:
        now = time.monotonic()
        return [silent for each in self._silences.values() for silent in each.too_long(now)]

    def _stall(self) -> list[TaskEvent]:
        """Say what the session has found, and from time to time that nothing ends: the cluster may have no room."""
        found = [Notice(text) for text in self._session.take_notices()]
        if time.monotonic() - self._heard < STALL_SECONDS:
            return [*found]
        self._heard = time.monotonic()
        self._relent()
        free = free_resources().get("CPU", 0)
        return [
            *found,
            Notice(
                f"no task has ended for {STALL_SECONDS:.0f} s; {free:g} CPUs are free, a task needs "
                f"{self._spec.execution.cpus_per_run}; waiting"
            ),
        ]

    def _relent(self) -> None:
        """Hand over anew, for any node, the tasks that would not start where they were wished to."""
        waiting = {
            reference: under_way
            for reference, under_way in self._under_way.items()
            if under_way.avoid and not under_way.host
        }
        for reference, under_way in waiting.items():
            self._nodes.starved |= self._nodes.names() - under_way.avoid
            self._hand_over_anew(reference, NOWHERE)

    def _hand_over_anew(self, reference: Any, avoid: frozenset[str]) -> None:
        ray.cancel(reference, force=True)
        self.submit(self._forget(reference).task, avoid)

    @override
    def verify(self) -> None:
        ray.get(self._session.pool).verify(self._session.checksum)
