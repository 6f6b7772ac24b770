"""Tasks of a correlation study as Ray tasks: the pool and each base once per node, a lost node costs its tasks only."""

import inspect
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray.exceptions import RayTaskError
from typing_extensions import override

from alray.custom.code import NO_CODE, CustomCode
from alray.pools.pool import PreparedPool
from alray.ray_executor.base import RayExecutor
from alray.ray_executor.hangs import HangDetector, HangLimits
from alray.ray_executor.replies import LOSSES, failure, loss
from alray.settings.correlation import CorrelationSpec
from alray.studies.correlation.tasks import FineTune, Task, TrainBase
from alray.studies.correlation.worker import Performed, TaskWorker
from alray.studies.events import Failure, Notice
from alray.studies.retries import NOWHERE

IN_ADVANCE = 2
"""Tasks handed over per worker: one to perform, one to go on with at once."""

HANG_LIMITS = HangLimits()
"""How long a task may take beside others of its kind."""

VERIFY_SECONDS = 60.0
"""How often a worker checks that the shared pool is as it was."""

_verified: dict[int, float] = {}

Event = Performed | Failure | Notice


def _perform(
    pool: PreparedPool,
    base: bytes | None,
    checksum: int,
    spec: CorrelationSpec,
    code: CustomCode,
    task: Task,
) -> Iterator[str | Performed]:
    """Yield at once the node that this is, so that a death here can be traced to it; then perform the task."""
    yield ray.get_runtime_context().get_node_id()
    worker = TaskWorker(pool, checksum, spec, "", code)
    worker.start(task, base)
    performed = worker.advance()
    if time.monotonic() - _verified.get(checksum, 0.0) >= VERIFY_SECONDS:
        worker.close()
        _verified[checksum] = time.monotonic()
    yield performed


@dataclass
class _Submitted:
    """A task that was handed over with its base's content, kept from some nodes; its host is "" until it starts."""

    task: Task
    start_from: bytes | None
    avoid: frozenset[str]
    host: str = ""


class TaskExecutor(RayExecutor[Task, Performed]):
    """Performs tasks; Ray chooses the nodes."""

    def __init__(
        self, pool: PreparedPool, spec: CorrelationSpec, code: CustomCode = NO_CODE
    ) -> None:
        super().__init__(pool, spec.execution)
        self._code = code
        self._spec = spec
        self._bases: dict[int, Any] = {}
        self._submitted: dict[Any, _Submitted] = {}
        # How long a base takes to train says nothing about how long a fine-tune takes.
        self._hangs = {
            kind: HangDetector(HANG_LIMITS, alike=True) for kind in (TrainBase, FineTune)
        }
        self._function: Any = None

    @override
    def __enter__(self) -> "TaskExecutor":
        super().__enter__()
        # Not retried by Ray: the driver hands a lost task over again, counts that, and reports it.
        options = {**self._session.worker_options(), "max_retries": 0}
        # Unwrapped: Ray must see that it is a generator, also where a type checker for tests has wrapped it.
        self._function = ray.remote(**options, num_returns="streaming")(inspect.unwrap(_perform))
        return self

    @override
    def __exit__(self, *error: object) -> None:
        for reference in self._submitted:
            ray.cancel(reference, force=True)
        self._submitted.clear()
        self._bases.clear()
        try:
            if not any(error):
                ray.get(self._session.pool).verify(self._session.checksum)
        finally:
            super().__exit__(*error)

    @override
    def scale(self, jobs: int, avoid: frozenset[str] = NOWHERE) -> None:
        pass  # Ray starts the workers that its tasks need

    @override
    def idle(self) -> Sequence[str]:
        self._session.update(self._nodes)
        self._nodes.quarantined = self._failures.quarantined
        window = self._window(self._nodes.excluded(NOWHERE, Counter()), Counter())
        # A task in advance starts wherever a CPU is free, also where memory is not enough for one more.
        in_advance = 1 if self._nodes.limits else IN_ADVANCE
        return [""] * max(0, in_advance * window - len(self._submitted))

    def _tasks_on_nodes(self) -> Counter[str]:
        """Return how many tasks each node has, or may have as soon as those that wait have started."""
        names = self._nodes.names()
        return Counter(
            host
            for each in self._submitted.values()
            for host in ([each.host] if each.host else names - each.avoid)
        )

    @override
    def submit(
        self, job: Task, start_from: bytes | None, host: str, avoid: frozenset[str] = NOWHERE
    ) -> None:
        excluded = self._nodes.excluded(avoid, self._tasks_on_nodes())
        kept_from = self._nodes.kept_from(excluded)
        function = self._function.options(**kept_from) if kept_from else self._function
        if start_from is not None and job.base not in self._bases:
            self._bases[job.base] = ray.put(start_from)
        reference = function.remote(
            self._session.pool,
            None if start_from is None else self._bases[job.base],
            self._session.checksum,
            self._spec,
            self._code,
            job,
        )
        self._submitted[reference] = _Submitted(job, start_from, excluded)

    @override
    def wait(self, seconds: float) -> list[Event]:
        if not self._submitted:
            time.sleep(seconds)
            return []
        references = list(self._submitted)
        ready, _ = ray.wait(references, num_returns=1, timeout=seconds)
        if ready:
            ready, _ = ray.wait(references, num_returns=len(references), timeout=0)
            self._running_at = time.monotonic()
        events = [event for reference in ready for event in self._take_reply(reference)]
        if not events:
            events = [*self._session_notices(), *self._stalled("no task has ended", "a task")]
        return [*events, *self._handle_hangs()]

    def _take_reply(self, reference: Any) -> list[Event]:
        """Take a task's next reply: first where it is, then what it has yielded."""
        submitted = self._submitted[reference]
        name, hangs = submitted.task.name, self._hangs[type(submitted.task)]
        try:
            reply: str | Performed = ray.get(next(reference))
        except LOSSES as error:
            submitted.host = submitted.host or self._nodes.named_in(str(error))
            return [*self._lose(reference, loss(error, name, submitted.host))]
        except RayTaskError as error:
            self._forget(reference)
            return [failure(error, name, submitted.host)]
        if isinstance(reply, str):
            if not self._nodes.fits(reply):
                # It has waited for capacity, and found it on a node that was not checked yet.
                self._submit_again(reference, submitted.avoid)
                return []
            submitted.host = self._nodes.name(reply)
            hangs.started(name, self._running_at)
            return []
        hangs.reported(name, self._running_at)
        self._forget(reference)
        self._failures.finished(submitted.host)
        return [replace(reply, host=submitted.host)]

    def _forget(self, reference: Any) -> _Submitted:
        """Expect nothing more of a task."""
        submitted = self._submitted.pop(reference)
        self._hangs[type(submitted.task)].ended(submitted.task.name)
        return submitted

    def _lose(self, reference: Any, lost: Failure) -> Sequence[Failure | Notice]:
        self._forget(reference)
        others = sum(each.host == lost.host for each in self._submitted.values())
        return self._take_loss(lost, others)

    def _handle_hangs(self) -> list[Event]:
        """Name tasks that hang, and give up those that have hung for too long."""
        events: list[Event] = []
        now = time.monotonic()
        for hang in [hang for each in self._hangs.values() for hang in each.due(now)]:
            reference, submitted = next(
                (each, one) for each, one in self._submitted.items() if one.task.name == hang.job
            )
            events.append(Notice(hang.message(submitted.host)))
            if hang.give_up:
                ray.cancel(reference, force=True)
                events += self._lose(reference, Failure(hang.job, hang.reason(), submitted.host))
        return events

    @override
    def _use_other_nodes(self) -> None:
        """Hand over anew, for any node, the tasks that would not start where they should."""
        waiting = {
            reference: submitted
            for reference, submitted in self._submitted.items()
            if submitted.avoid and not submitted.host
        }
        for reference, submitted in waiting.items():
            self._nodes.starved |= self._nodes.names() - submitted.avoid
            self._submit_again(reference, NOWHERE)

    def _submit_again(self, reference: Any, avoid: frozenset[str]) -> None:
        ray.cancel(reference, force=True)
        submitted = self._forget(reference)
        self.submit(submitted.task, submitted.start_from, "", avoid)

    @override
    def interrupt(self) -> list[Event]:
        return []
