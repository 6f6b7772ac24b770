"""A simulated crowd: each assessor's answers given the truth."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from alray.assessors.confusable import Shares
from alray.settings.crowd import CrowdSpec

Confusions = npt.NDArray[np.float64]
"""(assessors, classes, classes): P(answer | truth) of each, truth along the second axis."""

SKIP = -1
"""In the place of a class where an assessor skipped the question."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """Assessors, who answer independently of each other given the truth.

    Attributes:
        confusions: (assessors, classes, classes) P(answer | truth).
        skips: Share of questions that each skips.
    """

    confusions: Confusions
    skips: float

    def __len__(self) -> int:
        return len(self.confusions)

    @property
    def skills(self) -> npt.NDArray[np.float64]:
        """(assessors,) each one's share of right answers, classes alike."""
        return np.asarray(np.diagonal(self.confusions, axis1=1, axis2=2).mean(1))

    @cached_property
    def _cumulated(self) -> npt.NDArray[np.float64]:
        """(classes, assessors, classes): by truth, each assessor's probability of an answer up to this one."""
        return np.asarray(np.cumsum(self.confusions.swapaxes(0, 1), axis=2))

    def answers(self, truth: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
        """Draw (assessors,) what each would answer about one object of this class: a class, or `SKIP`."""
        levels, skipped = rng.random(len(self)), rng.random(len(self)) < self.skips
        cumulated = self._cumulated[truth]
        # Sums of shares end a rounding away from 1.
        found = (cumulated < levels[:, None] * cumulated[:, -1:]).sum(1)
        return np.where(skipped, SKIP, found).astype(np.int64)


def make_crowd(spec: CrowdSpec, shares: Shares, rng: np.random.Generator) -> Crowd:
    """Return a crowd by its settings.

    An assessor's share of wrong answers has the log odds of `rate` plus a normal number times `skill_spread`. Spammers
    answer every class alike.

    Args:
        spec: The settings.
        shares: (classes, classes) what is answered in the place of each class.
        rng: Draws each assessor's skill, and who is a spammer.
    """
    classes = len(shares)
    deviations = spec.skill_spread * rng.standard_normal(spec.assessors)
    order = rng.permutation(spec.assessors)
    wrong = np.zeros(spec.assessors)
    if spec.rate > 0:
        odds = math.log(spec.rate / (1 - spec.rate)) + deviations
        wrong = 1 / (1 + np.exp(-odds))
    right = np.eye(classes)
    confusions = (1 - wrong)[:, None, None] * right + wrong[:, None, None] * shares
    confusions[order[: round(spec.spammers * spec.assessors)]] = 1 / classes
    return Crowd(confusions, spec.skips)
