"""The Ray side: the pool once per node in the object store, actors that each play one run at a time, lost workers."""

import contextlib
import logging
import os
import platform
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import ray
from ray.exceptions import (
    ActorDiedError,
    ActorUnavailableError,
    GetTimeoutError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayTaskError,
    WorkerCrashedError,
)
from typing_extensions import override

from alray.errors import ClusterError
from alray.executor import Event, Executor, Failed, Job, Lost, Progress, Worker
from alray.pool import PreparedPool
from alray.spec import ExecutionSpec

LOSSES = (
    RayActorError,
    ActorDiedError,
    ActorUnavailableError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    WorkerCrashedError,
)
STORE_ROOM = 1.5
"""The object store must hold this many times the pool: a full one would spill to disk without a word."""

LAST_WORDS_SECONDS = 60.0
"""How long to wait after Ctrl-C for the rounds in progress to end."""


class _PlayerActor:
    """A worker in an actor: holds one model replica, and plays one run after the other."""

    def __init__(self, pool: PreparedPool, checksum: int, execution: ExecutionSpec) -> None:
        self._worker = Worker(pool, checksum, execution, platform.node())

    def ready(self) -> bool:
        """Answer once the actor is up."""
        return True

    def play(self, job: Job) -> Progress:
        """Take a job and play its first rounds."""
        self._worker.start(job)
        return self._worker.advance()

    def play_on(self) -> Progress:
        """Play the next rounds of the job in progress."""
        return self._worker.advance()

    def last_words(self) -> Progress:
        """Report what was not reported yet, with a state."""
        return self._worker.report(with_state=True)


class RayExecutor(Executor):
    """Plays jobs on Ray actors, on this machine or on a running cluster."""

    def __init__(self, pool: PreparedPool, execution: ExecutionSpec) -> None:
        self._pool = pool
        self._execution = execution
        self._connected_here = False
        self._pool_reference: Any = None
        self._checksum = 0
        self._starting: dict[Any, Any] = {}
        self._idle: list[Any] = []
        self._playing: dict[Any, tuple[Any, Job]] = {}

    @override
    def __enter__(self) -> Self:
        self._connect()
        check_object_stores(self._pool.nbytes)
        # The one copy of the pool that a node holds. NumPy arrays are mapped by every actor; tensors would be copied.
        self._checksum = self._pool.checksum()
        self._pool_reference = ray.put(self._pool)
        return self

    @override
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._starting.clear()
        self._idle.clear()
        self._playing.clear()
        self._pool_reference = None
        if self._connected_here:
            ray.shutdown()

    def _connect(self) -> None:
        if ray.is_initialized():
            return
        address = self._execution.address
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Without it, `uv run` would make Ray rebuild the environment in every worker.
        os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
        try:
            if address is None:
                ray.init(
                    address="local",
                    include_dashboard=False,
                    object_store_memory=_local_store(self._pool.nbytes),
                    **options,
                )
            else:
                ray.init(address=address, **options)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            where = f"the Ray cluster at {address!r}" if address else "a local Ray"
            raise ClusterError(
                f"cannot reach {where}: {str(error).splitlines()[0]}; --executor inline needs no Ray"
            ) from error
        self._connected_here = True

    @override
    def scale(self, jobs: int) -> None:
        self._greet_started()
        wanted = max(0, min(jobs, self._window() - len(self._playing)))
        while len(self._idle) + len(self._starting) < wanted:
            actor = self._new_actor()
            self._starting[actor.ready.remote()] = actor
        # An actor holds its CPU while its handle lives, so one that will have nothing to do is dropped at once.
        while len(self._idle) + len(self._starting) > wanted:
            if self._starting:
                self._starting.popitem()
            else:
                self._idle.pop()

    @override
    def idle(self) -> int:
        return len(self._idle)

    def _window(self) -> int:
        """Return how many runs may play at a time; a cluster that grows is noticed."""
        resources: Mapping[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        fit = int(resources.get("CPU", 0) // self._execution.cpus_per_run)
        if self._execution.gpus_per_run:
            fit = min(fit, int(resources.get("GPU", 0) / self._execution.gpus_per_run))
        if fit == 0:
            raise ClusterError(
                f"no node can hold a run of {self._execution.cpus_per_run} CPUs and "
                f"{self._execution.gpus_per_run:g} GPUs: the cluster has {resources.get('CPU', 0):g} CPUs and "
                f"{resources.get('GPU', 0):g} GPUs; lower --cpus-per-run or --gpus-per-run"
            )
        return min(fit, self._execution.parallel or fit)

    def _new_actor(self) -> Any:
        options: dict[str, Any] = {
            "num_cpus": self._execution.cpus_per_run,
            "num_gpus": self._execution.gpus_per_run,
            "max_restarts": 0,
        }
        actor_class: Any = ray.remote(**options)(_PlayerActor)
        return actor_class.remote(self._pool_reference, self._checksum, self._execution)

    def _greet_started(self) -> None:
        if not self._starting:
            return
        ready, _ = ray.wait(list(self._starting), num_returns=len(self._starting), timeout=0)
        for reference in ready:
            actor = self._starting.pop(reference)
            try:
                ray.get(reference)
            except LOSSES as error:
                raise ClusterError(f"a worker could not start: {_first_line(error)}") from error
            self._idle.append(actor)

    @override
    def submit(self, job: Job) -> None:
        actor = self._idle.pop()
        self._playing[actor.play.remote(job)] = (actor, job)

    @override
    def wait(self, seconds: float) -> list[Event]:
        references = [*self._playing, *self._starting]
        if not references:
            time.sleep(seconds)
            return []
        ray.wait(references, num_returns=1, timeout=seconds)
        if not self._playing:
            return []
        ready, _ = ray.wait(list(self._playing), num_returns=len(self._playing), timeout=0)
        return [self._hear(reference) for reference in ready]

    def _hear(self, reference: Any) -> Event:
        """Turn an actor's answer into an event, and let it play on without waiting for the driver."""
        actor, job = self._playing.pop(reference)
        try:
            progress: Progress = ray.get(reference)
        except LOSSES as error:
            return Lost(job.name, _first_line(error))
        except RayTaskError as error:
            self._idle.append(actor)
            cause = error.cause
            line = f"{type(cause).__name__}: {cause}".splitlines()[0]
            return Failed(job.name, line, str(error))
        if progress.done:
            self._idle.append(actor)
        else:
            self._playing[actor.play_on.remote()] = (actor, job)
        return progress

    @override
    def interrupt(self) -> list[Event]:
        last = {actor.last_words.remote(): job for actor, job in self._playing.values()}
        # The rounds under way when the wish to stop came are reported first, then the state after them.
        answers = [*self._playing, *last]
        ray.wait(answers, num_returns=len(answers), timeout=LAST_WORDS_SECONDS)
        events: list[Event] = []
        ended: set[str] = set()
        for reference in answers:
            with contextlib.suppress(*LOSSES, RayTaskError, GetTimeoutError):
                progress: Progress = ray.get(reference, timeout=0)
                if progress.job not in ended:
                    events.append(progress)
                if progress.done:
                    ended.add(progress.job)
        self._playing.clear()
        return events


def check_object_stores(pool_bytes: int) -> None:
    """Refuse a cluster on which the pool does not fit: Ray would move it to disk without saying so.

    Raises:
        ClusterError: Names the node and both sizes.
    """
    needed = STORE_ROOM * pool_bytes
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    for node in nodes:
        if not node["Alive"]:
            continue
        room = node["Resources"].get("object_store_memory", 0.0)
        if room < needed:
            raise ClusterError(
                f"node {node['NodeManagerHostname']}: its object store has {_size(room)}, the pool needs "
                f"{_size(needed)} ({STORE_ROOM:g} times its size); start Ray with a larger --object-store-memory (in a "
                f"container also --shm-size), or set pool.dtype: float16"
            )


def _local_store(pool_bytes: int) -> int:
    """Return the size of a local object store: enough for the pool and what runs report."""
    return int(STORE_ROOM * pool_bytes) + 256 * 2**20


def _size(count: float) -> str:
    return f"{count / 2**30:.2f} GiB"


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
