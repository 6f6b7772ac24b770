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
from alray.ray_executor.actor import PlayerActor, Started
from alray.ray_executor.hangs import Patience, Silence, Silent
from alray.ray_executor.liveness import free_resources
from alray.ray_executor.node_failures import NodeRecord
from alray.ray_executor.nodes import Nodes
from alray.ray_executor.replies import Player, Playing, answer, how, note_loss
from alray.ray_executor.session import LOSSES, RaySession
from alray.settings.common import ExecutionSpec
from alray.studies.events import Lost, Notice
from alray.studies.retries import NOWHERE
from alray.studies.sweep.executor import Event, Executor, Job, Progress

LAST_WORDS_SECONDS = 60.0
"""How long to wait after Ctrl-C for the rounds in progress to end."""

PATIENCE_SECONDS = 60.0
"""How long nothing may play for want of a worker until people are told, and how often they are told again."""

SILENCE = Patience()
"""How long a worker may be silent."""


class RayExecutor(Executor):
    """Plays jobs on Ray actors, on this machine or on a running cluster."""

    def __init__(self, pool: PreparedPool, execution: ExecutionSpec) -> None:
        self._execution = execution
        self._session = RaySession(pool, execution)
        self._nodes = Nodes()
        self._record = NodeRecord()
        self._silence = Silence(SILENCE)
        self._starting: dict[Any, Any] = {}
        self._left_out = NOWHERE
        self._idle: list[Player] = []
        self._playing: dict[Any, Playing] = {}
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
        self._playing.clear()
        self._session.close()

    @override
    def hosts(self) -> frozenset[str]:
        self._session.look(self._nodes)
        return self._nodes.open()

    @override
    def scale(self, jobs: int, avoid: frozenset[str] = NOWHERE) -> None:
        self._session.look(self._nodes)
        self._greet_started()
        self._nodes.shunned = self._record.shunned
        self._dismiss(self._nodes.left_out(avoid, Counter()))
        workers = self._workers()
        left_out = self._nodes.left_out(avoid, workers)
        if left_out != self._left_out:  # those that start may end up where none is wanted now
            self._starting.clear()
            self._left_out = left_out
        room = self._nodes.room(left_out) + sum(workers[host] for host in left_out)
        window = min(self._session.window(), max(1, room))
        wanted = max(0, min(jobs, window - len(self._playing)))
        while len(self._idle) + len(self._starting) < wanted:
            actor = self._new_actor()
            self._starting[actor.ready.remote()] = actor
        # An actor holds its CPU while its handle lives, so one that will have nothing to do is dropped at once.
        while len(self._idle) + len(self._starting) > wanted:
            if self._starting:
                self._starting.popitem()
            else:
                self._idle.pop()

    def _workers(self) -> Counter[str]:
        """Return how many workers each node has."""
        players = [*self._idle, *(playing.player for playing in self._playing.values())]
        return Counter(player.host for player in players)

    def _dismiss(self, hosts: frozenset[str]) -> None:
        """Let go of idle workers on these nodes, and on nodes that have more than they should."""
        workers, limits, kept = self._workers(), self._nodes.limits, []
        for player in self._idle:
            host = player.host
            if host in hosts or workers[host] > limits.get(host, workers[host]):
                workers[host] -= 1
            else:
                kept.append(player)
        self._idle = kept

    @override
    def idle(self) -> Sequence[str]:
        return [player.host for player in self._idle]

    def _new_actor(self) -> Any:
        options = {**self._session.worker_options(), "max_restarts": 0}
        options |= self._nodes.kept_from(self._left_out)
        actor_class: Any = ray.remote(**options)(PlayerActor)
        return actor_class.remote(self._session.pool, self._session.checksum, self._execution)

    def _greet_started(self) -> None:
        if not self._starting:
            return
        ready, _ = ray.wait(list(self._starting), num_returns=len(self._starting), timeout=0)
        for reference in ready:
            actor = self._starting.pop(reference)
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
            self._nodes.in_vain -= {host}
            self._idle.append(Player(actor, host))

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
        player = next(player for player in self._idle if player.host == host)
        self._idle.remove(player)
        self._playing[player.actor.play.remote(job)] = Playing(player, job.name)
        self._silence.started(job.name, time.monotonic())

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
            events += [event for reference in ready for event in self._hear(reference)]
            events += [self._rouse(silent) for silent in self._silence.too_long(time.monotonic())]
        return events

    def _stall(self) -> list[Event]:
        """Say what the session has found, and from time to time that nothing plays because the cluster has no room."""
        found = [Notice(text) for text in self._session.take_notices()]
        now = time.monotonic()
        if self._playing or self._idle:
            self._stalled_since = now
        if now - self._stalled_since < PATIENCE_SECONDS:
            return [*found]
        self._stalled_since = now
        # Where nothing would start on the nodes that were wished for, the others have to do.
        self._nodes.in_vain |= self._nodes.names() - self._left_out if self._left_out else NOWHERE
        free = free_resources().get("CPU", 0)
        return [
            *found,
            Notice(
                f"no worker could start for {PATIENCE_SECONDS:.0f} s: {free:g} CPUs are free, a run "
                f"needs {self._execution.cpus_per_run}; waiting"
            ),
        ]

    def _hear(self, reference: Any) -> list[Event]:
        """Turn an actor's answer into an event, and let it play on without waiting for the driver."""
        playing = self._playing.pop(reference)
        player, job = playing.player, playing.job
        event = answer(reference, playing)
        if isinstance(event, Progress) and not event.done:
            self._silence.heard(job, time.monotonic())
            self._playing[player.actor.play_on.remote()] = playing
            return [event]
        self._silence.ended(job)
        if isinstance(event, Lost):
            lost = replace(event, reason=self._given_up.pop(job, event.reason))
            others = self._workers()[lost.host]
            return [*note_loss(lost, others, self._nodes, self._record)]
        if isinstance(event, Progress):
            self._record.finished(player.host)
        self._idle.append(player)
        return [event]

    def _rouse(self, silent: Silent) -> Notice:
        """Name a worker that has been silent for too long; end it where there is no hope."""
        (player,) = (each.player for each in self._playing.values() if each.job == silent.job)
        if silent.hopeless:
            self._given_up[silent.job] = silent.reason()
            ray.kill(player.actor)
        return Notice(silent.told(player.host))

    @override
    def interrupt(self) -> list[Event]:
        """Hear each job's rounds under way, then the state after them.

        A worker that has died or takes too long is left behind: its run goes on from its last checkpoint next time.
        """
        answers = [
            (reference, playing.player.actor.last_words.remote(), playing)
            for reference, playing in self._playing.items()
        ]
        references = [reference for *pair, _ in answers for reference in pair]
        ray.wait(references, num_returns=len(references), timeout=LAST_WORDS_SECONDS)
        events: list[Event] = []
        for under_way, last_words, playing in answers:
            event = answer(under_way, playing, timeout=0)
            events.append(event)
            if isinstance(event, Progress) and not event.done:
                events.append(answer(last_words, playing, timeout=0))
        self._playing.clear()
        return [event for event in events if not isinstance(event, Lost)]


def _on_each(hosts: frozenset[str]) -> str:
    return f" on each of {', '.join(sorted(hosts))}" if len(hosts) > 1 else ""
