"""Jobs of seconds as Ray tasks: what they share lies once per node, and a lost node costs its tasks only."""

import inspect
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import ray
from ray.exceptions import RayTaskError
from typing_extensions import override

from alray.pools.pool import SharedArrays
from alray.ray_executor.base import RayExecutor
from alray.ray_executor.hangs import HangDetector, HangLimits
from alray.ray_executor.replies import LOSSES, failure, loss
from alray.settings.common import ExecutionSpec
from alray.studies.events import Failure, Notice
from alray.studies.executor import JobT, NamedJob
from alray.studies.inline import Worker
from alray.studies.retries import NOWHERE

IN_ADVANCE = 2
"""Tasks handed over per worker: one to perform, one to go on with at once."""

HANG_LIMITS = HangLimits()
"""How long a task may take beside others of its kind."""

VERIFY_SECONDS = 60.0
"""How often a worker checks that the shared pool is as it was."""

_verified: dict[int, float] = {}


@runtime_checkable
class Placed(Protocol):
    """The one result of a task: a dataclass with the host that it comes from."""

    @property
    def host(self) -> str:
        """Where it was performed, "" where only the executor knows."""

    @property
    def job(self) -> str:
        """The job's name."""

    @property
    def done(self) -> bool:
        """True."""


PlacedT = TypeVar("PlacedT", bound=Placed)

MakeWorker = Callable[[Any, int], Worker[JobT, PlacedT]]
"""Takes what tasks share and its checksum; returns a worker for one job. It is sent to other processes."""


def _perform(
    shared: SharedArrays,
    start_from: bytes | None,
    checksum: int,
    make_worker: MakeWorker[Any, Any],
    job: NamedJob,
) -> Iterator[Any]:
    """Yield at once the node that this is, so that a death here can be traced to it; then the result of the job."""
    yield ray.get_runtime_context().get_node_id()
    worker = make_worker(shared, checksum)
    worker.start(job, start_from)
    result = worker.advance()
    if time.monotonic() - _verified.get(checksum, 0.0) >= VERIFY_SECONDS:
        worker.close()
        _verified[checksum] = time.monotonic()
    yield result


@dataclass
class _Submitted(Generic[JobT]):
    """A job that was handed over with what it starts from, kept from some nodes; its host is "" until it starts."""

    task: JobT
    start_from: bytes | None
    avoid: frozenset[str]
    host: str = ""


class TaskExecutor(RayExecutor[JobT, PlacedT], Generic[JobT, PlacedT]):
    """Performs jobs, each by a worker of its own; Ray chooses the nodes."""

    def __init__(
        self,
        shared: SharedArrays,
        execution: ExecutionSpec,
        make_worker: MakeWorker[JobT, PlacedT],
    ) -> None:
        super().__init__(shared, execution)
        self._make_worker = make_worker
        # What jobs start from, by its content: the same base is that of many.
        self._starts: dict[bytes, Any] = {}
        self._submitted: dict[Any, _Submitted[JobT]] = {}
        # How long a job of one kind takes says nothing about how long one of another takes.
        self._hangs: defaultdict[type, HangDetector] = defaultdict(
            lambda: HangDetector(HANG_LIMITS, alike=True)
        )
        self._function: Any = None

    @override
    def __enter__(self) -> "TaskExecutor[JobT, PlacedT]":
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
        self._starts.clear()
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
        self, job: JobT, start_from: bytes | None, host: str, avoid: frozenset[str] = NOWHERE
    ) -> None:
        excluded = self._nodes.excluded(avoid, self._tasks_on_nodes())
        kept_from = self._nodes.kept_from(excluded)
        function = self._function.options(**kept_from) if kept_from else self._function
        if start_from is not None and start_from not in self._starts:
            self._starts[start_from] = ray.put(start_from)
        reference = function.remote(
            self._session.pool,
            None if start_from is None else self._starts[start_from],
            self._session.checksum,
            self._make_worker,
            job,
        )
        self._submitted[reference] = _Submitted(job, start_from, excluded)

    @override
    def wait(self, seconds: float) -> list[PlacedT | Failure | Notice]:
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

    def _take_reply(self, reference: Any) -> list[PlacedT | Failure | Notice]:
        """Take a task's next reply: first where it is, then what it has yielded."""
        submitted = self._submitted[reference]
        name, hangs = submitted.task.name, self._hangs[type(submitted.task)]
        try:
            reply: str | PlacedT = ray.get(next(reference))
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
        placed: Any = reply
        return [replace(placed, host=submitted.host)]

    def _forget(self, reference: Any) -> _Submitted[JobT]:
        """Expect nothing more of a task."""
        submitted = self._submitted.pop(reference)
        self._hangs[type(submitted.task)].ended(submitted.task.name)
        return submitted

    def _lose(self, reference: Any, lost: Failure) -> Sequence[Failure | Notice]:
        self._forget(reference)
        others = sum(each.host == lost.host for each in self._submitted.values())
        return self._take_loss(lost, others)

    def _handle_hangs(self) -> list[Failure | Notice]:
        """Name tasks that hang, and give up those that have hung for too long."""
        events: list[Failure | Notice] = []
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
    def interrupt(self) -> list[PlacedT | Failure | Notice]:
        return []
