"""A crowd's answers as a table of numbers."""

from dataclasses import dataclass

from alray.pools.pool import Indices

UNKNOWN = -1
"""In the place of a class where the truth is not known."""


@dataclass(frozen=True, eq=False)
class AnswerTable:
    """Answers of workers about tasks, a row each.

    Attributes:
        workers: Their names, sorted: assessor 0 is the first.
        tasks: (m,) number of each answer's task.
        answered_by: (m,) position of its worker.
        labels: (m,) class that was answered.
        truths: (tasks,) class of each task, `UNKNOWN` where it is not known.
        content: A hash of the rows, whatever their order.
        skipped: Rows without a label, which are left out.
    """

    workers: tuple[str, ...]
    tasks: Indices
    answered_by: Indices
    labels: Indices
    truths: Indices
    content: str
    skipped: int
