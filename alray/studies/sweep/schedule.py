"""The runs of a sweep and the passive phases they start from: which job comes next."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from alray.settings.run import RunSpec
from alray.studies.events import Failure
from alray.studies.retries import NOWHERE
from alray.studies.schedule import Schedule
from alray.studies.sweep.jobs import Job
from alray.studies.sweep.status import RunStatus, Status


@dataclass
class _Passive:
    run: RunSpec
    waiting: list[RunStatus] = field(default_factory=list)


class RunSchedule(Schedule[Job]):
    """Ready runs come before passive phases.

    Attributes:
        runs: Id: where the run stands.

    Args:
        runs: In the order in which they are wanted: all arms of a seed together, so that pairs are complete early.
        attempts: Failures of a job until it counts as failed.
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
        super().__init__(attempts, queues=2)
        self._ready, self._passives_ready = self._queues
        statuses = [RunStatus(run) for run in runs]
        self.runs = {status.run_id: status for status in statuses}
        self._checkpoints = set(checkpoints)
        self._passive_ids = {run_id: status.run.passive_id for run_id, status in self.runs.items()}
        self._passives: dict[str, _Passive] = {}
        self._open = self._waiting = len(self.runs)
        for run_id, status in self.runs.items():
            if run_id in finished:
                self._set(status, "finished")
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
    @override
    def upcoming(self) -> int:
        return self._waiting + len(self._passives_ready)

    @property
    @override
    def over(self) -> bool:
        return self._open == 0

    @override
    def _start(self, name: str) -> Job:
        if name in self._passives:
            return Job(name, self._passives[name].run, 0, None)
        status = self.runs[name]
        self._set(status, "running")
        status.attempts += 1
        start_from = name if name in self._checkpoints else self._passive_ids[name]
        return Job(name, status.run, status.run.rounds, start_from)

    def checkpointed(self, name: str) -> None:
        """A checkpoint of this job is at hand from now on."""
        self._checkpoints.add(name)

    @override
    def done(self, name: str) -> None:
        """A job has ended well; the runs that wait for a passive phase are ready after it."""
        if name in self._passives:
            waiting = self._passives[name].waiting
            self._ready.extend(status.run_id for status in waiting)
            waiting.clear()
        else:
            self._set(self.runs[name], "finished")

    @override
    def fail(self, failure: Failure, hosts: frozenset[str] = NOWHERE) -> list[RunStatus]:
        """A job has ended before its time: it starts again from its last checkpoint, or its runs fail; return these."""
        name = failure.job
        passive = self._passives.get(name)
        queue = self._ready if passive is None else self._passives_ready
        if self._tried_again(failure, hosts, queue):
            if passive is None:
                self._set(self.runs[name], "waiting")
            return []
        if passive is None:
            victims = [self.runs[name]]
        else:
            victims, passive.waiting = passive.waiting, []
        for status in victims:
            self._set(status, "failed")
            status.error, status.traceback = self._retries.error(name)
        return victims
