"""Asking a crowd: who is asked about which objects, until when, and what they answer."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from alray.assessors.answers import Answers
from alray.assessors.columns import Column
from alray.assessors.crowd import SKIP, Crowd
from alray.pools.pool import Indices

Generators = Callable[[int], np.random.Generator]
"""Takes an object's pool index, and returns the generator of its answers."""

Enough = Callable[[Column], int]
"""Takes what assessors would answer about an object one after the other, and returns how many of them to ask."""

Orders = npt.NDArray[np.int64]
"""(objects, assessors) assessors in the order in which they are asked about each object."""

FIRST = 2
"""Answers that an object gets before it can be seen whether they agree."""


@dataclass(frozen=True, eq=False)
class Asking:
    """How a round asks.

    Attributes:
        round: Its number.
        enough: Says when to stop.
        orders: Whom to ask first about each object; where None, the object's own generator draws it.
        before: Who was asked already, and is not asked about the same object again.
    """

    round: int
    enough: Enough
    orders: Orders | None = None
    before: Answers = field(default_factory=Answers)


def until(answers: int) -> Enough:
    """Return a rule: until there are so many answers; a skip is none."""

    def count(heard: Column) -> int:
        given = np.flatnonzero(heard != SKIP)
        return int(given[answers - 1]) + 1 if len(given) >= answers else len(heard)

    return count


def until_agreed(most: int) -> Enough:
    """Return a rule: until more than half of two answers or more name one class, or there are `most` answers."""

    def count(heard: Column) -> int:
        votes: Counter[int] = Counter()
        for asked, answer in enumerate(heard.tolist(), 1):
            if answer == SKIP:
                continue
            votes[answer] += 1
            given = votes.total()
            if given == most or (given >= FIRST and 2 * max(votes.values()) > given):
                return asked
        return len(heard)

    return count


def ask(
    crowd: Crowd, objects: Indices, truths: Indices, asking: Asking, generators: Generators
) -> Answers:
    """Ask about objects until it is enough for each, or everyone was asked.

    What each assessor would say about an object is drawn by the object's own generator, and so is a random order: they
    depend neither on when it is asked about nor on what else is. Arms that ask the same people about the same object
    hear the same, and who asks again goes on where he stopped.

    Args:
        crowd: Who answers.
        objects: (n,) pool indices, each once.
        truths: (n,) their classes.
        asking: Whom to ask first, and when to stop.
        generators: Of each object.
    """
    lasts, assessors, classes = [0] * len(objects), list[Column](), list[Column]()
    for row, (index, truth) in enumerate(zip(objects.tolist(), truths.tolist(), strict=True)):
        rng = generators(index)
        order = rng.permutation(len(crowd))
        answers = crowd.answers(truth, rng)
        if asking.orders is not None:
            order = asking.orders[row]
        already = asking.before.assessors[asking.before.objects == index]
        if len(already):
            order = order[~np.isin(order, already)]
        heard = answers[order]
        lasts[row] = asking.enough(heard)
        assessors.append(order[: lasts[row]])
        classes.append(heard[: lasts[row]])
    if not lasts:
        return Answers()
    asked = np.repeat(objects, lasts)
    rounds = np.full(len(asked), asking.round)
    return Answers(rounds, asked, np.concatenate(assessors), np.concatenate(classes))
