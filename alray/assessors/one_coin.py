"""What answers say together, by each assessor's share of right answers: the one-coin form of Dawid and Skene's model.

An object has few answers, and among the classes that none of them names, its posterior is as its prior is. So a step of
EM looks at the named classes alone: it takes as long as there are answers, however many classes there are.
"""

import numpy as np
import numpy.typing as npt

from alray.assessors.answers import Answers
from alray.assessors.beliefs import Beliefs, LogPrior
from alray.assessors.dawid_skene import (
    ITERATIONS,
    LEAST,
    Aggregated,
    Posterior,
    read_by,
)
from alray.pools.pool import Indices

Numbers = npt.NDArray[np.float64]

USUAL = 4.0
"""An assessor's skill is worked out as if he had given so many more answers, of which as many are right as of all.
Without them one whose only compared answer is refuted would err always, and his other answers would never be believed:
with `relabel: active_lab` a third to a half of the labels were wrong after a round in simulations, a sixth by majority.
1, 2, 4 and 10 do alike."""

TOLERANCE = 1e-3
"""EM ends where no skill changes by more."""

LOWEST = float(np.finfo(np.float64).min)


def one_coin(
    answers: Answers,
    assessors: int,
    classes: int,
    *,
    start: Aggregated | None = None,
    beliefs: Beliefs | None = None,
) -> Aggregated:
    """Return the posterior of each object's class and the assessors' confusions, by EM.

    An assessor has one share of right answers, and errs towards all other classes alike. All classes count alike before
    an answer, not by their shares, which would draw answers of rare ones to frequent ones: in simulations on
    openclipart a flat prior leaves fewer wrong labels (two answers .189 against .212, three .085 against .086).

    Args:
        answers: All answers.
        assessors: How many assessors there are.
        classes: How many classes.
        start: What fewer answers said, from where a few steps do; without it EM begins at the shares of answers.
        beliefs: What a network predicted of objects before it learnt from answers about them: it counts as an object's
            prior (the E step of Yang et al. 2018 and of the cookbook of Liao et al. 2021, whose networks have learnt
            from the objects by then).
    """
    given = answers.given
    objects = np.unique(given.objects)
    if not len(objects):
        return read_by(answers, objects, np.empty((0, classes)), assessors)
    log_prior = np.zeros((len(objects), classes))
    if beliefs is not None:
        log_prior = beliefs.log_prior(objects, np.zeros(classes))
    named = _Named(given, objects, assessors, log_prior)
    if start is None or not len(start.objects):
        skills = named.skills(named.shares)
    else:
        skills = start.skills_of_all
    posterior, log_sums = named.posterior(skills)
    for _ in range(ITERATIONS):
        before, skills = skills, named.skills(posterior)
        posterior, log_sums = named.posterior(skills)
        if np.abs(skills - before).max() <= TOLERANCE:
            break
    found = named.of_all_classes(posterior, log_sums)
    right, wrong = _chances(skills, classes)[..., None, None]
    errors = np.where(np.eye(classes, dtype=bool), right, wrong)
    return Aggregated(objects, found, found.mean(0), errors, named.heard)


class _Named:
    """Pairs of an object and a class that answers name, by rising object: EM's steps on them.

    Attributes:
        shares: (pairs,) shares of an object's answers.
        heard: (assessors,) who has given any.
    """

    def __init__(
        self, given: Answers, objects: Indices, assessors: int, log_prior: LogPrior
    ) -> None:
        classes = log_prior.shape[1]
        rows = np.searchsorted(objects, given.objects)
        counts = np.bincount(rows)
        pairs, self._pair = np.unique(rows * classes + given.classes, return_inverse=True)
        self._rows, self._classes = np.divmod(pairs, classes)
        self._begins = np.searchsorted(self._rows, np.arange(len(counts)))
        self.shares = np.bincount(self._pair) / counts[self._rows]
        self._assessors = given.assessors
        self._answers = np.bincount(given.assessors, minlength=assessors)
        self.heard = self._answers > 0
        self._log_named = log_prior[self._rows, self._classes]
        others = log_prior.copy()
        others[self._rows, self._classes] = -np.inf
        self._most = others.max(1)  # -inf where every class is named
        self._others = np.exp(others - np.maximum(self._most, LOWEST)[:, None])
        with np.errstate(divide="ignore"):
            self._log_others = np.log(self._others.sum(1)) + self._most

    def posterior(self, skills: Numbers) -> tuple[Numbers, Numbers]:
        """Return (pairs,) posteriors by these skills, and (objects,) logs of the sums that they are divided by."""
        right, wrong = np.log(_chances(skills, self._others.shape[1]))
        # What an object's answers say for a named class, against one that none of them names.
        logs = self._log_named + np.bincount(self._pair, (right - wrong)[self._assessors])
        most = np.maximum(np.maximum.reduceat(logs, self._begins), self._log_others)
        weights = np.exp(logs - most[self._rows])
        sums = np.add.reduceat(weights, self._begins) + np.exp(self._log_others - most)
        return weights / sums[self._rows], most + np.log(sums)

    def skills(self, posterior: Numbers) -> Numbers:
        """Return (assessors,) shares of right answers by (pairs,) posteriors, each drawn to that of all."""
        right = np.bincount(self._assessors, posterior[self._pair], minlength=len(self.heard))
        usual = right.sum() / len(self._assessors)
        return np.asarray((right + USUAL * usual) / (self._answers + USUAL))

    def of_all_classes(self, posterior: Numbers, log_sums: Numbers) -> Posterior:
        """Return (objects, classes) the posterior of every class."""
        found = self._others * np.exp(self._most - log_sums)[:, None]
        found[self._rows, self._classes] = posterior
        return np.asarray(found)


def _chances(skills: Numbers, classes: int) -> npt.NDArray[np.float64]:
    """Return (2, assessors) the probabilities of the right answer, and of each wrong one."""
    chances = np.stack([skills, (1 - skills) / max(1, classes - 1)])
    return np.asarray(np.clip(chances, LEAST, 1 - LEAST))
