"""Which objects' best questions come first, over all objects, until a round's questions are spent."""

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from alray.assessors.replies import Replies
from alray.pools.pool import Indices
from alray.studies.sweep.question_rounds import (
    AT_ONCE,
    Asking,
    LogProbs,
    PredictedOf,
    asked_ahead,
)


class Pair(NamedTuple):
    """An object with its best question's score, in the order of preference.

    Attributes:
        key: The score, negative: the smallest one is best.
        chance: Decides between equal ones.
        object: The object.
        row: Where its prediction is.
    """

    key: float
    chance: int
    object: int
    row: int


def ask_best_pairs(
    asking: Asking,
    pairs: Sequence[Pair],
    predicted: LogProbs,
    budget: int,
    round_number: int,
) -> tuple[Replies, dict[int, float]]:
    """Ask the best question of all, then again the best one after its answer, until the budget is spent.

    An answer changes the best question of its own object alone, so a heap with one entry per object needs one new
    entry for each answer. With as many objects as the budget has questions it does what one of all objects would do.
    For the same reason objects are asked ahead about, many together; what the heap does not come to is dropped.

    Args:
        asking: Who is asked, and what is known.
        pairs: The best ones, each of another object.
        predicted: What a network says of their objects.
        budget: Most questions.
        round_number: The round.

    Returns:
        The answers, and by object the score of its first question of the round.
    """
    heap = sorted(pairs)
    objects = np.array([pair.object for pair in heap], dtype=np.int64)
    rows = [pair.row for pair in heap]
    ahead, seen = asking.ahead(), 0
    answered = Replies()
    # By object, for each question to come, its score and where its answer is.
    coming: dict[int, deque[tuple[float, int]]] = {}
    asked: list[int] = []
    first: dict[int, float] = {}
    while heap and len(asked) < budget:
        best = heap[0]
        if best.object not in coming:
            # It is the first of those that were not asked ahead about: they are in the order of their keys.
            part = slice(seen, seen + AT_ONCE)
            replies, scores = asked_ahead(
                ahead, objects[part], round_number, predicted[rows[part]]
            )
            of_each = zip(replies.objects.tolist(), scores.tolist(), strict=True)
            for row, (index, score) in enumerate(of_each, start=len(answered)):
                coming.setdefault(index, deque()).append((score, row))
            answered, seen = answered + replies, seen + AT_ONCE
        first.setdefault(best.object, -best.key)
        asked.append(coming[best.object].popleft()[1])
        if coming[best.object]:
            heapq.heapreplace(heap, best._replace(key=-coming[best.object][0][0]))
        else:
            heapq.heappop(heap)
    replies = Replies.of_table(answered.table()[asked])
    asking.evidence.add(replies)
    return replies, first


def best_pairs(
    asking: Asking,
    blocks: Iterable[Indices],
    predicted_of: PredictedOf,
    chances: npt.NDArray[np.int64],
    most: int,
) -> tuple[list[Pair], LogProbs]:
    """Return the best pairs, each of another object, and what is predicted of their objects.

    Args:
        asking: Who is asked, and what is known.
        blocks: All objects that do not count as labelled, block by block, which bounds the memory.
        predicted_of: Of a network.
        chances: By object what decides between equal scores.
        most: How many pairs.
    """
    table = np.empty((0, 3))
    rows: LogProbs = np.empty((0, asking.questions.classes), dtype=np.float32)
    for objects in blocks:
        predicted = predicted_of(objects)
        scores = asking.best(objects, predicted).scores.numpy()
        columns = (-scores, chances[objects], objects)
        table = np.concatenate([table, np.stack(columns, axis=1)])
        chosen = np.lexsort((table[:, 1], table[:, 0]))[:most]
        table, rows = table[chosen], np.concatenate([rows, predicted])[chosen]
    pairs = [
        Pair(key, int(chance), int(index), row)
        for row, (key, chance, index) in enumerate(table.tolist())
    ]
    return pairs, rows


def blocks_of(objects: Indices, rows: int) -> Iterator[Indices]:
    """Yield objects in blocks of so many."""
    for start in range(0, len(objects), rows):
        yield objects[start : start + rows]
