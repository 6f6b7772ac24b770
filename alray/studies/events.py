"""What executors of either kind of study report."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Failed:
    """A job ended with an error of its own: trying again on the same host would end the same way.

    Attributes:
        job: The job's name.
        error: The error in a line.
        traceback: The same in full.
        host: Where it ran; "" where that is not known.
    """

    job: str
    error: str
    traceback: str
    host: str = ""


@dataclass(frozen=True)
class Lost:
    """A job's worker died: the job can go on elsewhere from its last checkpoint.

    Attributes:
        job: The job's name.
        reason: How the worker died, in a line.
        host: Where it ran; "" where that is not known.
        out_of_memory: Whether it was killed for want of memory beside others; fewer will run on that host.
    """

    job: str
    reason: str
    host: str = ""
    out_of_memory: bool = False


@dataclass(frozen=True)
class Notice:
    """Something that the user should know; the study goes on."""

    text: str


def describe(error: BaseException) -> str:
    """Return an error in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0]
