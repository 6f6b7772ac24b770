"""How a strategy chooses from a pool that is read in parts: by a score of each object, or from a short list."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alray.errors import ScoreError, SpecError
from alray.pools.columns.metadata import name_some
from alray.pools.pool import Texts
from alray.seeding import draws_by_id
from alray.strategies import ScoreStrategy, Strategy, parse
from alray.strategies.base import is_pointwise
from alray.strategies.questions.arms import QuestionStrategy
from alray.strategies.random import Random
from alray.strategies.stochastic import Stochastic
from alray.strategies.uncertainty import Margin

SHORTLIST = 10_000
"""Objects that a strategy compares with each other, unless another number is given."""

Costs = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ChoiceSeed:
    """Where the draws of one choice come from.

    Attributes:
        seed: The seed.
        round: Number of the choice: the next one draws anew.
    """

    seed: int = 0
    round: int = 0

    def draws(self, ids: Texts) -> npt.NDArray[np.uint64]:
        """Return (n,) 64 random bits for each id, which depend on the seed, the round and the id alone."""
        return draws_by_id(self.seed, 0, "choice", ids, self.round)


FIRST = ChoiceSeed()
"""That of a first choice, where none is given."""


@dataclass(frozen=True)
class Rule:
    """What is kept while a pool is read.

    Attributes:
        strategy: The strategy that chooses in the end.
        scorer: Whose scores rank the objects; None where draws alone do.
        keep: How many of the best are kept.
        compares: Whether the strategy chooses from these by comparing them, so that their features are kept.
    """

    strategy: Strategy
    scorer: ScoreStrategy | None
    keep: int
    compares: bool

    def costs(self, ids: Texts, scores: Costs, seed: ChoiceSeed) -> Costs:
        """Return (n,) numbers of which the smallest are best, made of (n,) scores.

        Raises:
            ScoreError: Some scores are NaN.
        """
        if self.scorer is None:
            return np.zeros(len(ids))
        broken = np.flatnonzero(np.isnan(scores))
        if len(broken):
            raise ScoreError(
                f"{len(broken):,} scores are NaN, of the objects {name_some(ids[broken])}: the model's outputs are not "
                "finite; try a smaller training.lr"
            )
        if isinstance(self.scorer, Stochastic):
            # Of 53 bits each, in the middle between two multiples: neither 0 nor 1, whose logarithms are infinite.
            uniform = ((seed.draws(ids) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
            return -self.scorer.drawn(scores, -np.log(-np.log(uniform)))
        return -scores if self.scorer.largest else scores


def rule_of(text: str, number: int, shortlist: int = SHORTLIST) -> Rule:
    """Return how the strategy of this text chooses so many objects.

    Args:
        text: As in the settings: `margin`, `bald:members=20`.
        number: Objects to choose.
        shortlist: Objects that are kept for a strategy that compares objects with each other: those with the smallest
            margins.

    Raises:
        SpecError: The strategy cannot choose from a pool that is read in parts, or a number is too small.
    """
    if number < 1:
        raise SpecError(f"choose at least 1 object (got {number})")
    strategy = parse(text)
    if strategy.oracle:
        raise SpecError(
            f"strategy {text!r} needs the labels of what it chooses from, which only a replay knows; choose by "
            "another, such as margin"
        )
    if isinstance(strategy, QuestionStrategy):
        raise SpecError(
            f"strategy {text!r} chooses questions, not objects; choose by another, such as margin"
        )
    if isinstance(strategy, Random):
        return Rule(strategy, None, number, compares=False)
    if isinstance(strategy, Stochastic) and strategy.stochastic == "softrank":
        raise SpecError(
            f"strategy {text!r}: stochastic=softrank draws by the ranks of all objects, which are not known while a "
            "pool is read in parts; use stochastic=power or stochastic=softmax"
        )
    if is_pointwise(strategy):
        return Rule(strategy, strategy, number, compares=False)
    if shortlist < number:
        raise SpecError(
            f"shortlist: {shortlist:,} objects are fewer than the {number:,} to choose; raise it, best to several "
            "times as many"
        )
    return Rule(strategy, Margin(), shortlist, compares=True)
