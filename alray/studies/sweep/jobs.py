"""The jobs of a sweep, and what a worker reports of one."""

from collections.abc import Sequence
from dataclasses import dataclass

from alray.custom.code import CustomName, custom_model
from alray.settings.run import RunSpec
from alray.strategies import custom_name
from alray.studies.events import Failure
from alray.studies.sweep.records import RoundResult


@dataclass(frozen=True)
class Job:
    """A piece of work for one worker: a run, from a checkpoint up to a round; or a passive phase.

    Attributes:
        name: Unique among the jobs in progress: the run's id, or the passive phase's.
        run: The run; for a passive phase any of those that share it.
        until: Last round to run; 0 for a passive phase alone.
        start_from: Name of the checkpoint to start from, or None to start with the passive phase.
    """

    name: str
    run: RunSpec
    until: int
    start_from: str | None

    @property
    def title(self) -> str:
        """The job's name in messages."""
        name = "passive phase" if self.start_from is None else self.run.arm
        return f"{name}, seed {self.run.seed}"

    def custom_names(self) -> list[CustomName]:
        """Return what the job needs of the user's code: a passive phase needs no strategy."""
        names = [custom_model(self.run.model.name)]
        if self.until > 0:
            names.append(custom_name(self.run.strategy))
        return [name for name in names if name is not None]


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


def ends(report: Progress | Failure) -> bool:
    """Return whether a job is over with what was reported of it."""
    return isinstance(report, Failure) or report.done
