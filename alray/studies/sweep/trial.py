"""A trial of custom strategies while a study is planned, so that what could only fail does so before anything runs."""

import logging
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from alray.custom.code import CustomName, custom_model
from alray.custom.loading import describe_error
from alray.errors import SpecError
from alray.networks.generators import forked_rng, torch_generator
from alray.networks.targets import Known
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices, PreparedPool
from alray.scoring import engine
from alray.scoring.further_signals import with_further
from alray.seeding import generator, torch_seed
from alray.settings.sweep import SweepSpec
from alray.strategies import STRATEGIES, custom_name
from alray.strategies.checking import check_query, describe_strategy
from alray.strategies.libraries.complaints import complaints
from alray.strategies.libraries.strategy import LibraryStrategy
from alray.strategies.questions.arms import QuestionStrategy
from alray.strategies.signals import Signals
from alray.studies.sweep.arm import Arm
from alray.studies.sweep.plan import Plan
from alray.training.estimator_fit import fit_anew
from alray.training.learner import fresh_learner

_logger = logging.getLogger(__name__)

CANDIDATES = 200
"""Candidates of a trial, besides those to query."""


def custom_names(study: SweepSpec) -> list[CustomName]:
    """Return the strategies and networks of a study whose code the user supplies.

    Raises:
        SpecError: There is no strategy of a name.
    """
    models = [study.model.name, *map(str, study.vary.get("model.name", ()))]
    names: Iterable[CustomName | None] = [
        *map(custom_name, study.strategies),
        *map(custom_model, models),
    ]
    return list(dict.fromkeys(name for name in names if name is not None))


def try_strategies(plan: Plan) -> None:
    """Have each custom strategy query once, by a network of fresh weights, among objects of the pool.

    Raises:
        SpecError: It raised an error, or its answer is not k of the candidates; names its class and file.
    """
    if plan.study.rounds == 0:
        return
    for arm in plan.arms:
        asks = isinstance(arm.strategy, QuestionStrategy)
        if arm.text.partition(":")[0] not in STRATEGIES and not asks:
            _try(arm, plan)


def _try(arm: Arm, plan: Plan) -> None:
    study = arm.study
    prepared = plan.seen_by(arm)
    candidates = _candidates(prepared, study)
    with forked_rng(torch_seed(study.seed, 0, "strategy")):
        signals = _signals(arm, prepared, candidates)
        try:
            if isinstance(arm.strategy, LibraryStrategy):
                most = max(
                    len(plan.shared.view(run).train) for run in plan.runs if run.arm == arm.label
                )
                arm.strategy.require_room(
                    min(study.candidates or most, most - study.initial),
                    f"use --candidates {arm.strategy.known.most}, or leave it out",
                )
            rng = generator(study.seed, 0, "strategy")
            with complaints() as heard:
                query = arm.strategy.select(signals, study.query, rng)
            check_query(arm.strategy, query, candidates, study.query)
        except Exception as error:
            name, reason = describe_strategy(arm.strategy), str(error)
            if not reason.startswith(name):
                tried = f"in a trial round of {len(candidates)} candidates"
                reason = f"{name} raised an error {tried}: {describe_error(error)}"
            raise SpecError(f"{arm.label}: {reason}") from error
    for text in heard:
        _logger.warning("%s warns in a trial round: %s", describe_strategy(arm.strategy), text)


def _candidates(prepared: PreparedPool, study: SweepSpec) -> Indices:
    """Return objects of the train part's end: positions among them are not indices of other candidates."""
    unlabelled = len(prepared.train) - study.initial
    wanted = min(study.candidates or unlabelled, CANDIDATES)
    return np.sort(prepared.train)[-max(study.query, min(wanted, unlabelled // 2)) :]


def _signals(arm: Arm, prepared: PreparedPool, candidates: Indices) -> Signals:
    """Return what the strategy needs, by a network of fresh weights, or an estimator fitted on initial labels."""
    study, needs = arm.study, arm.strategy.needs
    pool = PoolTensors(prepared)
    learner = fresh_learner(
        arm.model, arm.training, pool, lambda purpose: torch_seed(study.seed, 0, purpose)
    )
    known = generator(study.seed, 0, "initial").choice(
        prepared.train, study.initial, replace=False
    )
    fit_anew(learner.network, pool, Known(known), generator(study.seed, 0, "batches"))
    masks = torch_generator(torch_seed(study.seed, 0, "committee")) if needs.committee else None
    found = Signals(candidates)
    if needs.anything:
        found = engine.score(learner.network, pool, candidates, needs, masks, learner.predictor)
    labelled = np.setdiff1d(prepared.train, candidates)[: study.initial]
    inputs = generator(study.seed, 0, "input_dropout")
    found = with_further(found, learner.network, pool, Known(labelled), needs, inputs)
    return replace(found, trial_loss=lambda _: 0.0) if needs.trial_loss else found
