"""What a round's query brings: the pool's labels, or the answers of a crowd about them."""

import numpy as np
import numpy.typing as npt
import torch

from alray.assessors.active_lab import active_lab_scores
from alray.assessors.aggregation import aggregate
from alray.assessors.answers import Answers
from alray.assessors.asking import Asking, Enough, Orders, ask, until, until_agreed
from alray.assessors.assignment import by_skill
from alray.assessors.beliefs import Beliefs
from alray.assessors.confusable import alike, confusable_classes
from alray.assessors.crowd import SKIP, Crowd, make_crowd
from alray.assessors.dawid_skene import Aggregated
from alray.networks.network import Network
from alray.networks.targets import Known
from alray.networks.tensors import PoolTensors, side_by_side
from alray.pools.pool import Indices
from alray.scoring import engine
from alray.seeding import generator
from alray.settings.crowd import BY_STEPS, CrowdSpec
from alray.settings.run import RunSpec
from alray.strategies.base import given
from alray.strategies.signals import Request
from alray.studies.sweep.records import Record


class CrowdAnnotation:
    """A run's crowd and all that it has answered.

    The crowd, and what each assessor would say about an object, are drawn by the run's seed alone: arms with one seed
    have the same assessors, and hear the same of them about the same object.

    Attributes:
        answers: All answers so far.
        beliefs: What the network predicted of objects before they were asked about, where that counts.
    """

    def __init__(
        self,
        run: RunSpec,
        spec: CrowdSpec,
        pool: PoolTensors,
        answers: Answers,
        beliefs: Beliefs | None = None,
    ) -> None:
        self._run, self._spec, self._pool = run, spec, pool
        self.beliefs = beliefs
        self._crowd = _made(run, spec, pool)
        self.answers = answers
        self._found = self._read(Answers(), None)
        # Where a reading begins at the one before, a run that goes on reads round by round again.
        rounds = np.unique(answers.rounds)
        for last in rounds if spec.aggregate in BY_STEPS else rounds[-1:]:
            self._found = self._read(answers.where(answers.rounds <= last), self._found)

    def ask(self, objects: Indices, round_number: int, network: Network) -> Indices:
        """Ask the crowd, and read all answers anew; the network has not learnt from the objects yet.

        Args:
            objects: (n,) new objects, the most wanted first.
            round_number: The round.
            network: As it is after its last fit; in round 0 it has learnt nothing.

        Returns:
            The rising positions of the new objects that were asked about: all of them, unless some answers were worth
            more about objects that have answers.
        """
        learnt = network if round_number > 0 else None
        new, again = np.arange(len(objects)), np.empty(0, dtype=np.int64)
        if self._spec.relabel == "active_lab" and learnt is not None:
            new, again = self._worth_most(objects, learnt)
        if self._spec.aggregate == "joint" and learnt is not None and len(new):
            predicted = Beliefs(objects[new], self._log_probs(learnt, objects[new]))
            self.beliefs = predicted if self.beliefs is None else self.beliefs + predicted
        asked = np.concatenate([objects[new], again])
        orders = self._orders(len(asked), round_number)
        asking = Asking(round_number, self._enough(), orders, self.answers)

        def drawn(index: int) -> np.random.Generator:
            return generator(self._run.study_seed, self._run.seed, "answers", index)

        self.answers += ask(self._crowd, asked, self._pool.pool.labels[asked], asking, drawn)
        self._found = self._read(self.answers, self._found)
        return new

    def _enough(self) -> Enough:
        """Return when to stop asking about an object."""
        if self._spec.relabel == "active_lab":
            return until(1)
        most = self._spec.answers
        return until_agreed(most) if self._spec.relabel == "disagreement" else until(most)

    def _worth_most(self, objects: Indices, network: Network) -> tuple[Indices, Indices]:
        """Return the positions of those new objects, and the older objects, whose next answer helps most.

        Together they are as many as there are new ones. An object with as many answers as one may have, or about which
        everyone was asked, is not asked about again. Of equal scores the new object goes first.
        """
        known, given = self._found.objects, self.answers.given
        if not len(known):
            return np.arange(len(objects)), known
        predicted = self._probabilities(network, np.concatenate([known, objects]))
        again, first = active_lab_scores(
            self.answers, predicted[: len(known)], predicted[len(known) :]
        )
        has = np.bincount(given.objects, minlength=len(self._pool.pool))[known]
        was_asked = np.bincount(self.answers.objects, minlength=len(self._pool.pool))[known]
        is_open = (has < self._spec.answers) & (was_asked < len(self._crowd))
        scores = np.concatenate([first, again[is_open]])
        chosen = np.argsort(scores, kind="stable")[: len(objects)]
        new = np.sort(chosen[chosen < len(objects)])
        return new, known[is_open][chosen[chosen >= len(objects)] - len(objects)]

    def _orders(self, objects: int, round_number: int) -> Orders | None:
        """Return whom to ask first about each of so many objects; None where chance says it."""
        if self._spec.assign == "random":
            return None
        rng = generator(self._run.study_seed, self._run.seed, "assignment", round_number)
        return by_skill(self._found, self.answers, objects, rng)

    def _probabilities(self, network: Network, objects: Indices) -> npt.NDArray[np.float64]:
        """Return (n, classes) what the network predicts."""
        found = np.exp(self._log_probs(network, objects).astype(np.float64))
        return np.asarray(found / found.sum(1, keepdims=True))

    def _log_probs(self, network: Network, objects: Indices) -> npt.NDArray[np.float32]:
        found = engine.score(network, self._pool, objects, Request(log_probs=True))
        return given(found.log_probs).cpu().numpy()

    def known(self, labelled: Indices) -> Known:
        """Return those of the labelled objects that have an answer, with the probabilities of their classes."""
        known, posterior = self._found.objects, torch.from_numpy(self._found.posterior).float()
        posterior = posterior.to(self._pool.device)

        def of(objects: Indices) -> torch.Tensor:
            rows = np.searchsorted(known, objects)
            return posterior[torch.from_numpy(rows).to(posterior.device)]

        return Known(labelled[np.isin(labelled, known)], of)

    def record(self, labelled: Indices) -> Record:
        """Return the columns of a round."""
        truths = self._pool.pool.labels[self._found.objects]
        wrong = self._found.posterior.argmax(1) != truths
        difference = np.abs(self._found.skills - self._crowd.skills)
        return {
            "answers": self.answers.bought,
            "cost": self.answers.bought * self._spec.cost,
            "skipped": int((self.answers.classes == SKIP).sum()),
            "unanswered": len(labelled) - len(self._found.objects),
            "wrong_labels": float(wrong.mean()) if len(wrong) else np.nan,
            "skill_error": float(np.nanmean(difference)) if len(wrong) else np.nan,
        }

    @property
    def crowd(self) -> Crowd:
        """Who is asked."""
        return self._crowd

    def _read(self, answers: Answers, before: Aggregated | None) -> Aggregated:
        """Return what answers say, beginning from what those before said."""
        classes, by = self._pool.pool.class_count, self._spec.aggregate
        return aggregate(answers, len(self._crowd), classes, by, before, self.beliefs)


def crowd_of(
    run: RunSpec,
    pool: PoolTensors,
    answers: Answers | None = None,
    beliefs: Beliefs | None = None,
) -> CrowdAnnotation | None:
    """Return a run's crowd with its answers so far; None where the pool's labels are revealed."""
    if run.crowd is None:
        return None
    return CrowdAnnotation(
        run, run.crowd, pool, Answers() if answers is None else answers, beliefs
    )


@torch.no_grad()
def _made(run: RunSpec, spec: CrowdSpec, pool: PoolTensors) -> Crowd:
    """Return the crowd of a run's seed."""
    prepared = pool.pool
    if spec.errors == "table":
        return Crowd(given(prepared.confusions), spec.skips)
    shares = alike(prepared.class_count)
    if spec.errors == "structured":
        features = side_by_side(pool.batch(prepared.train)).cpu().numpy()
        labels = prepared.labels[prepared.train]
        shares = confusable_classes(features, labels, prepared.class_count)
    return make_crowd(spec, shares, generator(run.study_seed, run.seed, "crowd"))
