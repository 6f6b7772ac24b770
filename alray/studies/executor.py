"""How a driver hands out jobs: one protocol for both kinds of study and for everything that runs jobs."""

from collections.abc import Sequence
from typing import Protocol, TypeVar, runtime_checkable

from alray.studies.events import Failure, Notice
from alray.studies.retries import NOWHERE


@runtime_checkable
class NamedJob(Protocol):
    """A piece of work for one worker."""

    @property
    def name(self) -> str:
        """Unique among the jobs of a study that run at one time."""

    @property
    def title(self) -> str:
        """The job's name in messages."""


@runtime_checkable
class Result(Protocol):
    """What a job has yielded since its last result."""

    @property
    def job(self) -> str:
        """The job's name."""

    @property
    def done(self) -> bool:
        """Whether nothing more is coming."""


JobT = TypeVar("JobT", bound=NamedJob)
ResultT = TypeVar("ResultT", bound=Result)
Job_contra = TypeVar("Job_contra", contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)


@runtime_checkable
class Executor(Protocol[Job_contra, Result_co]):
    """Runs jobs on workers, one job per worker at a time; hosts go by their names."""

    def __enter__(self) -> "Executor[Job_contra, Result_co]":
        """Start up."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release all workers.

        Raises:
            RuntimeError: Nothing went wrong so far, but what has to hold after the last job does not.
        """

    def hosts(self) -> frozenset[str]:
        """Return the hosts where workers are or can be."""

    def scale(self, jobs: int, avoid: frozenset[str] = NOWHERE) -> None:
        """Have workers for as many jobs as wait, now or soon, within what is allowed; release the others.

        Idle workers on the hosts of `avoid` are of no use to any of these jobs.
        """

    def idle(self) -> Sequence[str]:
        """Return the host of each worker that could take a job now; "" for one that could be anywhere."""

    def submit(
        self,
        job: Job_contra,
        start_from: bytes | None,
        host: str,
        avoid: frozenset[str] = NOWHERE,
    ) -> None:
        """Give a job to an idle worker.

        Args:
            job: The job.
            start_from: Content of the file that it starts from, None where it starts from nothing.
            host: The worker's host, as `idle` returned it.
            avoid: Hosts that it must not run on where `host` is "".
        """

    def wait(self, seconds: float) -> Sequence[Result_co | Failure | Notice]:
        """Return what has happened, after at most about `seconds` if nothing has."""

    def interrupt(self) -> Sequence[Result_co | Failure | Notice]:
        """Stop all jobs and return what they have not reported yet, as far as it is of use."""
