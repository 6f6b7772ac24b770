"""Runs of a sweep on Ray actors: each holds one model replica and runs one job at a time."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import ray
from typing_extensions import override

from alray.custom.code import NO_CODE, CustomCode
from alray.errors import ClusterError
from alray.pools.shared import SharedPool
from alray.ray_executor.actor import RunActor, Started
from alray.ray_executor.base import RayExecutor
from alray.ray_executor.hangs import Hang, HangDetector, HangLimits
from alray.ray_executor.replies import LOSSES, Actor, RunningJob, cause_of_death, reply
from alray.settings.common import ExecutionSpec
from alray.studies.events import Failure, Notice
from alray.studies.retries import NOWHERE
from alray.studies.sweep.jobs import Job, Progress

FINAL_REPORT_SECONDS = 60.0
"""How long to wait after Ctrl-C for the rounds in progress to end."""

HANG_LIMITS = HangLimits()
"""How long a worker may take to report."""

Event = Progress | Failure | Notice


class ActorExecutor(RayExecutor[Job, Progress]):
    """Runs jobs on actors, which are created as there is work and capacity, and released as soon as there is not."""

    def __init__(
        self, pool: SharedPool, execution: ExecutionSpec, code: CustomCode = NO_CODE
    ) -> None:
        super().__init__(pool, execution)
        self._code = code
        self._hangs = HangDetector(HANG_LIMITS)
        self._starting: dict[Any, Any] = {}
        self._excluded = NOWHERE
        self._idle: list[Actor] = []
        self._running: dict[Any, RunningJob] = {}
        self._given_up: dict[str, str] = {}
        self._notices: list[Notice] = []

    @override
    def __exit__(self, *error: object) -> None:
        self._starting.clear()
        self._idle.clear()
        self._running.clear()
        super().__exit__(*error)

    @override
    def scale(self, jobs: int, avoid: frozenset[str] = NOWHERE) -> None:
        self._session.update(self._nodes)
        self._register_started()
        self._nodes.quarantined = self._failures.quarantined
        self._release(self._nodes.excluded(avoid, Counter()))
        workers = self._workers()
        excluded = self._nodes.excluded(avoid, workers)
        if excluded != self._excluded:  # those that start may end up where none is wanted now
            self._starting.clear()
            self._excluded = excluded
        wanted = max(0, min(jobs, self._window(excluded, workers) - len(self._running)))
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
        """Release idle workers on these nodes, and on nodes that have more than they should."""
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
        return actor_class.remote(
            self._session.pool, self._session.checksum, self._execution, self._code
        )

    def _register_started(self) -> None:
        if not self._starting:
            return
        ready, _ = ray.wait(list(self._starting), num_returns=len(self._starting), timeout=0)
        for reference in ready:
            handle = self._starting.pop(reference)
            try:
                started: Started = ray.get(reference)
            except LOSSES as error:
                self._take_failed_start(self._nodes.named_in(str(error)), cause_of_death(error))
                continue
            if not self._nodes.fits(started.node):
                # It has waited for capacity, and found it on a node that was not checked yet: it is released.
                continue
            host = self._nodes.name(started.node)
            if started.error:
                self._take_failed_start(host, started.error)
                continue
            self._failures.started(host)
            self._nodes.starved -= {host}
            self._idle.append(Actor(handle, host))

    def _take_failed_start(self, host: str, why: str) -> None:
        """Record that a worker could not start.

        Raises:
            ClusterError: No node can start one. A node may die under a starting worker; an error in every start is the
                environment's.
        """
        message = self._failures.not_started(host, why)
        where = f"{host}: " if host else ""
        self._notices.append(Notice(message or f"{where}a worker could not start: {why}"))
        hosts = self._nodes.holding()
        if self._failures.cannot_start(hosts, self._execution.attempts):
            each = f" on each of {', '.join(sorted(hosts))}" if len(hosts) > 1 else ""
            raise ClusterError(
                f"{self._execution.attempts} workers in a row could not start{each}: {why}; "
                "mend that, and run the same command again"
            )

    @override
    def submit(
        self, job: Job, start_from: bytes | None, host: str, avoid: frozenset[str] = NOWHERE
    ) -> None:
        actor = next(actor for actor in self._idle if actor.host == host)
        self._idle.remove(actor)
        self._running[actor.handle.run.remote(job, start_from)] = RunningJob(actor, job.name)
        self._hangs.started(job.name, time.monotonic())

    @override
    def wait(self, seconds: float) -> list[Event]:
        references = [*self._running, *self._starting]
        if references:
            ray.wait(references, num_returns=1, timeout=seconds)
        else:
            time.sleep(seconds)
        if self._running or self._idle:
            self._running_at = time.monotonic()
        stalled = self._stalled("no worker could start", "a run")
        events: list[Event] = [*self._notices, *self._session_notices(), *stalled]
        self._notices.clear()
        if self._running:
            ready, _ = ray.wait(list(self._running), num_returns=len(self._running), timeout=0)
            events += [event for reference in ready for event in self._take_reply(reference)]
            events += [self._handle_hang(hang) for hang in self._hangs.due(time.monotonic())]
        return events

    @override
    def _use_other_nodes(self) -> None:
        self._nodes.starved |= self._nodes.names() - self._excluded if self._excluded else NOWHERE

    def _take_reply(self, reference: Any) -> list[Event]:
        """Turn an actor's reply into an event, and let it go on without waiting for the driver."""
        running = self._running.pop(reference)
        actor, job = running.actor, running.job
        event = reply(reference, running)
        if isinstance(event, Progress) and not event.done:
            self._hangs.reported(job, time.monotonic())
            self._running[actor.handle.continue_run.remote()] = running
            return [event]
        self._hangs.ended(job)
        if isinstance(event, Failure) and event.died:
            lost = replace(event, reason=self._given_up.pop(job, event.reason))
            return [*self._take_loss(lost, self._workers()[lost.host])]
        if isinstance(event, Progress):
            self._failures.finished(actor.host)
        self._idle.append(actor)
        return [event]

    def _handle_hang(self, hang: Hang) -> Notice:
        """Name a worker that hangs; end it where it has hung for too long."""
        (actor,) = (each.actor for each in self._running.values() if each.job == hang.job)
        if hang.give_up:
            self._given_up[hang.job] = hang.reason()
            ray.kill(actor.handle)
        return Notice(hang.message(actor.host))

    @override
    def interrupt(self) -> list[Event]:
        """Return each job's rounds in progress, then the state after them.

        A worker that has died or takes too long is left behind: its run goes on from its last checkpoint next time.
        """
        replies = [
            (reference, running.actor.handle.final_report.remote(), running)
            for reference, running in self._running.items()
        ]
        references = [reference for *pair, _ in replies for reference in pair]
        ray.wait(references, num_returns=len(references), timeout=FINAL_REPORT_SECONDS)
        events: list[Event] = []
        for in_progress, final_report, running in replies:
            event = reply(in_progress, running, timeout=0)
            events.append(event)
            if isinstance(event, Progress) and not event.done:
                events.append(reply(final_report, running, timeout=0))
        self._running.clear()
        return [event for event in events if not (isinstance(event, Failure) and event.died)]
