"""Runs on Ray actors: each holds one model replica and plays one run at a time; lost workers."""

import platform
import time
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayTaskError
from typing_extensions import override

from alray.errors import ClusterError
from alray.executor import Event, Executor, Failed, Job, Lost, Notice, Progress, Worker, describe
from alray.pool import PreparedPool
from alray.ray_executor.session import LOSSES, RaySession, reason
from alray.spec import ExecutionSpec

LAST_WORDS_SECONDS = 60.0
"""How long to wait after Ctrl-C for the rounds in progress to end."""

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
        self._execution = execution
        self._session = RaySession(pool, execution)
        self._starting: dict[Any, Any] = {}
        self._idle: list[Any] = []
        # The job's name alone: its state, some megabytes, is the actor's now.
        self._playing: dict[Any, tuple[Any, str]] = {}
        self._failed_starts = 0
        self._notices: list[Notice] = []
        self._stalled_since = 0.0

    @override
    def __enter__(self) -> "RayExecutor":
        self._session.open()
        self._stalled_since = time.monotonic()
        return self

    @override
    def __exit__(self, *_: object) -> None:
        self._starting.clear()
        self._idle.clear()
        self._playing.clear()
        self._session.close()

    @override
    def scale(self, jobs: int) -> None:
        self._greet_started()
        wanted = max(0, min(jobs, self._session.window() - len(self._playing)))
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

    def _new_actor(self) -> Any:
        options: dict[str, Any] = {
            "num_cpus": self._execution.cpus_per_run,
            "num_gpus": self._execution.gpus_per_run,
            "max_restarts": 0,
        }
        actor_class: Any = ray.remote(**options)(_PlayerActor)
        return actor_class.remote(self._session.pool, self._session.checksum, self._execution)

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
                        f"{self._failed_starts} workers in a row could not start: {reason(error)}"
                    ) from error
                self._notices.append(Notice(f"a worker could not start: {reason(error)}"))
                continue
            self._failed_starts = 0
            self._idle.append(actor)

    @override
    def submit(self, job: Job) -> None:
        actor = self._idle.pop()
        self._playing[actor.play.remote(job)] = (actor, job.name)

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
        actor, name = self._playing.pop(reference)
        event = _answer(reference, name)
        if isinstance(event, Progress) and not event.done:
            self._playing[actor.play_on.remote()] = (actor, name)
        elif not isinstance(event, Lost):
            self._idle.append(actor)
        return event

    @override
    def interrupt(self) -> list[Event]:
        """Hear each job's rounds under way, then the state after them.

        A worker that has died or takes too long is left behind: its run goes on from its last checkpoint next time.
        """
        answers = [
            (reference, actor.last_words.remote(), name)
            for reference, (actor, name) in self._playing.items()
        ]
        references = [reference for *pair, _ in answers for reference in pair]
        ray.wait(references, num_returns=len(references), timeout=LAST_WORDS_SECONDS)
        events: list[Event] = []
        for under_way, last_words, name in answers:
            event = _answer(under_way, name, timeout=0)
            events.append(event)
            if isinstance(event, Progress) and not event.done:
                events.append(_answer(last_words, name, timeout=0))
        self._playing.clear()
        return [event for event in events if not isinstance(event, Lost)]


def _answer(reference: Any, name: str, timeout: float | None = None) -> Progress | Failed | Lost:
    """Turn what an actor has answered into an event."""
    try:
        progress: Progress = ray.get(reference, timeout=timeout)
    except LOSSES as error:
        return Lost(name, reason(error))
    except GetTimeoutError:
        return Lost(name, "it did not answer in time")
    except RayTaskError as error:
        return Failed(name, describe(error.cause), str(error))
    return progress
