"""Which job comes next: events in, jobs out, nothing done. The driver does what it says."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from alray.spec import RunSpec

Status = Literal["waiting", "running", "finished", "failed"]


@dataclass(frozen=True)
class Assignment:
    """A job to start.

    Attributes:
        name: The run's id or the passive phase's.
        run: The run to play.
        until: Last round to play.
        start_from: Name of the checkpoint to start from, or None to start with the passive phase.
    """

    name: str
    run: RunSpec
    until: int
    start_from: str | None


@dataclass
class RunStatus:
    """How a run stands.

    Attributes:
        run: The run.
        status: waiting, running, finished or failed.
        attempts: How often it was started.
        error: Why it failed, in a line.
        traceback: The same in full.
        rounds_done: The last round that is done, -1 before the passive phase.
        seconds: Seconds that its recorded rounds took.
        host: Where it ran last.
    """

    run: RunSpec
    status: Status = "waiting"
    attempts: int = 0
    error: str = ""
    traceback: str = ""
    rounds_done: int = -1
    seconds: float = 0.0
    host: str = ""


@dataclass
class _Passive:
    run: RunSpec
    done: bool
    running: bool = False
    attempts: int = 0
    waiting: list[RunStatus] = field(default_factory=list)


class Schedule:
    """The runs of a study and the passive phases they start from.

    Args:
        runs: In the order in which they are wanted: all arms of a seed together, so that pairs are complete early.
        attempts: Starts of a job whose worker keeps dying before it counts as failed.
        finished: Run ids that need nothing.
        checkpoints: Names of the checkpoints at hand, of runs and passive phases.
    """

    def __init__(
        self,
        runs: Sequence[RunSpec],
        *,
        attempts: int,
        finished: frozenset[str] = frozenset(),
        checkpoints: frozenset[str] = frozenset(),
    ) -> None:
        self.runs = {run.run_id: RunStatus(run) for run in runs}
        self._attempts = attempts
        self._checkpoints = set(checkpoints)
        self._ready: deque[str] = deque()
        self._passives: dict[str, _Passive] = {}
        for run_id, status in self.runs.items():
            if run_id in finished:
                status.status = "finished"
                status.rounds_done = status.run.rounds
            elif run_id in checkpoints:
                self._ready.append(run_id)
            else:
                self._wait_for_passive(status)

    def _wait_for_passive(self, status: RunStatus) -> None:
        name = status.run.passive_id
        at_hand = name in self._checkpoints
        passive = self._passives.setdefault(name, _Passive(status.run, done=at_hand))
        if passive.done:
            self._ready.append(status.run.run_id)
        else:
            passive.waiting.append(status)

    @property
    def upcoming(self) -> int:
        """Number of jobs that wait for a worker or for the passive phase they start from."""
        waiting = sum(status.status == "waiting" for status in self.runs.values())
        return waiting + sum(self._can_start(passive) for passive in self._passives.values())

    @property
    def over(self) -> bool:
        """Whether every run has finished or failed."""
        return all(status.status in ("finished", "failed") for status in self.runs.values())

    def next(self) -> Assignment | None:
        """Return the next job to start, and count it as running."""
        if self._ready:
            status = self.runs[self._ready.popleft()]
            status.status = "running"
            status.attempts += 1
            run = status.run
            own = run.run_id in self._checkpoints
            return Assignment(run.run_id, run, run.rounds, run.run_id if own else run.passive_id)
        for name, passive in self._passives.items():
            if self._can_start(passive):
                passive.running = True
                passive.attempts += 1
                return Assignment(name, passive.run, 0, None)
        return None

    def checkpointed(self, name: str) -> None:
        """A checkpoint of this job is at hand from now on."""
        self._checkpoints.add(name)

    def done(self, name: str) -> None:
        """A job has ended well; a passive phase sets its runs free."""
        if name in self._passives:
            passive = self._passives[name]
            passive.done, passive.running = True, False
            self._ready.extend(status.run.run_id for status in passive.waiting)
            passive.waiting.clear()
        else:
            self.runs[name].status = "finished"

    def failed(self, name: str, error: str, traceback: str) -> list[RunStatus]:
        """A job has ended with an error of its own; return the runs that fail by it."""
        if name in self._passives:
            passive = self._passives[name]
            passive.done, passive.running = True, False
            victims, passive.waiting = passive.waiting, []
        else:
            victims = [self.runs[name]]
        for status in victims:
            status.status, status.error, status.traceback = "failed", error, traceback
        return victims

    def lost(self, name: str, reason: str) -> list[RunStatus]:
        """A job's worker has died: it starts again from its last checkpoint, or fails after too many starts."""
        attempts = (
            self._passives[name].attempts if name in self._passives else self.runs[name].attempts
        )
        if attempts >= self._attempts:
            return self.failed(name, f"its worker died {attempts} times: {reason}", "")
        if name in self._passives:
            self._passives[name].running = False
        else:
            self.runs[name].status = "waiting"
            self._ready.appendleft(name)
        return []

    @staticmethod
    def _can_start(passive: _Passive) -> bool:
        return not passive.done and not passive.running and bool(passive.waiting)
