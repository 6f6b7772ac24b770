"""Who is given which object: each waits for so many answers, and no assessor gets one twice. Pure; not for threads."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

HELD_SECONDS = 600.0
"""After so long an object that an assessor was given and has not answered goes to others too."""


class Said(NamedTuple):
    """What an assessor said about an object.

    Attributes:
        task: The object's id.
        worker: The assessor.
        status: `answered`, `skipped` or `rejected`: not counted.
    """

    task: str
    worker: str
    status: str


@dataclass(frozen=True)
class Progress:
    """How far the answers are.

    Attributes:
        given: Answers that came, of those that were waited for since the desk was opened.
        total: All of these.
        waiting: Objects that still wait for an answer.
        yours: Answers of the assessor who asks, skips among them, since then.
    """

    given: int
    total: int
    waiting: int
    yours: int


class Desk:
    """Gives objects to assessors.

    An object that is in the hands of an assessor counts as answered for others, for `HELD_SECONDS`. What an assessor
    has said anything about comes to him again only where he took that back himself.
    """

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._said: dict[str, dict[str, str]] = {}
        self._counted: Counter[str] = Counter()
        self._at_first: dict[str, int] = {}
        self._held: dict[str, tuple[str, float]] = {}
        self._given: dict[str, list[str]] = {}
        self._taken_back: set[tuple[str, str]] = set()

    def load(self, said: Iterable[Said]) -> None:
        """Take in what is on record; a later row about the same object by the same assessor replaces the earlier."""
        for each in said:
            there = self._said.setdefault(each.task, {})
            before = there.get(each.worker, "rejected")
            there[each.worker] = each.status
            self._counted[each.task] += (each.status != "rejected") - (before != "rejected")

    def open(self, tasks: Iterable[str]) -> None:
        """Lay objects on the desk, in the order in which they are given; those that are there stay."""
        for each in tasks:
            self._at_first.setdefault(each, min(self._counted[each], self._wanted))

    def allow_again(self, task: str, worker: str) -> None:
        """Note that an assessor took back what he said about an object."""
        self._taken_back.add((task, worker))

    def next(self, worker: str, now: float) -> str | None:
        """Return the object that an assessor is to answer about, None where none waits for him.

        Args:
            worker: The assessor.
            now: Seconds of a clock that never goes back.
        """
        if worker in self._held:
            return self._held[worker][0]
        others = Counter(task for task, since in self._held.values() if now - since < HELD_SECONDS)
        for task in self._at_first:
            if self._counted[task] + others[task] < self._wanted and self._may(task, worker):
                self._held[worker] = (task, now)
                return task
        return None

    def holds(self, worker: str, task: str) -> bool:
        """Whether this is the object that an assessor was given last, and has not answered."""
        return worker in self._held and self._held[worker][0] == task

    def held_for(self, worker: str, now: float) -> float:
        """Return for how many seconds an assessor has had his object."""
        return now - self._held[worker][1]

    def answer(self, said: Said) -> None:
        """Take an answer about the object that the assessor holds."""
        self.load([said])
        self._taken_back.discard((said.task, said.worker))
        del self._held[said.worker]
        self._given.setdefault(said.worker, []).append(said.task)

    def last(self, worker: str) -> str | None:
        """Return the object that an assessor answered about last since the desk was opened, None before the first."""
        given = self._given.get(worker)
        return given[-1] if given else None

    def take_back(self, worker: str, now: float) -> None:
        """Take back an assessor's last answer: he holds its object again, and what he held goes back."""
        task = self._given[worker].pop()
        self.load([Said(task, worker, "rejected")])
        self.allow_again(task, worker)
        self._held[worker] = (task, now)

    def waiting(self) -> int:
        """Return how many objects still wait for an answer."""
        return sum(self._counted[task] < self._wanted for task in self._at_first)

    def progress(self, worker: str) -> Progress:
        """Return how far the answers are."""
        given = sum(
            max(0, min(self._counted[task], self._wanted) - first)
            for task, first in self._at_first.items()
        )
        total = sum(self._wanted - first for first in self._at_first.values())
        return Progress(given, total, self.waiting(), len(self._given.get(worker, ())))

    def answered(self) -> tuple[int, int]:
        """Return how many answers were taken since the desk was opened, and by how many assessors."""
        numbers = [len(each) for each in self._given.values() if each]
        return sum(numbers), len(numbers)

    def _may(self, task: str, worker: str) -> bool:
        return worker not in self._said.get(task, {}) or (task, worker) in self._taken_back
