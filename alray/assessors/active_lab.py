"""Label again or label new: ActiveLab (Goh and Mueller 2023, arXiv 2301.11856), as the cleanlab library computes it.

The lower an object's score, the more another answer about it is worth. A score is a mean of how sure one is of the
likeliest class and of 1 / classes, as if the next answer told nothing: it weighs by what speaks for the class so far,
the network and the assessors, each by how often it agrees with the others (CROWDLAB, Goh, Tkachenko and Mueller 2022).

cleanlab 2.9 looks for the temperature of the predictions by answers that it counts under other classes than theirs,
since a table with gaps holds them as floats; here they count under their own. All else is equal to rounding.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alray.assessors.answers import Answers
from alray.pools.pool import Indices

Numbers = npt.NDArray[np.float64]
Probabilities = npt.NDArray[np.float64]
"""(objects, classes)."""

LEAST = 1e-6
"""No weight and no share of errors counts as less."""

SMALLEST = 1e-30
"""No probability counts as less."""

TEMPERATURES = np.array([0.1, 0.2, 0.5, 0.8, 1, 2, 3, 5, 8])
"""Temperatures to try first."""


@dataclass(frozen=True, eq=False)
class _Weights:
    """How much each source counts.

    Attributes:
        network: The network's weight.
        assessors: (assessors,) theirs; zero of those who have not answered.
        mean: Mean over those who have.
    """

    network: float
    assessors: Numbers
    mean: float


def active_lab_scores(
    answers: Answers, labelled: Probabilities, new: Probabilities
) -> tuple[Numbers, Numbers]:
    """Return the scores of objects that have answers, and of new ones.

    Args:
        answers: All answers; one at least names a class.
        labelled: What the network predicts of the objects that have one, by rising index.
        new: The same of objects without answers.
    """
    votes = _Votes(answers)
    classes = labelled.shape[1]
    counts = votes.counts(classes)
    if (counts.sum(1) == 1).all():
        # Nobody can be compared with anyone: all count alike.
        sure = labelled[np.arange(len(labelled)), counts.argmax(1)]
        weights = _Weights(1.0, np.where(votes.heard, 1.0, 0.0), 1.0)
    else:
        temperature = best_temperature(counts, labelled)
        labelled, new = at_temperature(labelled, temperature), at_temperature(new, temperature)
        sure, weights = _sureness(votes, counts, labelled)
    speaks = votes.by_object(weights.assessors) + weights.network
    again = (speaks * sure + weights.mean / classes) / (speaks + weights.mean)
    most = new.max(1) if len(new) else np.empty(0)
    first = (weights.network * most + weights.mean / classes) / (weights.network + weights.mean)
    return again, first


class _Votes:
    """Answers as rows of objects that have one, by rising index.

    Attributes:
        heard: (assessors,) who has answered, up to the last one who has.
    """

    def __init__(self, answers: Answers) -> None:
        given = answers.given
        _, self.rows = np.unique(given.objects, return_inverse=True)
        self.assessors, self.classes = given.assessors, given.classes
        self.heard = np.bincount(self.assessors) > 0

    def counts(self, classes: int) -> Numbers:
        """Return (objects, classes) numbers of answers."""
        found = np.zeros((int(self.rows.max()) + 1, classes))
        np.add.at(found, (self.rows, self.classes), 1.0)
        return found

    def by_object(self, weights: Numbers) -> Numbers:
        """Return (objects,) the sum of the weights of those who have answered."""
        return np.bincount(self.rows, weights[self.assessors]).astype(np.float64)

    def agreement(self, counts: Numbers) -> Numbers:
        """Return (assessors,) how often each agrees with others about the same object; the mean where there is none."""
        others = counts.sum(1)[self.rows] - 1
        same = counts[self.rows, self.classes] - 1
        pairs = np.bincount(self.assessors, others, minlength=len(self.heard))
        agreed = np.bincount(self.assessors, same, minlength=len(self.heard))
        shares = agreed[pairs > 0] / pairs[pairs > 0]
        found = np.full(len(self.heard), shares.mean())
        found[pairs > 0] = shares
        return found


def _sureness(
    votes: _Votes, counts: Numbers, predicted: Probabilities
) -> tuple[Numbers, _Weights]:
    """Return (objects,) how probable the consensus is, and the weights that say so."""
    majority = _majority(counts, predicted)
    posterior, _ = _posterior(votes, counts, predicted, majority)
    ties = (posterior == posterior.max(1, keepdims=True)).sum(1) > 1
    consensus = np.where(ties, majority, posterior.argmax(1))
    posterior, weights = _posterior(votes, counts, predicted, consensus)
    return posterior[np.arange(len(consensus)), consensus], weights


def _majority(counts: Numbers, predicted: Probabilities) -> Indices:
    """Return the most frequent answers; of several the one that is predicted, then the one that is rarer overall.

    Where these tie too, the first one: cleanlab looks at the assessors then, and draws at last.
    """
    most = counts == counts.max(1, keepdims=True)
    likely = np.where(most, predicted, -1.0)
    most &= likely == likely.max(1, keepdims=True)
    return np.asarray(np.where(most, counts.sum(0), np.inf).argmin(1))


def _posterior(
    votes: _Votes, counts: Numbers, predicted: Probabilities, consensus: Indices
) -> tuple[Probabilities, _Weights]:
    """Return (objects, classes) what network and assessors say together where these are the classes (CROWDLAB)."""
    answered, classes = counts.sum(1), counts.shape[1]
    several = answered > 1
    compared = consensus[several]
    agreed = counts[np.arange(len(consensus)), consensus] / answered
    right = agreed[several].mean()
    wrong = (1 - right) / (classes - 1)
    # How often one errs who always names the most frequent class: weights say how much better a source is.
    frequent = np.bincount(compared, minlength=classes).argmax()
    error = max(float((compared != frequent).mean()), LEAST)
    weights = np.maximum(1 - (1 - votes.agreement(counts)) / error, LEAST) * votes.heard
    missed = float((predicted[several].argmax(1) != compared).mean())
    network = max(1 - missed / error, LEAST) * float(np.sqrt(answered.mean()))
    named = np.zeros_like(counts)
    np.add.at(named, (votes.rows, votes.classes), weights[votes.assessors])
    total = votes.by_object(weights)[:, None]
    found = network * predicted + right * named + wrong * (total - named)
    mean = float(weights.sum() / votes.heard.sum())
    return found / (total + network), _Weights(network, weights, mean)


def best_temperature(counts: Numbers, predicted: Probabilities) -> float:
    """Return the temperature at which predictions are nearest to the shares of answers, by their cross-entropy."""
    with np.errstate(divide="ignore"):
        logs = np.log(predicted)
    rows, classes = np.nonzero(counts)
    shares = counts[rows, classes] / counts.sum(1)[rows]

    def loss(temperature: float) -> float:
        scaled = logs / temperature
        # All but the classes that were answered have no share of the sum.
        named = scaled[rows, classes] - np.log(np.exp(scaled, out=scaled).sum(1))[rows]
        return -float(shares @ np.maximum(named, np.log(SMALLEST)))

    def best(temperatures: Numbers) -> int:
        return int(np.argmin([loss(temperature) for temperature in temperatures.tolist()]))

    first = best(TEMPERATURES)
    near: list[Numbers] = []
    if first > 0:
        near.append(np.linspace(TEMPERATURES[first - 1], TEMPERATURES[first], 4, endpoint=False))
    if first < len(TEMPERATURES) - 1:
        near.append(np.linspace(TEMPERATURES[first], TEMPERATURES[first + 1], 5))
    finer = np.concatenate(near)
    return float(finer[best(finer)])


def at_temperature(predicted: Probabilities, temperature: float) -> Probabilities:
    """Return probabilities that are flatter above a temperature of 1, and sharper below it."""
    clipped = np.maximum(predicted, SMALLEST)
    logs = np.log(clipped / clipped.sum(1, keepdims=True))
    scaled = np.exp(logs / temperature)
    return np.asarray(scaled / scaled.sum(1, keepdims=True))
