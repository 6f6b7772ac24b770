"""From a study's settings and its pool to arms and runs, everything checked before anything expensive starts."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from alray.custom.code import NO_CODE, CustomCode
from alray.errors import AlrayError, SpecError
from alray.networks.kernels import INT8, available
from alray.networks.models import Network
from alray.pools.pool import Pool, PreparedPool
from alray.scoring import int8
from alray.scoring.engine import check_committee
from alray.seeding import torch_seed
from alray.settings.base import Settings, assign, look_up, setting_names, unknown_name, validate
from alray.settings.common import ModelSpec, TrainingSpec
from alray.settings.run import RunSpec
from alray.settings.sweep import FULL_DATA, SweepSpec
from alray.strategies import (
    ScoreStrategy,
    Strategy,
    canonical,
    custom_name,
    identity,
    parse,
)
from alray.studies.sweep.screening import is_exact_round, shortlist_size
from alray.training.learner import check_training, try_network

VARIED: Mapping[str, type[Settings]] = {"model": ModelSpec, "training": TrainingSpec}


@dataclass(frozen=True)
class Arm:
    """A strategy with its parameters and training settings: what is compared.

    Attributes:
        label: Its name in records and reports, unique within the study.
        text: The strategy as it is written.
        variant: The varied settings that differ from the study's own, "" where none does.
        training: With the loss predictor if the strategy wants one.
        options: The strategy with all of its options.
        strategy_code: A hash of the source of a custom strategy, None for a built-in one.
        model_code: The same of a custom network.
    """

    label: str
    text: str
    strategy: Strategy
    variant: str
    model: ModelSpec
    training: TrainingSpec
    options: str
    strategy_code: str | None
    model_code: str | None


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
            f"but the train part of pool {pool.name!r} has {len(prepared.train)} objects: lower --rounds to "
            f"{max(0, (len(prepared.train) - study.initial) // study.query)}, or --initial or --query"
        )
    arms = _arms(study, code)
    networks = _check_networks(arms, prepared, study)
    _check_screen(arms, networks, study)
    runs = [_run(study, pool, arm, seed) for seed in study.seeds for arm in arms]
    if study.full_data:
        runs += _full_data_runs(study, pool, len(prepared.train), code)
    named = study.model_copy(update={"name": study.name or pool.name})
    return Plan(named, pool, prepared, tuple(arms), tuple(runs), code)


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


def _full_data_runs(study: SweepSpec, pool: Pool, objects: int, code: CustomCode) -> list[RunSpec]:
    """Return the runs whose passive phase has every label of the train part, and which have no rounds."""
    runs = []
    for seed, choice in itertools.product(study.seeds, _choices(study.vary)):
        arm = _arm(study, "random", choice, code)
        run = _run(study, pool, arm, seed)
        everything = {"arm": _label(FULL_DATA, arm.variant), "initial": objects, "rounds": 0}
        runs.append(run.model_copy(update={**everything, "full_data": True}))
    return runs


def _choices(vary: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return every combination of the varied settings' values."""
    valid = [
        f"{section}.{name}" for section, kind in VARIED.items() for name in setting_names(kind)
    ]
    for key in vary:
        if key not in valid:
            raise SpecError(f"vary: {unknown_name('setting', key, valid)}")
    return [dict(zip(vary, values, strict=True)) for values in itertools.product(*vary.values())]


def _arm(study: SweepSpec, text: str, choice: Mapping[str, Any], code: CustomCode) -> Arm:
    strategy = parse(text)
    settings = {section: getattr(study, section).model_dump() for section in VARIED}
    for name, value in choice.items():
        assign(settings, name, value)
    if strategy.loss_prediction is not None:
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


def _check_networks(
    arms: Sequence[Arm], prepared: PreparedPool, study: SweepSpec
) -> list[Network]:
    """Return each arm's network, built once for equal settings; refuse one that an arm cannot work with."""
    built: dict[str, Network] = {}
    networks: list[Network] = []
    for arm in arms:
        key = arm.model.model_dump_json()
        if key not in built:
            built[key] = try_network(arm.model, prepared, torch_seed(study.seed, 0, "weights"))
        try:
            _check_arm(arm, built[key])
        except AlrayError as error:
            raise SpecError(f"{arm.label}: {error}") from None
        networks.append(built[key])
    return networks


def _check_screen(arms: Sequence[Arm], networks: Sequence[Network], study: SweepSpec) -> None:
    """Refuse a screen where there are no int8 scores; `networks` has each arm's."""
    if study.screen is None:
        return
    if not available() >= INT8:
        raise SpecError("screen: this build of PyTorch has no 8-bit products; leave it out")
    if study.execution.gpus_per_run:
        raise SpecError("screen works on the CPU; leave it out, or --gpus-per-run")
    for arm, network in zip(arms, networks, strict=True):
        needs = arm.strategy.needs
        if not needs.anything:
            continue
        if not int8.can_score(network):
            raise SpecError(
                f"{arm.label}: screen works with model late_fusion, not {arm.model.name}; leave it out"
            )
        if not isinstance(arm.strategy, ScoreStrategy) or not int8.can_compute(needs):
            raise SpecError(
                f"{arm.label}: screen needs a strategy that ranks objects by a score from probabilities; leave screen "
                "out, or the strategy"
            )


def _check_arm(arm: Arm, network: Network) -> None:
    check_training(network, arm.training)
    needs = arm.strategy.needs
    if needs.committee is not None:
        check_committee(network, needs.committee)
    wanted = needs.predicted_loss or arm.training.loss_prediction is not None
    if wanted and not network.tap_sizes:
        raise SpecError(
            "predicting the loss needs hidden layers to tap: use model late_fusion or cnn"
        )


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
