"""A run that asks yes/no questions: all answers so far, what is learnt from them, and what a round asks."""

from functools import cached_property

import numpy as np
import torch

from alray.assessors.class_tree import Questions
from alray.assessors.crowd import Crowd
from alray.assessors.evidence import Evidence, possible_classes
from alray.assessors.replies import Replies, Respondent
from alray.networks.network import Network
from alray.networks.targets import Known
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring import engine
from alray.seeding import generator
from alray.settings.questions import AskedSpec
from alray.settings.run import RunSpec
from alray.strategies import Query, ScoreStrategy, parse
from alray.strategies.base import Strategy, given
from alray.strategies.questions.arms import ActiveLearning, PartialFeedback, QuestionStrategy
from alray.strategies.signals import Request
from alray.studies.sweep.annotation import crowd_of
from alray.studies.sweep.question_pairs import ask_best_pairs, best_pairs, blocks_of
from alray.studies.sweep.question_rounds import (
    Asking,
    LogProbs,
    ask_all,
    ask_in_order,
    beliefs_of,
)
from alray.studies.sweep.question_sets import questions_of_run
from alray.studies.sweep.records import AskedInRound, Record

ROWS = 32_768
"""Objects that are scored at once: it bounds the memory for large pools."""


WORST = 0.49
"""Share of wrong answers that beliefs count with at most: at a half, answers say nothing."""


class QuestionAnnotation:
    """A run's questions, and all answers that it has bought.

    Where there is a crowd, its assessors answer by their own confusions of classes, and beliefs are by their mean share
    of wrong classes, which a team knows from a test. A skipped question costs nothing and goes to someone else.

    The order in which objects are taken at random, and what is answered, are drawn by the run's seed alone: arms of a
    seed that ask the same hear the same.

    Attributes:
        questions: All questions that there are.
        replies: All answers so far.
    """

    def __init__(self, run: RunSpec, spec: AskedSpec, pool: PoolTensors, replies: Replies) -> None:
        self._run, self._spec, self._pool = run, spec, pool
        self.questions: Questions = questions_of_run(spec, pool)
        self.replies = replies
        crowd = crowd_of(run, pool)
        self._crowd = None if crowd is None else crowd.crowd
        wrong = spec.rate if self._crowd is None else _share_of_wrong_classes(self._crowd)
        self._rate = min(wrong, WORST)
        self._evidence = Evidence(self.questions.sets, self._rate, len(pool.pool))
        self._evidence.add(replies)
        self._predicted: LogProbs | None = None

    @cached_property
    def _strategy(self) -> Strategy:
        return parse(self._run.strategy)

    @property
    def asked(self) -> Indices:
        """The objects that were asked about, in the order of their first questions."""
        return self.replies.asked

    def ask_fully(self, objects: Indices) -> None:
        """Ask about the objects of round 0, by halves, until all count as labelled: alike for all arms of a seed."""
        self.replies += ask_all(self._asking(None), objects, 0)

    def ask_round(
        self, round_number: int, network: Network, rng: np.random.Generator
    ) -> tuple[Query, int]:
        """Spend the questions of a round.

        Args:
            round_number: The round.
            network: As it is before the round's fit.
            rng: Decides between equal objects.

        Returns:
            The objects that were asked about for the first time, with the scores that they were chosen by, and how many
            were scored.
        """
        strategy = self._strategy
        if not isinstance(strategy, QuestionStrategy):
            raise TypeError(f"{self._run.strategy} asks no questions")
        before = self.asked
        scores: dict[int, float] = {}
        if isinstance(strategy, PartialFeedback):
            replies, scores, scored = self._best_pairs(strategy, round_number, network, rng)
        else:
            order, scored = self._random_order(), 0
            if isinstance(strategy, ActiveLearning):
                order, scores = self._uncertain_first(strategy, network, rng)
                scored = len(self._open())
            predicted_of = self._predictor(network) if strategy.by_model else None
            if predicted_of is not None:
                scored = min(len(order), self._spec.per_round)
            replies = ask_in_order(
                self._asking(strategy), order, self._spec.per_round, round_number, predicted_of
            )
        self.replies += replies
        if self._rate > 0:
            self._predicted = self._predictor(network)(self.asked)
        new = self.asked[len(before) :]
        return Query(new, np.array([scores.get(int(each), np.nan) for each in new])), scored

    def known(self) -> Known:
        """Return all objects that were asked about, with what is learnt of them.

        Where no answer is wrong: the classes that are still possible. Where answers may be wrong: the probabilities of
        classes by the answers and by what the network predicted before it learns of them, as an EM step has them.
        """
        objects = self.asked
        if self._rate == 0:
            targets = torch.from_numpy(possible_classes(self._evidence.of(objects)))
        else:
            targets = self._beliefs().float()
        targets = targets.to(self._pool.device)
        row = np.zeros(len(self._pool.pool), dtype=np.int64)
        row[objects] = np.arange(len(objects))

        def of(some: Indices) -> torch.Tensor:
            return targets[torch.from_numpy(row[some]).to(targets.device)]

        return Known(objects, of)

    def of_round(self, round_number: int) -> AskedInRound:
        """Return what was asked in a round."""
        return AskedInRound(
            self.replies.where(self.replies.rounds == round_number), self.questions
        )

    def record(self) -> Record:
        """Return the columns of a round."""
        asked = self.asked
        ended = self._evidence.done[asked]
        done = asked[ended]
        if self._rate == 0:
            likeliest = self._evidence.of(done).argmax(1)
        else:
            # Answers alone may leave a whole set alike, of which the prediction has decided for a class.
            likeliest = self._beliefs().numpy()[ended].argmax(1)
        wrong = likeliest != self._pool.pool.labels[done]
        return {
            "labels": len(done),
            "answers": len(self.replies),
            "cost": len(self.replies) * self._spec.cost,
            "partly_labelled": len(asked) - len(done),
            "wrong_labels": float(wrong.mean()) if len(wrong) else np.nan,
        }

    def _beliefs(self) -> torch.Tensor:
        """Return (asked, classes) probabilities by the answers, and by what the network predicted before its fit."""
        return beliefs_of(self._evidence.of(self.asked), self._predicted)

    def _asking(self, strategy: QuestionStrategy | None) -> Asking:
        """Return who is asked by a strategy's rule, by halves where there is none."""

        def drawn(index: int) -> np.random.Generator:
            return generator(self._run.study_seed, self._run.seed, "replies", index)

        sets, labels = self.questions.sets, self._pool.pool.labels
        return Asking(
            self.questions,
            self._evidence,
            Respondent(
                sets,
                labels,
                drawn,
                rate=self._spec.rate,
                confusions=None if self._crowd is None else self._crowd.confusions,
            ),
            "eig" if strategy is None else strategy.rule,
            exact=self._rate == 0,
        )

    def _predictor(self, network: Network) -> "_Predictor":
        return _Predictor(network, self._pool)

    def _open(self) -> Indices:
        """Return the objects of the train part that do not count as labelled, ascending."""
        train = self._pool.pool.train
        return train[~self._evidence.done[train]]

    def _random_order(self) -> Indices:
        """Return the open objects in the random order of the seed: one that was begun is the first of them."""
        rng = generator(self._run.study_seed, self._run.seed, "questions")
        order: Indices = rng.permutation(self._pool.pool.train)
        return order[~self._evidence.done[order]]

    def _uncertain_first(
        self, strategy: ActiveLearning, network: Network, rng: np.random.Generator
    ) -> tuple[Indices, dict[int, float]]:
        """Return the open objects that a round may come to, and their scores."""
        candidates = self._open()
        if not len(candidates):
            return candidates, {}
        by = parse(strategy.by)
        if not isinstance(by, ScoreStrategy):
            raise TypeError(f"{strategy.by} has no scores")
        found = engine.scores_of(by, network, self._pool, candidates)
        k = min(self._spec.per_round, len(candidates))
        chosen = by.choose(candidates, found, k, rng)
        scores = dict(zip(chosen.indices.tolist(), chosen.scores.tolist(), strict=True))
        begun = candidates[self._evidence.asked[candidates] > 0]
        others = chosen.indices[~np.isin(chosen.indices, begun)]
        return np.concatenate([begun, others]), scores

    def _best_pairs(
        self,
        strategy: PartialFeedback,
        round_number: int,
        network: Network,
        rng: np.random.Generator,
    ) -> tuple[Replies, dict[int, float], int]:
        """Return the answers to the round's best pairs, scores by object, and how many objects were scored."""
        asking, candidates = self._asking(strategy), self._open()
        chances = rng.permutation(len(self._pool.pool))
        most = self._spec.per_round
        blocks = blocks_of(candidates, ROWS)
        pairs, rows = best_pairs(asking, blocks, self._predictor(network), chances, most)
        replies, scores = ask_best_pairs(asking, pairs, rows, most, round_number)
        return replies, scores, len(candidates)


class _Predictor:
    """What a network predicts of objects, on the CPU."""

    def __init__(self, network: Network, pool: PoolTensors) -> None:
        self._network, self._pool = network, pool

    def __call__(self, objects: Indices) -> LogProbs:
        """Return (objects, classes) log-probabilities."""
        found = engine.score(self._network, self._pool, objects, Request(log_probs=True))
        return given(found.log_probs).cpu().numpy()


def _share_of_wrong_classes(crowd: Crowd) -> float:
    """Return the mean share of wrong classes, each a half at most, which beliefs have in the place of wrong answers.

    A team knows it from a test. Answers about a set are wrong less often, as who confuses two of its classes is right
    about it. Beliefs by classes, P(yes | class y, set S) = skill [y in S] + (1 - skill) (|S| - [y in S]) / (classes -
    1), take a third fewer questions. But where errors are structured, they go to few classes, which no team knows, and
    such beliefs are too sure: of 600 objects of openclipart .069 had wrong labels at the end, by the mean share .019
    (tree of features, 20 assessors, rate .2, means of 5 seeds).
    """
    return float(np.clip(1 - crowd.skills, 0, 0.5).mean())


def question_annotation(
    run: RunSpec, pool: PoolTensors, replies: Replies | None = None
) -> QuestionAnnotation | None:
    """Return a run's questions with the answers so far; None where it asks none."""
    if run.questions is None:
        return None
    return QuestionAnnotation(run, run.questions, pool, Replies() if replies is None else replies)
