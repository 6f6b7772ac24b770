"""What can go wrong, each kind with the exit code that the command line returns for it."""

from typing import ClassVar


class AlrayError(Exception):
    """Base of every error that is the input's or the environment's fault, not a bug.

    The message names the file, column or setting, the offending value, and what to do next.
    """

    exit_code: ClassVar[int] = 2


class SpecError(AlrayError):
    """A setting is unknown, out of range, or contradicts another one."""


class PoolError(AlrayError):
    """A pool's file cannot be read or its content cannot be used."""


class ExchangeError(AlrayError):
    """A labelling tool's file or server cannot be read, or tasks cannot be written for it."""


class StoreError(AlrayError):
    """A results folder cannot be written, or holds something else than expected."""


class ClusterError(AlrayError):
    """The machine or cluster cannot hold or run the study."""


class ScoreError(AlrayError):
    """A strategy met scores that cannot be ranked (NaN), or was asked for what the model lacks."""


class StudyFailed(AlrayError):  # noqa: N818 -- what has happened to the study
    """Too much of a study has failed to say anything."""

    exit_code: ClassVar[int] = 1


class Interrupted(AlrayError):  # noqa: N818 -- a wish of the user, not an error
    """The user stopped the study; everything known is on disk."""

    exit_code: ClassVar[int] = 130
