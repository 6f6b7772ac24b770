"""Which job comes next: events in, jobs out, nothing done. The driver does what it says."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

from alray.settings.run import RunSpec
from alray.studies.retries import NOWHERE, Failure, Retries

Status = Literal["waiting", "running", "finished", "failed"]


@dataclass(frozen=True)
class Assignment:
    """A job to start.

    Attributes:
        name: The run's id or the passive phase's.
        run: The run to play; for a passive phase any of those that share it.
        until: Last round to play.
        start_from: Name of the checkpoint to start from, or None to start with the passive phase.
        host: Where.
    """

    name: str
    run: RunSpec
    until: int
    start_from: str | None
    host: str = ""

    @property
    def title(self) -> str:
        """What people call the job."""
        name = "passive phase" if self.start_from is None else self.run.arm
        return f"{name}, seed {self.run.seed}"


@dataclass
class RunStatus:
    """How a run stands.

    Attributes:
        run: The run.
        run_id: Its name; to hash all settings anew whenever it is needed would take longer than a round's records.
        status: waiting, running, finished or failed.
        attempts: How often it was started.
        error: Why it failed, in a line.
        traceback: The same in full.
        rounds_done: The last round that is done, -1 before the passive phase.
        kept: The last round that a checkpoint holds, -1 where none does.
        seconds: Seconds that its recorded rounds took.
        host: Where it ran last.
    """

    run: RunSpec
    run_id: str = field(init=False)
    status: Status = "waiting"
    attempts: int = 0
    error: str = ""
    traceback: str = ""
    rounds_done: int = -1
    kept: int = -1
    seconds: float = 0.0
    host: str = ""

    def __post_init__(self) -> None:
        self.run_id = self.run.run_id


@dataclass
class _Passive:
    run: RunSpec
    waiting: list[RunStatus] = field(default_factory=list)


class Schedule:
    """The runs of a study and the passive phases they start from.

    Attributes:
        runs: Id: how the run stands.

    Args:
        runs: In the order in which they are wanted: all arms of a seed together, so that pairs are complete early.
        attempts: Retries of a job until it counts as failed.
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
        statuses = [RunStatus(run) for run in runs]
        self.runs = {status.run_id: status for status in statuses}
        self._retries = Retries(attempts)
        self._checkpoints = set(checkpoints)
        self._passive_ids = {run_id: status.run.passive_id for run_id, status in self.runs.items()}
        self._passives: dict[str, _Passive] = {}
        self._ready: deque[str] = deque()
        self._passives_ready: deque[str] = deque()
        self._open = self._waiting = len(self.runs)
        for run_id, status in self.runs.items():
            if run_id in finished:
                self._set(status, "finished")
                status.rounds_done = status.run.rounds
            elif run_id in checkpoints or self._passive_ids[run_id] in checkpoints:
                self._ready.append(run_id)
            else:
                self._wait_for_passive(status)

    def _wait_for_passive(self, status: RunStatus) -> None:
        name = self._passive_ids[status.run_id]
        if name not in self._passives:
            self._passives[name] = _Passive(status.run)
            self._passives_ready.append(name)
        self._passives[name].waiting.append(status)

    def _set(self, status: RunStatus, value: Status) -> None:
        """Change a status and the counts that follow from all of them."""
        self._waiting += (value == "waiting") - (status.status == "waiting")
        self._open -= value in ("finished", "failed")
        status.status = value

    @property
    def upcoming(self) -> int:
        """Number of jobs that wait for a worker or for the passive phase they start from."""
        return self._waiting + len(self._passives_ready)

    @property
    def over(self) -> bool:
        """Whether every run has finished or failed."""
        return self._open == 0

    def avoided(self, hosts: frozenset[str]) -> frozenset[str]:
        """Return the hosts to which none of the jobs that could start now would go, `hosts` being all there are."""
        avoided = hosts if self._ready or self._passives_ready else NOWHERE
        for name in chain(self._ready, self._passives_ready):
            avoided &= self._retries.avoided(name, hosts)
            if not avoided:
                break
        return avoided

    def next(self, host: str = "", hosts: frozenset[str] = NOWHERE) -> Assignment | None:
        """Return the next job to start on a host, and count it as running.

        Args:
            host: Where a worker is free.
            hosts: Where workers are or can be; a job that has had a mishap on this host is kept for the others.
        """
        for queue in (self._ready, self._passives_ready):
            for name in queue:
                if host not in self._retries.avoided(name, hosts):
                    queue.remove(name)
                    return self._start(name, host)
        return None

    def _start(self, name: str, host: str) -> Assignment:
        if name in self._passives:
            return Assignment(name, self._passives[name].run, 0, None, host)
        status = self.runs[name]
        self._set(status, "running")
        status.attempts += 1
        start_from = name if name in self._checkpoints else self._passive_ids[name]
        return Assignment(name, status.run, status.run.rounds, start_from, host)

    def checkpointed(self, name: str) -> None:
        """A checkpoint of this job is at hand from now on."""
        self._checkpoints.add(name)

    def done(self, name: str) -> None:
        """A job has ended well; a passive phase sets its runs free."""
        if name in self._passives:
            waiting = self._passives[name].waiting
            self._ready.extend(status.run_id for status in waiting)
            waiting.clear()
        else:
            self._set(self.runs[name], "finished")

    def failure(
        self, name: str, failure: Failure, hosts: frozenset[str] = NOWHERE
    ) -> list[RunStatus]:
        """A job has ended before its time: it starts again from its last checkpoint, or fails; return what fails.

        Args:
            name: The job's name.
            failure: What has happened.
            hosts: Where workers are or can be.
        """
        if self._retries.add(name, failure, hosts):
            self._again(name)
            return []
        if name in self._passives:
            victims, self._passives[name].waiting = self._passives[name].waiting, []
        else:
            victims = [self.runs[name]]
        for status in victims:
            self._set(status, "failed")
            status.error, status.traceback = self._retries.error(name)
        return victims

    def _again(self, name: str) -> None:
        if name in self._passives:
            self._passives_ready.appendleft(name)
        else:
            self._set(self.runs[name], "waiting")
            self._ready.appendleft(name)
