"""From a study's settings and its pool to arms and runs, everything checked before anything expensive starts."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from alray.analysis.sweep.arms import arm_label
from alray.analysis.sweep.labels_outside import LabelsOutside, count_outside
from alray.custom.code import NO_CODE, CustomCode, custom_model
from alray.errors import SpecError
from alray.networks.network import trained_numbers
from alray.networks.threads import threads
from alray.pools.pool import TRAIN, Pool, PreparedPool
from alray.pools.shared import SharedPool, view_key
from alray.pools.variants import Pools
from alray.settings.base import look_up
from alray.settings.common import TrainingSpec
from alray.settings.names import study_name
from alray.settings.run import RunSpec
from alray.settings.sweep import FULL_DATA, SweepSpec, fitting_budget
from alray.strategies import canonical, custom_name, identity, parse
from alray.studies.effects import Configuration, refuse_equal, refuse_without_effect
from alray.studies.sweep import question_plan, without_rounds
from alray.studies.sweep.arm import Arm, without_stopping
from alray.studies.sweep.controls import say_added, with_controls
from alray.studies.sweep.initial import check_initial_selection
from alray.studies.sweep.network_checks import check_networks, check_screen
from alray.studies.sweep.run_settings import run_of
from alray.studies.sweep.screening import is_exact_round, shortlist_size
from alray.studies.sweep.variation import (
    OF_POOL,
    PROTOCOL,
    affordable,
    choices,
    variant_of,
    varied_study,
)


@dataclass(frozen=True)
class Plan:
    """A checked study: its settings with the name filled in, the pool as read and as it is shared, its arms and runs.

    All arms of a seed are together in `runs`; then come the runs on full data. `parameters` has the trained numbers of
    each variant's network.
    """

    study: SweepSpec
    pool: Pool
    shared: SharedPool
    arms: tuple[Arm, ...]
    runs: tuple[RunSpec, ...]
    code: CustomCode = NO_CODE
    parameters: Mapping[str, int] = field(default_factory=dict)

    @property
    def labels_outside(self) -> LabelsOutside:
        """The labels that the study uses besides its budget."""
        return count_outside(
            [arm.training.stopping for arm in self.arms],
            self.study.metric_split,
            validation=len(self.prepared.validation),
            test=len(self.prepared.test),
            choosing=self.study.rounds == 0,
        )

    def without_code(self) -> "Plan":
        """Return the plan with the runs that they were before a custom code was part of a run."""
        nothing = {"strategy_code": None, "model_code": None}
        return replace(self, runs=tuple(run.model_copy(update=nothing) for run in self.runs))

    @cached_property
    def prepared(self) -> PreparedPool:
        """The pool as the first run sees it."""
        return self.shared.view(self.runs[0])

    def seen_by(self, arm: Arm) -> PreparedPool:
        """Return the pool as an arm's first run sees it."""
        return self.shared.view(next(run for run in self.runs if run.arm == arm.label))

    @property
    def queue(self) -> tuple[RunSpec, ...]:
        """The runs as they should start: of a seed's runs those that score most first, full data last.

        At the end of a study workers then wait for short runs only.
        """
        passes = {arm.label: self.forward_passes(arm) for arm in self.arms}
        seeds = {seed: position for position, seed in enumerate(self.study.seeds)}
        compared = [run for run in self.runs if not run.full_data]
        compared.sort(key=lambda run: (seeds[run.seed], -passes[run.arm]))
        return (*compared, *(run for run in self.runs if run.full_data))

    def forward_passes(self, arm: Arm) -> int:
        """Return how many objects a run of this arm scores exactly, each committee member and prediction counted."""
        study, needs = arm.study, arm.strategy.needs
        if not needs.anything:
            return 0
        numbers = range(1, study.rounds + 1)
        objects = min(train_size(self.shared, run) for run in self.runs if run.arm == arm.label)
        scored = sum(_scored(study, objects, number) for number in numbers)
        committee, dropout = needs.committee, needs.input_dropout
        passes = committee.members if committee and committee.kind != "heads" else 1
        return scored * (passes + (dropout.times if dropout else 0))


def make_plan(
    study: SweepSpec,
    pools: Pools,
    shared: SharedPool,
    code: CustomCode = NO_CODE,
    tree: question_plan.TreeRows | None = None,
) -> Plan:
    """Expand a study into arms and runs.

    Args:
        study: Its settings.
        pools: What its arms see, as read.
        shared: The same with all splits.
        code: What the user supplies of it.
        tree: The rows of a tree of classes, where a file gives it.

    Raises:
        SpecError: A strategy, setting or combination of them cannot work on this pool.
    """
    study = question_plan.with_questions(without_rounds.with_random_alone(study))
    sets = question_plan.sets_of(study, pools.own.classes, tree)
    arms = with_controls([replace(arm, sets=sets) for arm in _arms(study, code)])
    question_plan.check_questions(arms, len(pools.own.classes))
    smallest = _check_budgets(arms, pools, shared, study)
    views = [shared.view(run) for run in smallest]
    configurations = [
        Configuration(arm.label, f"{_choice(arm)} {_protocol(arm)}", arm.model, arm.training)
        for arm in arms
    ]
    refuse_without_effect(configurations)
    refuse_equal(configurations, max(len(view.modalities) for view in views))
    arms = [without_stopping(arm) for arm in arms]
    with threads(1):
        networks = check_networks(arms, views, study)
    check_screen(arms, networks, study)
    check_initial_selection(arms)
    runs = [run_of(pools, arm, seed) for seed in study.seeds for arm in arms]
    without_rounds.refuse_equal_fits(runs)
    if study.full_data:
        runs += _full_data_runs(study, pools, shared, code)
    say_added(arms, len(study.seeds))
    without_rounds.say_idle(arms)
    numbers = [(arm.variant, trained_numbers(n)) for arm, n in zip(arms, networks, strict=True)]
    parameters = {variant: number for variant, number in numbers if number is not None}
    named = study.model_copy(update={"name": study.name or study_name(pools.own.name)})
    return Plan(named, pools.own, shared, tuple(arms), tuple(runs), code, parameters)


def train_size(shared: SharedPool, run: RunSpec) -> int:
    """Return how many objects the train part of a run's split has."""
    return shared.views[view_key(run)].sizes()[TRAIN]


def _check_budgets(
    arms: Sequence[Arm], pools: Pools, shared: SharedPool, own: SweepSpec
) -> list[RunSpec]:
    """Return each arm's run with the smallest train part; it has enough objects for all labels.

    Raises:
        SpecError: A train part has too few.
    """
    smallest = []
    for arm in arms:
        run = min(
            (run_of(pools, arm, seed) for seed in own.seeds), key=lambda r: train_size(shared, r)
        )
        smallest.append(run)
        study, train = arm.study, train_size(shared, run)
        if study.budget > train:
            of_seed = f" with seed {run.seed}" if run.split.per == "seed" else ""
            # Where answers vary, rounds follow those of the study's own settings.
            fitting = affordable(study, own, train)
            varied = f"variant {arm.variant}: " if fitting != train else ""
            raise SpecError(
                f"{varied}initial + rounds x query = {study.initial} + {study.rounds} x {study.query} = {study.budget} "
                f"labels, but the train part of pool {pools.own.name!r} has {train} objects{of_seed}: "
                f"{_remedy(own if varied else study, pools.own, fitting)}"
            )
    return smallest


def _remedy(study: SweepSpec, pool: Pool, train: int) -> str:
    """Return which settings fit a pool whose train part is too small for those that a study has."""
    rounds = (train - study.initial) // study.query
    rounds -= rounds % study.evaluate_every
    fewer = f"lower --rounds to {rounds}, or " if rounds > 0 else ""
    fitting = fitting_budget(train, len(pool.classes), study.evaluate_every)
    if not fitting:
        return f"{fewer}use the usual ones"
    options = (f"--{name.replace('_', '-')} {value}" for name, value in fitting.items())
    return f"{fewer}use {' '.join(options)}"


def _scored(study: SweepSpec, objects: int, round_number: int) -> int:
    """Return how many of a train part's objects a round scores exactly."""
    labels = study.initial + (round_number - 1) * study.query
    unlabelled = objects - labels
    if study.screen is not None and not is_exact_round(study.screen, round_number):
        return shortlist_size(study.screen, unlabelled, study.query)
    return min(unlabelled, study.candidates or unlabelled)


def _arms(study: SweepSpec, code: CustomCode) -> list[Arm]:
    """Multiply strategies by the variants of the settings."""
    arms = [
        _arm(study, text, choice, code)
        for text, choice in question_plan.arms_of(study.strategies, choices(study.vary))
    ]
    labels = [arm.label for arm in arms]
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise SpecError(
            f"these arms appear more than once: {', '.join(repeated)}; see strategies and vary"
        )
    return arms


def _choice(arm: Arm) -> str:
    """Return the strategy's name with all options, without the members that a committee of heads does not use."""
    committee = arm.strategy.needs.committee
    name = arm.options
    if committee is None or committee.kind != "heads":
        return name
    return name.replace(f":members={committee.members}", "")


def _protocol(arm: Arm) -> str:
    """Return how an arm sees the pool, and how its labels are queried."""
    values = (f"{name}={look_up(arm.study, name)}" for name in (*PROTOCOL, *OF_POOL))
    return " ".join([*values, f"crowd={arm.study.crowd!r}"])


def _full_data_runs(
    study: SweepSpec, pools: Pools, shared: SharedPool, code: CustomCode
) -> list[RunSpec]:
    """Return the runs whose passive phase has every label of the train part, and which have no rounds.

    They ask no crowd, so variants that differ in theirs share them.
    """
    runs = []
    vary = {name: values for name, values in study.vary.items() if not name.startswith("crowd.")}
    for seed, choice in itertools.product(study.seeds, choices(vary)):
        arm = without_stopping(_arm(study, "random", choice, code))
        run = run_of(pools, arm, seed)
        everything = {
            "arm": arm_label(FULL_DATA, arm.variant),
            "initial": train_size(shared, run),
            "initial_draw": None,
            "initial_selection": None,
            "crowd": None,
            "questions": None,
            "label_cost": None,
            "rounds": 0,
            "evaluate_every": None,
            "training": _learning_from_all(run.training),
        }
        runs.append(run.model_copy(update={**everything, "full_data": True}))
    return runs


def _learning_from_all(training: TrainingSpec) -> TrainingSpec:
    """Return training settings that hold out no label: a ceiling is of all labels of the train part."""
    if training.stopping != "from_labels":
        return training
    return training.model_copy(update={"stopping": "held_out"})


def _arm(study: SweepSpec, text: str, choice: Mapping[str, Any], code: CustomCode) -> Arm:
    strategy = parse(text)
    varied = varied_study(study, choice)
    variant = variant_of(study, varied, choice)
    if strategy.loss_prediction is not None:
        if study.training.loss_prediction not in (None, strategy.loss_prediction):
            # What goes by the predicted loss, as density may, takes these options behind its own.
            words = [each for each in canonical(text).split(":") if not each.startswith("margin=")]
            raise SpecError(
                f"training.loss_prediction has no effect on {text}, which has its own; give it as options, such as "
                f"{':'.join(words)}:margin={study.training.loss_prediction.margin:g}, or leave it out"
            )
        training = varied.training.model_copy(update={"loss_prediction": strategy.loss_prediction})
        varied = varied.model_copy(update={"training": training})
    name, supplied = canonical(text), custom_name(text)
    network = custom_model(varied.model.name)
    return Arm(
        label=arm_label(name, variant),
        text=name,
        strategy=strategy,
        variant=variant,
        study=varied,
        options=identity(text),
        strategy_code=None if supplied is None else code.digest(supplied.name),
        model_code=None if network is None else code.digest(network.name),
    )
