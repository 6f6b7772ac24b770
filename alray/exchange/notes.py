"""What was left out of a file of answers or is unusual in it: counted and named."""

from dataclasses import dataclass

KINDS = {
    "unanswered": "tasks without an answer, left out",
    "without_id": "records that do not say which object they are about, left out",
    "skipped": "answers skipped by their workers",
    "rejected": "answers that were rejected",
    "several_choices": "answers that name several classes, counted as skipped, since an object has one",
    "no_choice": "answers without a class, counted as skipped",
    "golden": "control tasks, whose answers were known before, left out",
    "waiting": "assignments that wait for review, left out: accept or reject them, and export again",
    "not_reviewed": "answers that are not approved yet, used all the same",
    "not_submitted": "assignments that were not handed in, left out",
    "draft": "drafts, left out",
    "unused_columns": "columns that are not used",
}
"""Kind of a note: what it counts."""


@dataclass(frozen=True)
class Note:
    """One kind of thing that was left out or is unusual.

    Attributes:
        kind: One of `KINDS`.
        count: How many there are.
        names: The first of them: tasks, records or columns.
    """

    kind: str
    count: int
    names: tuple[str, ...]

    @property
    def text(self) -> str:
        """A sentence for people, which names the first five."""
        more = self.count - len(self.names)
        names = ", ".join(self.names) + (f" and {more:,} more" if more else "")
        return f"{KINDS[self.kind]}: {self.count:,} ({names})"


class Notes:
    """Collects what is found while a file is read."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}

    def add(self, kind: str, name: object) -> None:
        """Count one thing of a kind of `KINDS`."""
        self._names.setdefault(kind, []).append(str(name))

    def found(self) -> tuple[Note, ...]:
        """Return a note per kind that was met, in the order of `KINDS`."""
        return tuple(
            Note(kind, len(self._names[kind]), tuple(self._names[kind][:5]))
            for kind in KINDS
            if kind in self._names
        )
