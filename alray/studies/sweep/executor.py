"""How the driver hands out runs, whatever executes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from alray.settings.run import RunSpec
from alray.studies.events import Failed, Lost, Notice
from alray.studies.retries import NOWHERE
from alray.studies.sweep.records import RoundResult


@dataclass(frozen=True)
class Job:
    """A piece of work for one worker: play a run from a state up to a round.

    Attributes:
        name: Unique among the jobs in progress: the run's id, or the passive phase's.
        run: The run; for a passive phase any of those that share it.
        until: Last round to play; 0 for a passive phase alone.
        state: Content of a checkpoint to start from, or None to start with the passive phase.
    """

    name: str
    run: RunSpec
    until: int
    state: bytes | None


@dataclass(frozen=True)
class Progress:
    """Rounds that a job has finished since its last message.

    Attributes:
        job: The job's name.
        results: Results of the rounds, in order; may be empty.
        round: The last round that is done.
        state: Content of a checkpoint of that round, where one was due.
        done: Whether the job is finished; it then comes with a state.
        host: Where it runs.
    """

    job: str
    results: Sequence[RoundResult]
    round: int
    state: bytes | None
    done: bool
    host: str


Event = Progress | Failed | Lost | Notice


@runtime_checkable
class Executor(Protocol):
    """Plays jobs on workers, one job per worker at a time; hosts go by their names."""

    def __enter__(self) -> "Executor":
        """Start up."""

    def __exit__(self, *_: object) -> None:
        """Let go of all workers."""

    def hosts(self) -> frozenset[str]:
        """Return the hosts where workers are or can be."""

    def scale(self, jobs: int, avoid: frozenset[str] = NOWHERE) -> None:
        """Have workers for as many jobs as wait, now or soon, within what is allowed; let go of the others.

        Args:
            jobs: How many wait.
            avoid: Hosts on which idle workers are of no use to any of them.
        """

    def idle(self) -> Sequence[str]:
        """Return the host of each worker that could take a job now."""

    def submit(self, job: Job, host: str) -> None:
        """Give a job to an idle worker on a host."""

    def wait(self, seconds: float) -> list[Event]:
        """Return what has happened, after at most about `seconds` if nothing has."""

    def interrupt(self) -> list[Event]:
        """Stop all jobs between two rounds and return what they have not reported yet, each with a state."""
