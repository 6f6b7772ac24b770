"""Which question is asked about which object next, until a round's questions are spent."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
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

AT_ONCE = 256
"""Objects that are asked ahead about together: what is beyond a round's questions, of so many at most, is dropped."""

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
        questions: Indices,
        round_number: int,
        predicted: LogProbs | None,
    ) -> Replies:
        """Ask one question about each of these different objects, and take the answers into account."""
        before = self.evidence.times(objects, questions)
        assessors, answers = self.respondent.answers(objects, questions, before)
        columns = (round_number, objects, assessors, questions, answers, 0)
        table = np.stack(np.broadcast_arrays(*columns), axis=1).astype(np.int64)
        replies = Replies.of_table(table)
        self.evidence.add(replies)
        ended = self._ended(objects, predicted)
        self.evidence.done[objects[ended]] = True
        table[:, -1] = ended
        return Replies.of_table(table)

    def ahead(self) -> "Asking":
        """Return one that asks ahead: its evidence is a copy, so what it hears counts there alone."""
        return replace(self, evidence=self.evidence.copied())

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
    return joined([wave.replies for wave in _waves(asking, objects, round_number, None)])


class Wave(NamedTuple):
    """A question about each of some objects.

    Attributes:
        positions: (m,) which of the objects.
        scores: (m,) of the questions.
        replies: The answers.
    """

    positions: Indices
    scores: npt.NDArray[np.float64]
    replies: Replies


def _waves(
    asking: Asking, objects: Indices, round_number: int, predicted: LogProbs | None
) -> Iterator[Wave]:
    """Ask the best question about each of these objects, again and again, until each counts as labelled."""
    left = np.flatnonzero(~asking.evidence.done[objects])
    while len(left):
        rows = None if predicted is None else predicted[left]
        best = asking.best(objects[left], rows)
        replies = asking.ask(objects[left], best.questions.numpy(), round_number, rows)
        yield Wave(left, best.scores.numpy(), replies)
        left = left[~asking.evidence.done[objects[left]]]


def asked_ahead(
    ahead: Asking, objects: Indices, round_number: int, predicted: LogProbs | None
) -> tuple[Replies, npt.NDArray[np.float64]]:
    """Return all that is asked about these objects until each counts as labelled, object by object, with its scores.

    An answer changes the questions about its own object alone, so they are the same whichever object is asked about
    first, and a wave takes little more time than a question alone would.
    """
    waves = list(_waves(ahead, objects, round_number, predicted))
    order = np.argsort(np.concatenate([wave.positions for wave in waves]), kind="stable")
    scores = np.concatenate([wave.scores for wave in waves])[order]
    table = joined([wave.replies for wave in waves]).table()[order]
    return Replies.of_table(table), scores


def asked_by_halves(questions: Questions) -> npt.NDArray[np.int64]:
    """Return (classes,) how many questions an object of each class takes by halves, where no answer is wrong."""
    objects = np.arange(questions.classes)

    def never(index: int) -> np.random.Generator:
        raise RuntimeError(f"nothing is drawn where no answer is wrong (object {index})")

    evidence = Evidence(questions.sets, 0.0, len(objects))
    respondent = Respondent(questions.sets, objects, never)
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
    ahead, asked = asking.ahead(), Replies()
    for start in range(0, len(order), AT_ONCE):
        if len(asked) >= budget:
            break
        part = slice(start, start + AT_ONCE)
        predicted = None if rows is None else rows[part]
        asked += asked_ahead(ahead, order[part], round_number, predicted)[0]
    asked = Replies.of_table(asked.table()[:budget])
    asking.evidence.add(asked)
    return asked


def joined(parts: Sequence[Replies]) -> Replies:
    """Return answers one after the other."""
    return Replies.of_table(np.concatenate([each.table() for each in (Replies(), *parts)]))
