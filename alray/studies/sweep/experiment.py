"""One run, round by round: score, query, reveal labels, fit, evaluate. Pure: no files, and the clock is an argument."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import numpy as np

from alray.assessors.answers import Answers
from alray.networks.targets import Known
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring import engine
from alray.settings.run import RunSpec
from alray.settings.sweep import ScreenSpec
from alray.strategies import Query, ScoreStrategy, Strategy, parse
from alray.strategies.base import is_pointwise
from alray.strategies.checking import check_query, checked_scores
from alray.studies.rounds.choosing import ToChooseBy, choose, committee_masks
from alray.studies.rounds.round_draws import RoundDraws
from alray.studies.rounds.round_fit import learner_of_round, round_fit
from alray.studies.rounds.stop_set import StopSet
from alray.studies.sweep.annotation import crowd_of
from alray.studies.sweep.initial import initial_objects
from alray.studies.sweep.query_diagnostics import NOT_MEASURED, QueryDiagnostics
from alray.studies.sweep.question_annotation import question_annotation
from alray.studies.sweep.records import AskedInRound, Record, RoundResult, class_counts
from alray.studies.sweep.round_metrics import no_metrics, round_metrics
from alray.studies.sweep.screening import is_exact_round, recall, shortlist, shortlist_size
from alray.studies.sweep.state import RunState
from alray.training.checkpoint import learner_tensors, restore_learner
from alray.training.estimator_fit import fit_anew
from alray.training.fit import Epochs, complete
from alray.training.gpu.stacks import Stacks
from alray.training.learner import Learner

Clock = Callable[[], float]


class Experiment:
    """A run in progress: `passive` or a state first, then `next_round` until `finished`.

    Attributes:
        run: Its settings.
        round: The last round that was begun; -1 before the passive phase.
        learner: The network as it is after the last fit, with all that a fit changes.
        labelled: The labelled objects, in the order in which they were queried.
    """

    def __init__(
        self,
        run: RunSpec,
        pool: PoolTensors,
        clock: Clock,
        state: RunState | None = None,
        stacks: Stacks | None = None,
    ) -> None:
        """Begin a run, or go on from a state; its learners train in these stacks, where they are given and can."""
        self.run = run
        self.round = -1
        self._pool = pool
        self._clock = clock
        self._stacks = stacks
        self.labelled: Indices = np.empty(0, dtype=np.int64)
        self._round_zero: Record = {}
        self._stop_set = StopSet(run, None if state is None else state.predicted)
        self.learner = self._fresh_learner(0)
        before = (None, None) if state is None else (state.answers, state.beliefs)
        self._crowd = None if run.questions is not None else crowd_of(run, pool, *before)
        self._questions = question_annotation(run, pool, None if state is None else state.replies)
        if state is not None:
            self.round = state.round
            self.labelled = state.labelled
            self._round_zero = dict(state.round_zero)
            restore_learner(self.learner, state.tensors)
            with self._draws.seeded("dropout"):
                fit_anew(self.learner.network, pool, self._known(), self._draws.numpy("batches"))

    @cached_property
    def _strategy(self) -> Strategy:
        """The strategy; a passive phase, which runs with other strategies share, does without it."""
        return parse(self.run.strategy)

    @cached_property
    def _diagnostics(self) -> QueryDiagnostics:
        """What measures queries; its sample is common to all arms of a seed."""
        rng = RoundDraws(self.run, 0).numpy("query_diagnostics")
        return QueryDiagnostics(self._pool, rng)

    @property
    def finished(self) -> bool:
        """Whether all rounds are done."""
        return self.round >= self.run.rounds

    def state(self) -> RunState:
        """Return the run as it is after its last finished round."""
        tensors, last = learner_tensors(self.learner), self._stop_set.predicted
        crowd = self._crowd
        answers, beliefs = (None, None) if crowd is None else (crowd.answers, crowd.beliefs)
        replies = None if self._questions is None else self._questions.replies
        found = RunState(self.round, self.labelled, self._round_zero, tensors, predicted=last)
        return replace(found, answers=answers, beliefs=beliefs, replies=replies)

    def round_zero(self) -> RoundResult:
        """Return the passive phase's result, which a state holds too."""
        initial = self.labelled[: self.run.initial]
        scores = np.full(len(initial), np.nan)
        return RoundResult(dict(self._round_zero), initial, scores, *self._answers_of(0))

    def passive(self) -> RoundResult:
        """Do round 0: label the initial objects and fit on them, with early stopping; return its result."""
        return complete(self.passive_epochs())

    def passive_epochs(self) -> Epochs[RoundResult]:
        """Do the same; yield the epochs where the learner is in a stack."""
        self.labelled = initial_objects(self.run, self._pool, self._draws.numpy("initial"))
        self.round = 0
        self._ask(self.labelled)
        if self._questions is not None:
            self._questions.ask_fully(self.labelled)
        begin = self._clock()
        fitted = yield from self._fit()
        chosen = {"scored": 0, "screen_recall": np.nan, "query_s": 0.0, **NOT_MEASURED}
        self._round_zero = self._record(self.labelled, fitted, begin, chosen)
        return self.round_zero()

    def next_round(self) -> RoundResult:
        """Do the next round: score the candidates, query, fit, evaluate; return its result."""
        return complete(self.next_epochs())

    def next_epochs(self) -> Epochs[RoundResult]:
        """Do the same; yield the epochs where the learner is in a stack."""
        self.round += 1
        begin = self._clock()
        with self._draws.seeded("strategy"):
            query, scored = self._query()
        asked = self._ask(query.indices)
        query = Query(query.indices[asked], query.scores[asked])
        self.labelled = np.concatenate([self.labelled, query.indices])
        scored["query_s"] = self._clock() - begin
        scored |= self._diagnostics.of(query.indices, self._draws.numpy("query_diagnostics"))
        begin = self._clock()
        if self.run.training.mode == "scratch":
            self.learner = self._fresh_learner(self.round)
        fitted = yield from self._fit()
        record = self._record(query.indices, fitted, begin, scored)
        return RoundResult(record, query.indices, query.scores, *self._answers_of(self.round))

    def _ask(self, objects: Indices) -> Indices:
        """Ask the crowd, where there is one; return the positions of the objects that are labelled now."""
        if self._crowd is None:
            return np.arange(len(objects))
        return self._crowd.ask(objects, self.round, self.learner.network)

    def _answers_of(self, round_number: int) -> tuple[Answers | None, AskedInRound | None]:
        """Return the crowd's answers of a round, and those to yes/no questions, where there are any."""
        crowd, questions = self._crowd, self._questions
        answers = None if crowd is None else crowd.answers
        of_round = None if answers is None else answers.where(answers.rounds == round_number)
        return of_round, None if questions is None else questions.of_round(round_number)

    def _known(self) -> Known:
        """Return what there is to learn from."""
        if self._questions is not None:
            return self._questions.known()
        return Known(self.labelled) if self._crowd is None else self._crowd.known(self.labelled)

    def _bought(self) -> Record:
        """Return the columns of what was bought, where more is known of it than the labels."""
        if self._questions is not None:
            return self._questions.record()
        if self._crowd is not None:
            return self._crowd.record(self.labelled)
        number, price = len(self.labelled), self.run.label_cost
        return {} if price is None else {"answers": number, "cost": number * price}

    def _query(self) -> tuple[Query, Record]:
        if self._questions is not None:
            network, rng = self.learner.network, self._draws.numpy("strategy")
            query, scored = self._questions.ask_round(self.round, network, rng)
            return query, {"scored": scored, "screen_recall": np.nan}
        pool = self._pool.pool
        known = np.zeros(len(pool), dtype=bool)
        known[self.labelled] = True
        unlabelled = pool.train[~known[pool.train]]
        candidates = self._candidates(unlabelled)
        needs, screen = self._strategy.needs, self.run.screen
        to_compare: Indices | None = None
        if screen is not None and isinstance(self._strategy, ScoreStrategy) and needs.anything:
            best = self._shortlist(self._strategy, screen, candidates)
            if is_exact_round(screen, self.round):
                to_compare = best
            else:
                candidates = best
        query = self._choose(candidates)
        check_query(self._strategy, query, candidates, self.run.query)
        return query, {
            "scored": len(candidates) if needs.anything else 0,
            "screen_recall": np.nan if to_compare is None else recall(query.indices, to_compare),
        }

    def _choose(self, candidates: Indices) -> Query:
        """Return the strategy's choice of the candidates."""
        known = ToChooseBy(self.learner, self._pool, self._known(), self.labelled)
        return choose(self._strategy, known, candidates, self.run.query, self._draws)

    def _candidates(self, unlabelled: Indices) -> Indices:
        """Return the objects that the strategy may choose from: all that are unlabelled, or a random part."""
        number = self.run.candidates
        if number is None or number >= len(unlabelled):
            return unlabelled
        return np.sort(
            self._draws.numpy("candidates").choice(unlabelled, size=number, replace=False)
        )

    def _shortlist(
        self, strategy: ScoreStrategy, screen: ScreenSpec, candidates: Indices
    ) -> Indices:
        """Return the candidates that rank best by scores in a low precision."""
        needs, precision = strategy.needs, self.run.precision
        network, masks = self.learner.network, committee_masks(needs, self._draws)
        if is_pointwise(strategy):
            ranked = engine.rounded_scores_of(
                strategy, network, self._pool, candidates, precision, masks
            )
        else:
            signals = engine.score_rounded(
                network, self._pool, candidates, needs, precision, masks
            )
            ranked = checked_scores(strategy, strategy.score(signals), signals)
        count = shortlist_size(screen, len(candidates), self.run.query)
        return shortlist(candidates, ranked, count, largest=strategy.largest)

    def _fit(self) -> Epochs[Record]:
        fitted = yield from round_fit(self.learner, self._pool, self._known(), self._draws)
        return fitted

    def _record(self, queried: Indices, fitted: Record, begin: float, chosen: Record) -> Record:
        """Evaluate if it is time, and return the round's row; the fit began at `begin`, `chosen` is of the query."""
        evaluation = self._clock()
        evaluated = self.run.evaluates(self.round)
        return {
            "round": self.round,
            "labels": len(self.labelled),
            **self._metrics(evaluated=evaluated),
            **class_counts(self._pool.pool.labels, queried, self.labelled),
            **fitted,
            **{f"sigma_{name}": value for name, value in self.learner.loss.sigmas().items()},
            **chosen,
            **self._bought(),
            "fit_s": evaluation - begin,
            "eval_s": self._clock() - evaluation if evaluated else 0.0,
        }

    def _metrics(self, *, evaluated: bool) -> Record:
        """Return the metrics of the network as it is, NaN where it is not evaluated."""
        if not evaluated:
            return no_metrics(self.learner.network)
        with self._draws.seeded("dropout"):
            network, split = self.learner.network, self.run.metric_split
            return round_metrics(network, self._pool, split, self._stop_set)

    def _fresh_learner(self, round_number: int) -> Learner:
        # Stacks learn the pool's labels.
        by_labels = self.run.crowd is None and self.run.questions is None
        stacks = self._stacks if by_labels else None
        return learner_of_round(self.run, self._pool, round_number, stacks)

    @property
    def _draws(self) -> RoundDraws:
        return RoundDraws(self.run, self.round)
