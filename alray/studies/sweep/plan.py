"""From a study's settings and its pool to arms and runs, everything checked before anything expensive starts."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from alray.analysis.sweep.labels_outside import LabelsOutside, count_outside
from alray.custom.code import NO_CODE, CustomCode
from alray.errors import SpecError
from alray.networks.threads import one_thread
from alray.pools.pool import Pool, PreparedPool
from alray.settings.base import Settings, assign, look_up, setting_names, unknown_name, validate
from alray.settings.common import ModelSpec, TrainingSpec
from alray.settings.names import study_name
from alray.settings.run import RunSpec
from alray.settings.sweep import FULL_DATA, SweepSpec, fitting_budget
from alray.strategies import canonical, custom_name, identity, parse
from alray.studies.effects import Configuration, refuse_equal, refuse_without_effect
from alray.studies.sweep.arm import Arm
from alray.studies.sweep.network_checks import check_networks, check_screen
from alray.studies.sweep.screening import is_exact_round, shortlist_size

VARIED: Mapping[str, type[Settings]] = {"model": ModelSpec, "training": TrainingSpec}


@dataclass(frozen=True)
class Plan:
    """A checked study: its settings with the name filled in, the pool as read and as runs see it, its arms and runs.

    All arms of a seed are together in `runs`; then come the runs on full data, if they are wanted.
    """

    study: SweepSpec
    pool: Pool
    prepared: PreparedPool
    arms: tuple[Arm, ...]
    runs: tuple[RunSpec, ...]
    code: CustomCode = NO_CODE

    @property
    def labels_outside(self) -> LabelsOutside:
        """The labels that the study uses besides its budget."""
        return count_outside(
            [arm.training.stopping for arm in self.arms],
            self.study.metric_split,
            validation=len(self.prepared.validation),
            test=len(self.prepared.test),
        )

    def without_code(self) -> "Plan":
        """Return the plan with the runs that they were before a custom code was part of a run."""
        nothing = {"strategy_code": None, "model_code": None}
        return replace(self, runs=tuple(run.model_copy(update=nothing) for run in self.runs))

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
        """Return how many objects a run of this arm scores exactly, each committee member counted."""
        study, needs = self.study, arm.strategy.needs
        if not needs.anything:
            return 0
        objects, numbers = len(self.prepared.train), range(1, study.rounds + 1)
        scored = sum(_scored(study, objects, number) for number in numbers)
        committee = needs.committee
        return scored * (committee.members if committee and committee.kind != "heads" else 1)


def make_plan(
    study: SweepSpec, pool: Pool, prepared: PreparedPool, code: CustomCode = NO_CODE
) -> Plan:
    """Expand a study into arms and runs; `code` is what the user supplies of it.

    Raises:
        SpecError: A strategy, setting or combination of them cannot work on this pool.
    """
    if study.budget > len(prepared.train):
        raise SpecError(
            f"initial + rounds x query = {study.initial} + {study.rounds} x {study.query} = {study.budget} labels, "
            f"but the train part of pool {pool.name!r} has {len(prepared.train)} objects: "
            f"{_remedy(study, pool, prepared)}"
        )
    arms = _arms(study, code)
    configurations = [
        Configuration(arm.label, _choice(arm), arm.model, arm.training) for arm in arms
    ]
    refuse_without_effect(configurations)
    if study.rounds > 0:
        refuse_equal(configurations, len(prepared.modalities))
    with one_thread():
        networks = check_networks(arms, prepared, study)
    check_screen(arms, networks, study)
    runs = [_run(study, pool, arm, seed) for seed in study.seeds for arm in arms]
    if study.full_data:
        runs += _full_data_runs(study, pool, len(prepared.train), code)
    named = study.model_copy(update={"name": study.name or study_name(pool.name)})
    return Plan(named, pool, prepared, tuple(arms), tuple(runs), code)


def _remedy(study: SweepSpec, pool: Pool, prepared: PreparedPool) -> str:
    """Return which settings fit a pool that is too small for those that a study has."""
    train = len(prepared.train)
    rounds = (train - study.initial) // study.query
    fewer = f"lower --rounds to {rounds}, or " if rounds > 0 else ""
    fitting = fitting_budget(train, len(pool.classes))
    if not fitting:
        return f"{fewer}use the usual ones"
    return f"{fewer}use {' '.join(f'--{name} {value}' for name, value in fitting.items())}"


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
        for choice in _choices(study.vary)
        for text in study.strategies
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


def _full_data_runs(study: SweepSpec, pool: Pool, objects: int, code: CustomCode) -> list[RunSpec]:
    """Return the runs whose passive phase has every label of the train part, and which have no rounds."""
    runs = []
    for seed, choice in itertools.product(study.seeds, _choices(study.vary)):
        arm = _arm(study, "random", choice, code)
        run = _run(study, pool, arm, seed)
        everything = {"arm": _label(FULL_DATA, arm.variant), "initial": objects, "rounds": 0}
        training = _learning_from_all(run.training)
        runs.append(run.model_copy(update={**everything, "training": training, "full_data": True}))
    return runs


def _learning_from_all(training: TrainingSpec) -> TrainingSpec:
    """Return training settings that hold out no label: a ceiling is of all labels of the train part."""
    if training.stopping != "from_labels":
        return training
    return training.model_copy(update={"stopping": "held_out"})


def _choices(vary: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return every combination of the varied settings' values."""
    valid = [
        f"{section}.{name}" for section, kind in VARIED.items() for name in setting_names(kind)
    ]
    for key in vary:
        if key not in valid and not key.startswith("model.options."):
            raise SpecError(f"vary: {unknown_name('setting', key, valid)}")
    return [dict(zip(vary, values, strict=True)) for values in itertools.product(*vary.values())]


def _arm(study: SweepSpec, text: str, choice: Mapping[str, Any], code: CustomCode) -> Arm:
    strategy = parse(text)
    settings = {section: getattr(study, section).model_dump() for section in VARIED}
    for name, value in choice.items():
        assign(settings, name, value)
    if strategy.loss_prediction is not None:
        if study.training.loss_prediction not in (None, strategy.loss_prediction):
            raise SpecError(
                f"training.loss_prediction has no effect on {text}, which has its own; give it as options, such as "
                f"{text.partition(':')[0]}:margin={study.training.loss_prediction.margin:g}, or leave it out"
            )
        settings["training"]["loss_prediction"] = strategy.loss_prediction.model_dump()
    model = validate(ModelSpec, settings["model"], "vary: model")
    training = validate(TrainingSpec, settings["training"], "vary: training")
    varied = study.model_copy(update={"model": model, "training": training})
    variant = _variant(study, varied, choice)
    name, supplied = canonical(text), custom_name(text)
    return Arm(
        label=_label(name, variant),
        text=name,
        strategy=strategy,
        variant=variant,
        model=model,
        training=training,
        options=identity(text),
        strategy_code=None if supplied is None else code.digest(supplied.name),
        model_code=code.digest(model.name),
    )


def _label(name: str, variant: str) -> str:
    return name + (f" [{variant}]" if variant else "")


def _variant(study: SweepSpec, varied: SweepSpec, names: Iterable[str]) -> str:
    """Name the settings that differ from the study's own; an arm that does not differ is the plain arm."""
    differing = [name for name in names if look_up(varied, name) != look_up(study, name)]
    return ", ".join(f"{name.partition('.')[2]}={look_up(varied, name)}" for name in differing)


def _run(study: SweepSpec, pool: Pool, arm: Arm, seed: int) -> RunSpec:
    return RunSpec(
        arm=arm.label,
        strategy=arm.text,
        strategy_options=arm.options,
        variant=arm.variant,
        oracle=arm.strategy.oracle,
        seed=seed,
        study_seed=study.seed,
        pool_fingerprint=pool.fingerprint,
        pool_dtype=study.pool.dtype,
        split=study.split,
        model=arm.model,
        training=arm.training,
        initial=study.initial,
        query=study.query,
        rounds=study.rounds,
        metric_split=study.metric_split,
        threads=study.execution.cpus_per_run,
        device="cuda" if study.execution.gpus_per_run else "cpu",
        candidates=study.candidates,
        screen=study.screen,
        strategy_code=arm.strategy_code,
        model_code=arm.model_code,
    )
