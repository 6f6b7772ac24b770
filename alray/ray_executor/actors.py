"""The Ray side: the pool once per node in the object store, actors that each play one run at a time, lost workers."""

import logging
import math
import os
import platform
import re
import socket
import time
from typing import Any

import ray
from ray.exceptions import (
    ActorDiedError,
    ActorUnavailableError,
    GetTimeoutError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    RayTaskError,
    WorkerCrashedError,
)
from typing_extensions import override

from alray.errors import ClusterError
from alray.executor import Event, Executor, Failed, Job, Lost, Notice, Progress, Worker, describe
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

ANSWER_SECONDS = 10.0
"""How long to wait for a cluster's address to answer at all; Ray itself would try for minutes."""

PATIENCE_SECONDS = 60.0
"""How long nothing may play for want of a worker until people are told, and how often they are told again."""


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
        self._failed_starts = 0
        self._notices: list[Notice] = []
        self._stalled_since = 0.0

    @override
    def __enter__(self) -> "RayExecutor":
        self._connect()
        try:
            check_object_stores(self._pool.nbytes)
            # The one copy of the pool that a node holds: every actor maps NumPy arrays, it would copy tensors.
            self._checksum = self._pool.checksum()
            self._pool_reference = ray.put(self._pool)
        except BaseException:
            self._disconnect()
            raise
        self._stalled_since = time.monotonic()
        return self

    @override
    def __exit__(self, *_: object) -> None:
        self._starting.clear()
        self._idle.clear()
        self._playing.clear()
        self._pool_reference = None
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connected_here:
            ray.shutdown()
            self._connected_here = False

    def _connect(self) -> None:
        if ray.is_initialized():
            return
        address = self._execution.address
        _require_answer(address)
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
        except (RayError, RuntimeError, ValueError, OSError) as error:
            what = f"join the Ray cluster at {address!r}" if address else "start a local Ray"
            raise ClusterError(
                f"cannot {what}: {describe(error)}; --executor inline needs no Ray"
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
        cpus, gpus = self._execution.cpus_per_run, self._execution.gpus_per_run
        nodes = [
            (node["Resources"].get("CPU", 0.0), node["Resources"].get("GPU", 0.0))
            for node in _alive_nodes()
        ]
        fit = sum(
            int(min(node_cpus / cpus, node_gpus / gpus if gpus else math.inf))
            for node_cpus, node_gpus in nodes
        )
        if fit == 0:
            have = ", ".join(sorted({f"{cpu:g} and {gpu:g}" for cpu, gpu in nodes}))
            raise ClusterError(
                f"no node can hold a run of {cpus} CPUs and {gpus:g} GPUs: the nodes have {have}; "
                "lower --cpus-per-run or --gpus-per-run"
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
                # A node may die under a starting worker; an error in every start is the environment's.
                self._failed_starts += 1
                if self._failed_starts >= self._execution.attempts:
                    raise ClusterError(
                        f"{self._failed_starts} workers in a row could not start: {_reason(error)}"
                    ) from error
                self._notices.append(Notice(f"a worker could not start: {_reason(error)}"))
                continue
            self._failed_starts = 0
            self._idle.append(actor)

    @override
    def submit(self, job: Job) -> None:
        actor = self._idle.pop()
        self._playing[actor.play.remote(job)] = (actor, job)

    @override
    def wait(self, seconds: float) -> list[Event]:
        references = [*self._playing, *self._starting]
        if references:
            ray.wait(references, num_returns=1, timeout=seconds)
        else:
            time.sleep(seconds)
        events: list[Event] = [*self._notices, *self._stall()]
        self._notices.clear()
        if self._playing:
            ready, _ = ray.wait(list(self._playing), num_returns=len(self._playing), timeout=0)
            events += [self._hear(reference) for reference in ready]
        return events

    def _stall(self) -> list[Event]:
        """Say from time to time that nothing plays because the cluster has no room."""
        now = time.monotonic()
        if self._playing or self._idle:
            self._stalled_since = now
        if now - self._stalled_since < PATIENCE_SECONDS:
            return []
        self._stalled_since = now
        free: dict[str, float] = ray.available_resources()  # type: ignore[no-untyped-call]
        return [
            Notice(
                f"no worker could start for {PATIENCE_SECONDS:.0f} s: {free.get('CPU', 0):g} CPUs are free, a run "
                f"needs {self._execution.cpus_per_run}; waiting"
            )
        ]

    def _hear(self, reference: Any) -> Event:
        """Turn an actor's answer into an event, and let it play on without waiting for the driver."""
        actor, job = self._playing.pop(reference)
        event = _answer(reference, job)
        if isinstance(event, Progress) and not event.done:
            self._playing[actor.play_on.remote()] = (actor, job)
        elif not isinstance(event, Lost):
            self._idle.append(actor)
        return event

    @override
    def interrupt(self) -> list[Event]:
        """Hear each job's rounds under way, then the state after them.

        A worker that has died or takes too long is left behind: its run goes on from its last checkpoint next time.
        """
        answers = [
            (reference, actor.last_words.remote(), job)
            for reference, (actor, job) in self._playing.items()
        ]
        references = [reference for *pair, _ in answers for reference in pair]
        ray.wait(references, num_returns=len(references), timeout=LAST_WORDS_SECONDS)
        events: list[Event] = []
        for under_way, last_words, job in answers:
            event = _answer(under_way, job, timeout=0)
            events.append(event)
            if isinstance(event, Progress) and not event.done:
                events.append(_answer(last_words, job, timeout=0))
        self._playing.clear()
        return [event for event in events if not isinstance(event, Lost)]


def _answer(reference: Any, job: Job, timeout: float | None = None) -> Progress | Failed | Lost:
    """Turn what an actor has answered into an event."""
    try:
        progress: Progress = ray.get(reference, timeout=timeout)
    except LOSSES as error:
        return Lost(job.name, _reason(error))
    except GetTimeoutError:
        return Lost(job.name, "it did not answer in time")
    except RayTaskError as error:
        return Failed(job.name, describe(error.cause), str(error))
    return progress


def check_object_stores(pool_bytes: int) -> None:
    """Refuse a cluster on which the pool does not fit: Ray would move it to disk without saying so.

    Raises:
        ClusterError: Names the node and both sizes.
    """
    needed = STORE_ROOM * pool_bytes
    for node in _alive_nodes():
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


def _alive_nodes() -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return [node for node in nodes if node["Alive"]]


def _require_answer(address: str | None) -> None:
    """Refuse an address behind which nothing listens.

    Raises:
        ClusterError: Nothing answers within `ANSWER_SECONDS`.
    """
    place = re.fullmatch(r"(?:ray://)?\[?([^/\s]+?)\]?:(\d+)", address or "")
    if place is None:  # `auto` and the like: Ray knows
        return
    try:
        socket.create_connection((place[1], int(place[2])), timeout=ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"no Ray cluster answers at {address!r}: {error}; --executor inline needs no Ray"
        ) from error


def _reason(error: BaseException) -> str:
    """Return the line of Ray's report that says why: how a process ended, or a traceback's last line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    ends = [line for line in lines if line.startswith("The actor is dead")]
    line = (ends or lines or [type(error).__name__])[-1]
    return line.partition(" Some common causes")[0]
