"""Which question is asked about which object next, until a round's questions are spent."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from alray.assessors.class_tree import Questions
from alray.assessors.evidence import (
    PER_HALVING,
    SURE,
    Evidence,
    possible_classes,
)
from alray.assessors.replies import Replies, Respondent
from alray.pools.pool import Indices
from alray.settings.questions import halvings
from alray.strategies.questions.scores import Best, Rule, best_questions

LogProbs = npt.NDArray[np.float32]
"""(objects, classes) of a network."""

PredictedOf = Callable[[Indices], LogProbs]
"""Takes objects, and returns what a network predicts of them."""


@dataclass(frozen=True, eq=False)
class Asking:
    """Who is asked, by which rule, and what is known so far.

    Attributes:
        questions: All questions.
        evidence: What the answers so far say; it grows with each answer.
        respondent: Who answers.
        rule: The score of questions.
        exact: Whether no answer is wrong: an object is then asked about until one class is left.
    """

    questions: Questions
    evidence: Evidence
    respondent: Respondent
    rule: Rule
    exact: bool

    def best(self, objects: Indices, predicted: LogProbs | None) -> Best:
        """Return each object's best question; all classes are alike before an answer where nothing is predicted."""
        likelihoods = self.evidence.of(objects)
        beliefs = beliefs_of(likelihoods, predicted)
        possible = torch.from_numpy(possible_classes(likelihoods))
        return best_questions(beliefs, possible, torch.from_numpy(self.questions.sets), self.rule)

    def ask(
        self,
        objects: Indices,
        questions: Sequence[int],
        round_number: int,
        predicted: LogProbs | None,
    ) -> Replies:
        """Ask one question about each of these different objects, and take the answers into account."""
        heard = [
            self.respondent.answer(index, question, self.evidence.times(index, question))
            for index, question in zip(objects.tolist(), questions, strict=True)
        ]
        assessors, answers = ([each[place] for each in heard] for place in (0, 1))
        columns = (round_number, objects, assessors, questions, answers, 0)
        table = np.stack(np.broadcast_arrays(*columns), axis=1).astype(np.int64)
        replies = Replies.of_table(table)
        self.evidence.add(replies)
        ended = self._ended(objects, predicted)
        self.evidence.done[objects[ended]] = True
        table[:, -1] = ended
        return Replies.of_table(table)

    def _ended(self, objects: Indices, predicted: LogProbs | None) -> npt.NDArray[np.bool_]:
        """Return which objects count as labelled now."""
        likelihoods = self.evidence.of(objects)
        if self.exact:
            return np.asarray((likelihoods == 0).sum(1) == 1)
        sure = beliefs_of(likelihoods, predicted).amax(1).numpy() >= SURE
        most = PER_HALVING * halvings(self.questions.classes)
        return np.asarray(sure | (self.evidence.asked[objects] >= most))


def beliefs_of(likelihoods: npt.NDArray[np.float64], predicted: LogProbs | None) -> torch.Tensor:
    """Return (objects, classes) float64 probabilities by answers, and by a prediction where there is one."""
    logs = torch.from_numpy(likelihoods)
    if predicted is not None:
        # A probability that float32 does not hold is small, and no proof.
        floor = float(np.finfo(np.float32).min)
        logs = logs + torch.from_numpy(predicted).double().clamp_min(floor)
    return torch.softmax(logs, 1)


def ask_all(asking: Asking, objects: Indices, round_number: int) -> Replies:
    """Ask about all of these objects until each counts as labelled, whatever that costs, by no model."""
    asked, left = Replies(), objects
    while len(left):
        best = asking.best(left, None)
        asked += asking.ask(left, best.questions.tolist(), round_number, None)
        left = left[~asking.evidence.done[left]]
    return asked


def asked_by_halves(questions: Questions) -> npt.NDArray[np.int64]:
    """Return (classes,) how many questions an object of each class takes by halves, where no answer is wrong."""
    objects = np.arange(questions.classes)

    def never(index: int) -> np.random.Generator:
        raise RuntimeError(f"nothing is drawn where no answer is wrong (object {index})")

    evidence = Evidence(questions.sets, 0.0, len(objects))
    respondent = Respondent(questions.sets, objects, np.zeros(1), never)
    replies = ask_all(Asking(questions, evidence, respondent, "eig", exact=True), objects, 0)
    return np.bincount(replies.objects, minlength=len(objects))


def ask_in_order(
    asking: Asking,
    order: Indices,
    budget: int,
    round_number: int,
    predicted_of: PredictedOf | None,
) -> Replies:
    """Ask about one object after the other until it counts as labelled, and stop when the budget is spent.

    Args:
        asking: Who is asked, and what is known.
        order: Objects that do not count as labelled, the first one first.
        budget: Most questions.
        round_number: The round.
        predicted_of: Of a network, where it chooses the questions.
    """
    # Each takes a question at least.
    order = order[:budget]
    rows = None if predicted_of is None or not len(order) else predicted_of(order)
    asked: list[Replies] = []
    for position in range(len(order)):
        one = order[position : position + 1]
        predicted = None if rows is None else rows[position : position + 1]
        while len(asked) < budget and not asking.evidence.done[one[0]]:
            best = asking.best(one, predicted)
            asked.append(asking.ask(one, best.questions.tolist(), round_number, predicted))
    return joined(asked)


class Pair(NamedTuple):
    """An object with its best question, in the order of preference.

    Attributes:
        key: The score, negative: the smallest one is best.
        chance: Decides between equal ones.
        object: The object.
        question: The question.
        row: Where its prediction is.
    """

    key: float
    chance: int
    object: int
    question: int
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

    Args:
        asking: Who is asked, and what is known.
        pairs: The best ones, each of another object.
        predicted: What a network says of their objects.
        budget: Most questions.
        round_number: The round.

    Returns:
        The answers, and by object the score of its first question of the round.
    """
    heap = list(pairs)
    heapq.heapify(heap)
    asked: list[Replies] = []
    first: dict[int, float] = {}
    while heap and len(asked) < budget:
        best = heapq.heappop(heap)
        first.setdefault(best.object, -best.key)
        one, row = np.array([best.object]), predicted[best.row : best.row + 1]
        asked.append(asking.ask(one, [best.question], round_number, row))
        if not asking.evidence.done[best.object]:
            found = asking.best(one, row)
            key, question = -float(found.scores[0]), int(found.questions[0])
            heapq.heappush(heap, best._replace(key=key, question=question))
    return joined(asked), first


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
    table = np.empty((0, 4))
    rows: LogProbs = np.empty((0, asking.questions.classes), dtype=np.float32)
    for objects in blocks:
        predicted = predicted_of(objects)
        best = asking.best(objects, predicted)
        columns = (-best.scores.numpy(), chances[objects], objects, best.questions.numpy())
        table = np.concatenate([table, np.stack(columns, axis=1)])
        chosen = np.lexsort((table[:, 1], table[:, 0]))[:most]
        table, rows = table[chosen], np.concatenate([rows, predicted])[chosen]
    pairs = [
        Pair(key, int(chance), int(index), int(question), row)
        for row, (key, chance, index, question) in enumerate(table.tolist())
    ]
    return pairs, rows


def joined(parts: Sequence[Replies]) -> Replies:
    """Return answers one after the other."""
    return Replies.of_table(np.concatenate([each.table() for each in (Replies(), *parts)]))


def blocks_of(objects: Indices, rows: int) -> Iterator[Indices]:
    """Yield objects in blocks of so many."""
    for start in range(0, len(objects), rows):
        yield objects[start : start + rows]
