"""What executors report besides results: failures of jobs, and notices."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """A job has ended before its time.

    Attributes:
        job: The job's name.
        reason: Why, in a line.
        host: Where it ran; "" if that is not known.
        traceback: The reason in full, if there is more.
        died: Whether its worker died: the job can go on elsewhere from its last checkpoint. Otherwise the job itself
            had an error: trying again on the same host would end the same way.
        out_of_memory: Whether its worker was killed for want of memory beside others; fewer will run on that host.
    """

    job: str
    reason: str
    host: str = ""
    traceback: str = ""
    died: bool = True
    out_of_memory: bool = False


@dataclass(frozen=True)
class Notice:
    """Something that the user should know; the study goes on."""

    text: str


def describe(error: BaseException) -> str:
    """Return an error in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0]
