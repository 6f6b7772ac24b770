"""Settings of yes/no questions about classes: which sets of classes are asked about, and what an answer costs."""

import math
from typing import Annotated

from pydantic import Field

from alray.settings.base import Count, NotNegative, Settings

FROM_FEATURES, FROM_NAMES = "features", "names"
"""Trees that need no file."""

TREES = {
    FROM_FEATURES: "a tree built from the classes' features, which takes all labels",
    FROM_NAMES: "a tree by class names",
}
"""What trees without a file are, in words."""

PREFIX = "questions"
"""What the names of strategies of yes/no questions begin with, before a colon."""

PASSIVE = f"{PREFIX}:passive"
"""The strategy that the others are compared with: random objects, questions by halves."""

BelowHalf = Annotated[float, Field(ge=0, lt=0.5)]

ClassSet = tuple[str, tuple[int, ...]]
"""A name, and the positions of the classes that belong to it."""


class QuestionsSpec(Settings):
    """Yes/no questions, such as "is it a bird?", which arms `questions:...` ask in the place of labels."""

    tree: str = Field(
        FROM_FEATURES,
        description="the tree of classes, whose nodes are what is asked about: a CSV or Parquet file with the columns "
        "class and parent; names, where class names have a separator (animals/birds); or features, where classes with "
        "near means of the pool's own features go together, which takes labels that no budget counts",
    )
    separator: Annotated[str, Field(min_length=1)] = Field(
        "/", description="what separates the nodes in class names, under tree: names"
    )
    per_round: Count | None = Field(
        None,
        description="questions in a round; if not given, those that query labels take by binary search in a balanced "
        "tree: query x log2 of the number of classes, rounded up",
    )
    cost: NotNegative = Field(0.01, description="price of a yes/no answer")
    rate: BelowHalf = Field(0.0, description="share of wrong yes/no answers")
    label_cost: NotNegative | None = Field(
        None,
        description="price of a label, of arms that buy labels; if not given, that of its yes/no answers by binary "
        "search in a balanced tree",
    )

    @property
    def words(self) -> str:
        """What is asked, in words."""
        wrong = f", {100 * self.rate:.3g} % of answers wrong" if self.rate else ""
        return f"{self.cost:g} an answer{wrong}, about {TREES.get(self.tree, self.tree)}"

    def questions_of(self, query: int, classes: int) -> int:
        """Questions in a round of an arm that would query so many labels."""
        return self.per_round or query * halvings(classes)

    def label_price(self, classes: int) -> float:
        """What a label costs."""
        return self.cost * halvings(classes) if self.label_cost is None else self.label_cost


class AskedSpec(Settings):
    """The questions of one run.

    Attributes:
        sets: What is asked about besides single classes; None for the tree that the run builds from the features of
            its train part.
        per_round: Questions in a round.
        cost: Price of an answer.
        rate: Share of wrong answers.
    """

    sets: tuple[ClassSet, ...] | None
    per_round: Count
    cost: NotNegative
    rate: BelowHalf


def halvings(classes: int) -> int:
    """Return how often a set of so many classes is halved until one is left: log2, rounded up."""
    return max(1, math.ceil(math.log2(classes)))
