"""Runs of a sweep on Ray actors: each holds one model replica and runs one job at a time, or several on a GPU."""

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
from alray.ray_executor.replies import LOSSES, actor_replies, cause_of_death
from alray.ray_executor.running_actor import RunningActor
from alray.settings.common import ExecutionSpec
from alray.studies.events import Failure, Notice
from alray.studies.retries import NOWHERE
from alray.studies.sweep.jobs import Job, Progress, ends

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
        super().__init__(pool, execution, execution.runs_of_worker)
        self._code = code
        self._hangs = HangDetector(HANG_LIMITS)
        self._starting: dict[Any, Any] = {}
        self._excluded = NOWHERE
        self._actors: list[RunningActor] = []
        self._wanted = 0
        self._given_up: dict[str, str] = {}
        self._notices: list[Notice] = []

    @override
    def __exit__(self, *error: object) -> None:
        self._starting.clear()
        self._actors.clear()
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
        running = sum(len(actor.jobs) for actor in self._actors)
        wanted = max(0, min(jobs, self._window(excluded, workers) - running))
        while self._spare(wanted) < 0:
            handle = self._new_actor()
            self._starting[handle.ready.remote()] = handle
        # An actor holds its CPU while its handle lives, so one that will have nothing to do is dropped at once.
        while self._spare(wanted) >= self._runs and (self._starting or self._unused()):
            if self._starting:
                self._starting.popitem()
            else:
                self._actors.remove(self._unused()[-1])
        self._wanted = wanted

    def _spare(self, wanted: int) -> int:
        """Return how many more workers have no job, now or soon, than so many."""
        free = sum(actor.free for actor in self._actors)
        return free + self._runs * len(self._starting) - wanted

    def _unused(self) -> list[RunningActor]:
        """Return the actors that have no job."""
        return [actor for actor in self._actors if not actor.jobs]

    def _workers(self) -> Counter[str]:
        """Return how many workers each node has."""
        workers: Counter[str] = Counter()
        for actor in self._actors:
            workers[actor.host] += actor.workers
        return workers

    def _release(self, hosts: frozenset[str]) -> None:
        """Release idle actors on these nodes, and on nodes that have more workers than they should."""
        workers, limits = self._workers(), self._nodes.limits
        for actor in self._unused():
            host = actor.host
            if host in hosts or workers[host] > limits.get(host, workers[host]):
                workers[host] -= actor.workers
                self._actors.remove(actor)

    @override
    def idle(self) -> Sequence[str]:
        free = [actor.host for actor in self._actors for _ in range(actor.free)]
        return free[: self._wanted]

    def _new_actor(self) -> Any:
        options = {**self._session.worker_options(), "max_restarts": 0}
        options |= self._nodes.kept_from(self._excluded)
        actor_class: Any = ray.remote(**options)(RunActor)
        session = self._session
        given = (session.pool, session.checksum, self._execution, self._code)
        return actor_class.remote(*given, dict(session.files.keepers))

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
            self._actors.append(RunningActor(handle, host, self._runs))

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
        actor = next(actor for actor in self._actors if actor.host == host and actor.free)
        actor.submit(job, start_from)
        self._hangs.started(job.name, time.monotonic())

    @override
    def wait(self, seconds: float) -> list[Event]:
        for actor in self._actors:
            actor.go_on()
        calls = {actor.call: actor for actor in self._actors if actor.call is not None}
        references = [*calls, *self._starting]
        if references:
            ray.wait(references, num_returns=1, timeout=seconds)
        else:
            time.sleep(seconds)
        if self._actors:
            self._running_at = time.monotonic()
        stalled = self._stalled("no worker could start", "a run")
        events: list[Event] = [*self._notices, *self._session_notices(), *stalled]
        self._notices.clear()
        if calls:
            ready, _ = ray.wait(list(calls), num_returns=len(calls), timeout=0)
            events += [event for each in ready for event in self._take_reply(calls[each])]
            events += [self._handle_hang(hang) for hang in self._hangs.due(time.monotonic())]
        return events

    @override
    def _use_other_nodes(self) -> None:
        self._nodes.starved |= self._nodes.names() - self._excluded if self._excluded else NOWHERE

    def _take_reply(self, actor: RunningActor) -> list[Event]:
        """Turn an actor's reply into events, and let it go on without waiting for the driver."""
        reports = actor_replies(actor.call, actor.called(), actor.host)
        actor.call = None
        deaths = [each for each in reports.values() if isinstance(each, Failure) and each.died]
        events: list[Event] = []
        for row, report in reports.items():
            if isinstance(report, Failure) and report.died:
                continue
            events.append(report)
            if not ends(report):
                self._hangs.reported(report.job, time.monotonic())
                continue
            self._hangs.ended(report.job)
            actor.end(row)
            if isinstance(report, Progress):
                self._failures.finished(actor.host)
        if deaths:
            return [*events, *self._take_death(actor, deaths[0])]
        actor.go_on()
        return events

    def _take_death(self, actor: RunningActor, death: Failure) -> list[Event]:
        """Return the loss of each of an actor's jobs: one loss for the node."""
        self._actors.remove(actor)
        losses: list[Failure] = []
        for job in actor.jobs.values():
            self._hangs.ended(job)
            reason = self._given_up.pop(job, death.reason)
            losses.append(replace(death, job=job, reason=reason))
        first, *notices = self._take_loss(losses[0], self._workers()[actor.host])
        others = [replace(each, out_of_memory=False) for each in losses[1:]]
        return [first, *others, *notices]

    def _handle_hang(self, hang: Hang) -> Notice:
        """Name a worker that hangs; end it where it has hung for too long."""
        (actor,) = (each for each in self._actors if hang.job in each.jobs.values())
        if hang.give_up:
            self._given_up[hang.job] = hang.reason()
            ray.kill(actor.handle)
        return Notice(hang.message(actor.host))

    @override
    def interrupt(self) -> list[Event]:
        """Return each job's rounds in progress, then the state after them.

        A worker that has died or takes too long is left behind: its run goes on from its last checkpoint next time.
        """
        calls = [
            (actor, actor.called(), actor.handle.final_report.remote(list(actor.called())))
            for actor in self._actors
            if actor.call is not None
        ]
        references = [each for actor, _, report in calls for each in (actor.call, report)]
        ray.wait(references, num_returns=len(references), timeout=FINAL_REPORT_SECONDS)
        events: list[Event] = []
        for actor, jobs, report in calls:
            in_progress = actor_replies(actor.call, jobs, actor.host, timeout=0.0)
            events += in_progress.values()
            going_on = {row: jobs[row] for row, each in in_progress.items() if not ends(each)}
            if going_on:
                last = actor_replies(report, going_on, actor.host, timeout=0.0)
                events += [last[row] for row in going_on if row in last]
        self._actors.clear()
        return [event for event in events if not (isinstance(event, Failure) and event.died)]
