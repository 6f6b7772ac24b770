"""The four arms of Hu et al. 2019: objects at random or chosen, questions by halves or by the model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from typing_extensions import override

from alray.errors import SpecError
from alray.settings.base import unknown_name
from alray.settings.questions import PASSIVE, PREFIX
from alray.strategies.base import BatchStrategy
from alray.strategies.questions.scores import Rule
from alray.strategies.signals import Request


@dataclass(frozen=True)
class QuestionStrategy(BatchStrategy):
    """Base of strategies that ask yes/no questions, as `studies/sweep/question_rounds.py` does: they select nothing.

    Attributes:
        by_model: Whether a question is chosen by the model's probabilities, and not by halves alone.
    """

    by_model: ClassVar[bool] = False

    @property
    def rule(self) -> Rule:
        """The score of questions: by halves it is eig, with all possible classes alike."""
        return "eig"

    @property
    @override
    def needs(self) -> Request:
        return Request(log_probs=True)


@dataclass(frozen=True)
class Passive(QuestionStrategy):
    """Takes random objects, and asks about each until one class is left: halves first, as in a binary search.

    No model is asked: the question is the one whose set is nearest to half of the classes that are still possible.
    """

    @property
    @override
    def needs(self) -> Request:
        return Request()


@dataclass(frozen=True)
class ActiveQuestions(QuestionStrategy):
    """Takes random objects, and asks about each until one class is left, the best question by the model first.

    Attributes:
        score: The best question: eig, the largest expected information gain; erc, the fewest classes expected to
            remain; edc, the most classes expected to drop out. For one object the last two are alike.
    """

    by_model: ClassVar[bool] = True
    score: Rule = "eig"

    @property
    @override
    def rule(self) -> Rule:
        return self.score


@dataclass(frozen=True)
class ActiveLearning(QuestionStrategy):
    """Takes the objects that the model is most uncertain of, and asks about each as `questions:passive` does.

    Attributes:
        by: The score of objects, a strategy of its own.
    """

    by: Literal["margin", "entropy", "least_confidence"] = "margin"


@dataclass(frozen=True)
class PartialFeedback(QuestionStrategy):
    """Asks the best question of all about any object, and learns from answers that leave several classes possible.

    The score of an object's best question is its own; after an answer it is worked out anew.

    Attributes:
        score: The best pair of object and question: eig, the largest expected information gain; erc, the fewest
            classes expected to remain; edc, the most classes expected to drop out.
    """

    by_model: ClassVar[bool] = True
    score: Rule = "eig"

    @property
    @override
    def rule(self) -> Rule:
        return self.score


QUESTIONS: Mapping[str, type[QuestionStrategy]] = {
    PASSIVE: Passive,
    f"{PREFIX}:aq": ActiveQuestions,
    f"{PREFIX}:al": ActiveLearning,
    f"{PREFIX}:alpf": PartialFeedback,
}
"""All of them by name."""


def refuse_unknown(name: str, words: list[str]) -> None:
    """Refuse `questions` without one of its names behind it.

    Raises:
        SpecError: Names the nearest one, or all.
    """
    given = words[0] if words else ""
    if name == PREFIX and f"{name}:{given}" not in QUESTIONS:
        known = [each.partition(":")[2] for each in QUESTIONS]
        reason = unknown_name("name", given, known) if given else f"valid are: {', '.join(known)}"
        raise SpecError(
            f"strategies of yes/no questions are written {PREFIX}:NAME, such as {PREFIX}:alpf: {reason}"
        )
