"""Runs on Ray actors: each holds one model replica and plays one run at a time; lost and silent workers."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import ray
from typing_extensions import override

from alray.errors import ClusterError
from alray.pools.pool import PreparedPool
from alray.ray_executor.actor import RunActor, Started
from alray.ray_executor.hangs import Hang, HangDetector, HangLimits
from alray.ray_executor.liveness import free_resources
from alray.ray_executor.node_failures import NodeFailures
from alray.ray_executor.nodes import Nodes
from alray.ray_executor.replies import Actor, RunningJob, answer, how, note_loss
from alray.ray_executor.session import LOSSES, RaySession
from alray.settings.common import ExecutionSpec
from alray.studies.events import Lost, Notice
from alray.studies.retries import NOWHERE
from alray.studies.sweep.executor import Event, Executor, Job, Progress

FINAL_REPORT_SECONDS = 60.0
"""How long to wait after Ctrl-C for the rounds in progress to end."""

STALL_SECONDS = 60.0
"""How long nothing may play for want of a worker until people are told, and how often they are told again."""

HANG_LIMITS = HangLimits()
"""How long a worker may be silent."""


class RayExecutor(Executor):
    """Plays jobs on Ray actors, on this machine or on a running cluster."""

    def __init__(self, pool: PreparedPool, execution: ExecutionSpec) -> None:
        self._execution = execution
        self._session = RaySession(pool, execution)
        self._nodes = Nodes()
        self._record = NodeFailures()
        self._silence = HangDetector(HANG_LIMITS)
        self._starting: dict[Any, Any] = {}
        self._excluded = NOWHERE
        self._idle: list[Actor] = []
        self._running: dict[Any, RunningJob] = {}
        self._given_up: dict[str, str] = {}
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
        self._running.clear()
        self._session.close()

    @override
    def hosts(self) -> frozenset[str]:
        self._session.look(self._nodes)
        return self._nodes.open()

    @override
    def scale(self, jobs: int, avoid: frozenset[str] = NOWHERE) -> None:
        self._session.look(self._nodes)
        self._register_started()
        self._nodes.quarantined = self._record.quarantined
        self._release(self._nodes.excluded(avoid, Counter()))
        workers = self._workers()
        excluded = self._nodes.excluded(avoid, workers)
        if excluded != self._excluded:  # those that start may end up where none is wanted now
            self._starting.clear()
            self._excluded = excluded
        capacity = self._nodes.capacity(excluded) + sum(workers[host] for host in excluded)
        window = min(self._session.window(), max(1, capacity))
        wanted = max(0, min(jobs, window - len(self._running)))
        while len(self._idle) + len(self._starting) < wanted:
            handle = self._new_actor()
            self._starting[handle.ready.remote()] = handle
        # An actor holds its CPU while its handle lives, so one that will have nothing to do is dropped at once.
        while len(self._idle) + len(self._starting) > wanted:
            if self._starting:
                self._starting.popitem()
            else:
                self._idle.pop()

    def _workers(self) -> Counter[str]:
        """Return how many workers each node has."""
        actors = [*self._idle, *(running.actor for running in self._running.values())]
        return Counter(actor.host for actor in actors)

    def _release(self, hosts: frozenset[str]) -> None:
        """Let go of idle workers on these nodes, and on nodes that have more than they should."""
        workers, limits, kept = self._workers(), self._nodes.limits, []
        for actor in self._idle:
            host = actor.host
            if host in hosts or workers[host] > limits.get(host, workers[host]):
                workers[host] -= 1
            else:
                kept.append(actor)
        self._idle = kept

    @override
    def idle(self) -> Sequence[str]:
        return [actor.host for actor in self._idle]

    def _new_actor(self) -> Any:
        options = {**self._session.worker_options(), "max_restarts": 0}
        options |= self._nodes.kept_from(self._excluded)
        actor_class: Any = ray.remote(**options)(RunActor)
        return actor_class.remote(self._session.pool, self._session.checksum, self._execution)

    def _register_started(self) -> None:
        if not self._starting:
            return
        ready, _ = ray.wait(list(self._starting), num_returns=len(self._starting), timeout=0)
        for reference in ready:
            handle = self._starting.pop(reference)
            try:
                started: Started = ray.get(reference)
            except LOSSES as error:
                self._note_failed_start(self._nodes.named_in(str(error)), how(error))
                continue
            if not self._nodes.fits(started.node):
                # It has waited for room, and found it on a node that nobody has looked at yet: it is let go.
                continue
            host = self._nodes.name(started.node)
            if started.error:
                self._note_failed_start(host, started.error)
                continue
            self._record.started(host)
            self._nodes.starved -= {host}
            self._idle.append(Actor(handle, host))

    def _note_failed_start(self, host: str, why: str) -> None:
        """Take down that a worker could not start.

        Raises:
            ClusterError: No node can start one. A node may die under a starting worker; an error in every start is the
                environment's.
        """
        told = self._record.not_started(host, why)
        where = f"{host}: " if host else ""
        self._notices.append(Notice(told or f"{where}a worker could not start: {why}"))
        hosts = self._nodes.holding()
        if self._record.cannot_start(hosts, self._execution.attempts):
            raise ClusterError(
                f"{self._execution.attempts} workers in a row could not start{_on_each(hosts)}: {why}; "
                "see to that, and run the same command again"
            )

    @override
    def submit(self, job: Job, host: str) -> None:
        actor = next(actor for actor in self._idle if actor.host == host)
        self._idle.remove(actor)
        self._running[actor.handle.play.remote(job)] = RunningJob(actor, job.name)
        self._silence.started(job.name, time.monotonic())

    @override
    def wait(self, seconds: float) -> list[Event]:
        references = [*self._running, *self._starting]
        if references:
            ray.wait(references, num_returns=1, timeout=seconds)
        else:
            time.sleep(seconds)
        events: list[Event] = [*self._notices, *self._stall()]
        self._notices.clear()
        if self._running:
            ready, _ = ray.wait(list(self._running), num_returns=len(self._running), timeout=0)
            events += [event for reference in ready for event in self._hear(reference)]
            events += [
                self._handle_hangs(silent) for silent in self._silence.too_long(time.monotonic())
            ]
        return events

    def _stall(self) -> list[Event]:
        """Say what the session has found, and from time to time that nothing plays because the cluster has no room."""
        found = [Notice(text) for text in self._session.take_notices()]
        now = time.monotonic()
        if self._running or self._idle:
            self._stalled_since = now
        if now - self._stalled_since < STALL_SECONDS:
            return [*found]
        self._stalled_since = now
        # Where nothing would start on the nodes that were wished for, the others have to do.
        self._nodes.starved |= self._nodes.names() - self._excluded if self._excluded else NOWHERE
        free = free_resources().get("CPU", 0)
        return [
            *found,
            Notice(
                f"no worker could start for {STALL_SECONDS:.0f} s: {free:g} CPUs are free, a run "
                f"needs {self._execution.cpus_per_run}; waiting"
            ),
        ]

    def _hear(self, reference: Any) -> list[Event]:
        """Turn an actor's answer into an event, and let it play on without waiting for the driver."""
        running = self._running.pop(reference)
        actor, job = running.actor, running.job
        event = answer(reference, running)
        if isinstance(event, Progress) and not event.done:
            self._silence.heard(job, time.monotonic())
            self._running[actor.handle.continue_run.remote()] = running
            return [event]
        self._silence.ended(job)
        if isinstance(event, Lost):
            lost = replace(event, reason=self._given_up.pop(job, event.reason))
            others = self._workers()[lost.host]
            return [*note_loss(lost, others, self._nodes, self._record)]
        if isinstance(event, Progress):
            self._record.finished(actor.host)
        self._idle.append(actor)
        return [event]

    def _handle_hangs(self, silent: Hang) -> Notice:
        """Name a worker that has been silent for too long; end it where there is no hope."""
        (actor,) = (each.actor for each in self._running.values() if each.job == silent.job)
        if silent.give_up:
            self._given_up[silent.job] = silent.reason()
            ray.kill(actor.handle)
        return Notice(silent.told(actor.host))

    @override
    def interrupt(self) -> list[Event]:
        """Hear each job's rounds under way, then the state after them.

        A worker that has died or takes too long is left behind: its run goes on from its last checkpoint next time.
        """
        answers = [
            (reference, running.actor.handle.final_report.remote(), running)
            for reference, running in self._running.items()
        ]
        references = [reference for *pair, _ in answers for reference in pair]
        ray.wait(references, num_returns=len(references), timeout=FINAL_REPORT_SECONDS)
        events: list[Event] = []
        for under_way, final_report, running in answers:
            event = answer(under_way, running, timeout=0)
            events.append(event)
            if isinstance(event, Progress) and not event.done:
                events.append(answer(final_report, running, timeout=0))
        self._running.clear()
        return [event for event in events if not isinstance(event, Lost)]


def _on_each(hosts: frozenset[str]) -> str:
    return f" on each of {', '.join(sorted(hosts))}" if len(hosts) > 1 else ""
