"""What answers say together, by each assessor's reliability: Dawid and Skene 1979, in vectors.

The crowd-kit library has the same by pandas: for 4,000 objects with three answers of 50 classes it takes seconds, and a
round of a study some tenths of one. Its results are what the tests hold these against.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.special import softmax, xlogy

from alray.assessors.answers import Answers
from alray.assessors.beliefs import Beliefs, LogPrior
from alray.assessors.crowd import Confusions
from alray.pools.pool import Indices

Posterior = npt.NDArray[np.float64]
"""(objects, classes): the probability of each class."""

Shares = npt.NDArray[np.float64]
"""(classes,) or (assessors,)."""

ITERATIONS = 100
TOLERANCE = 1e-5
"""EM ends where the mean gain per answer in the evidence's lower bound is smaller, in nats."""

LEAST = 1e-10
"""No probability counts as less."""


@dataclass(frozen=True, eq=False)
class Aggregated:
    """What answers say of objects.

    Attributes:
        objects: (n,) pool indices of all that have an answer, rising.
        posterior: (n, classes).
        prior: (classes,) mean of the posterior.
        confusions: (assessors, classes, classes) estimates of P(answer | truth), truth along the second axis.
        heard: (assessors,) who has answered at all; the others' confusions mean nothing.
    """

    objects: Indices
    posterior: Posterior
    prior: Shares
    confusions: Confusions
    heard: npt.NDArray[np.bool_]

    @property
    def skills(self) -> Shares:
        """(assessors,) estimated share of right answers, classes alike; NaN of those who have not answered."""
        return np.where(self.heard, self.skills_of_all, np.nan)

    @property
    def skills_of_all(self) -> Shares:
        """The same, with numbers that mean nothing of those who have not answered."""
        return np.asarray(np.diagonal(self.confusions, axis1=1, axis2=2).mean(1))


def majority(answers: Answers, classes: int) -> tuple[Indices, Posterior]:
    """Return the objects that have an answer, rising, and (objects, classes) shares of their answers."""
    given = answers.given
    objects, rows = np.unique(given.objects, return_inverse=True)
    counts = np.zeros((len(objects), classes))
    np.add.at(counts, (rows, given.classes), 1.0)
    return objects, counts / counts.sum(1, keepdims=True)


def dawid_skene(
    answers: Answers,
    assessors: int,
    classes: int,
    *,
    start: Aggregated | None = None,
    beliefs: Beliefs | None = None,
) -> Aggregated:
    """Return the posterior of each object's class and the assessors' confusions, by EM.

    Args:
        answers: All answers.
        assessors: How many assessors there are.
        classes: How many classes.
        start: What fewer answers said, from where a few steps do; without it EM begins at the shares of answers.
        beliefs: What is known of objects besides: it counts as an object's prior in the place of the classes' shares.
    """
    objects, posterior = majority(answers, classes)
    if not len(objects):
        return read_by(answers, objects, posterior, assessors)
    crowd = _Crowd(answers, objects, assessors, classes)
    prior, confusions = posterior.mean(0), crowd.confusions(posterior)
    if start is not None and len(start.objects):
        # Of who was not heard then, nothing is known but what he says now.
        heard = start.heard[:, None, None]
        prior, confusions = start.prior, np.where(heard, start.confusions, confusions)

    def log_likelihoods() -> Posterior:
        log_prior = np.log(np.maximum(prior, LEAST))
        if beliefs is not None:
            log_prior = beliefs.log_prior(objects, log_prior)
        return crowd.log_likelihoods(log_prior, confusions)

    logs, last = log_likelihoods(), -np.inf
    for _ in range(ITERATIONS):
        posterior = softmax(logs, axis=1)
        prior, confusions = posterior.mean(0), crowd.confusions(posterior)
        logs = log_likelihoods()
        bound = float((posterior * logs).sum() - xlogy(posterior, posterior).sum())
        if (bound - last) / crowd.answers < TOLERANCE:
            break
        last = bound
    return Aggregated(objects, posterior, prior, confusions, crowd.heard)


def read_by(
    answers: Answers, objects: Indices, posterior: Posterior, assessors: int
) -> Aggregated:
    """Return what answers say where the posterior (objects, classes) is known: the likeliest confusions by it."""
    classes = posterior.shape[1]
    crowd = _Crowd(answers, objects, assessors, classes)
    prior = posterior.sum(0) / max(1, len(objects))
    return Aggregated(objects, posterior, prior, crowd.confusions(posterior), crowd.heard)


class _Crowd:
    """The two steps of EM on given answers.

    Attributes:
        answers: How many answers there are.
        heard: (assessors,) who has given any.
    """

    def __init__(self, answers: Answers, objects: Indices, assessors: int, classes: int) -> None:
        given = answers.given
        self._shape = assessors, classes, classes
        self.answers = len(given)
        pairs = given.assessors * classes + given.classes
        rows = np.searchsorted(objects, given.objects)
        shape = len(objects), assessors * classes
        # Which assessor gave which answer about each object: a step of EM is one product with it.
        self._votes = csr_array((np.ones(len(given)), (rows, pairs)), shape=shape)
        self.heard = np.bincount(given.assessors, minlength=assessors) > 0

    def log_likelihoods(self, log_prior: LogPrior, confusions: Confusions) -> Posterior:
        """Return (objects, classes) log of the prior, one for all or for each, times the likelihood of the answers."""
        logs = np.log(confusions).swapaxes(1, 2).reshape(-1, self._shape[2])
        return np.asarray(self._votes @ logs + log_prior)

    def confusions(self, posterior: Posterior) -> Confusions:
        """Return the likeliest confusions for (objects, classes) posteriors."""
        # By assessor, answer and truth.
        counts = np.asarray(self._votes.T @ posterior).reshape(self._shape)
        counts = np.maximum(counts.swapaxes(1, 2), LEAST)
        return np.asarray(counts / counts.sum(2, keepdims=True))
